"""`gh p2pcache help`."""

from __future__ import annotations

import os

import click

from gh_p2pcache.cli.entry import HandedOver, become
from gh_p2pcache.cli.output import examples


@click.command(epilog=examples("gh p2pcache help", "gh p2pcache help config set"))
@click.argument("names", metavar="[COMMAND]...", nargs=-1)
@click.pass_context
def command(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Print help for COMMAND, or for all of gh p2pcache."""
    shown = ctx.parent
    assert shown is not None
    for name in names:
        group = shown.command
        found = group.get_command(shown, name) if isinstance(group, click.Group) else None
        if found is None:
            raise click.UsageError(f"No such command {name!r}.", ctx)
        if isinstance(found, HandedOver):
            become(os.environ, [name, "--help"])
        shown = click.Context(found, info_name=name, parent=shown)
    click.echo(shown.get_help())
