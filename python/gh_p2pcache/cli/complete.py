"""`gh p2pcache __complete`: what the shim asks for a shell's completion."""

from __future__ import annotations

import click

from gh_p2pcache.cli.completion import answer


class Asked(click.Command):
    """Takes every word as it is, flags and `--` included."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the words."""
        ctx.args = list(args)
        return []

    def invoke(self, ctx: click.Context) -> None:
        """Print completions by cobra's protocol."""
        click.echo(answer(ctx.args), nl=False)


command = Asked("__complete")
