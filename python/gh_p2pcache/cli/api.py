"""`gh p2pcache api`: the entry script's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gh_p2pcache.cli.entry import HandedOver

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_OURS = {
    "--ttl": "Take an answer that is at most so old: 90, 30s, 5m, 2h30m, 1d",
    "--refresh": "Ask GitHub whether the answer is still current",
    "--offline": "Take what is kept and may still be given",
}


class Api(HandedOver):
    """Completes by what gh says of `gh api`, and by our own flags."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Return flags and, where gh takes one, the wish for a file's name."""
        from click.shell_completion import CompletionItem

        from gh_p2pcache.cli.completion import of_gh

        if ctx.args[-1:] == ["--ttl"]:
            return []
        items = of_gh(["api", *_without_ours(ctx.args)], incomplete)
        if incomplete.startswith("-"):
            ours = _OURS.items()
            items += [CompletionItem(f, help=h) for f, h in ours if f.startswith(incomplete)]
        return items


@click.command("api", cls=Api)
def command() -> None:
    """Become `gh-p2pcache api`."""


def _without_ours(words: list[str]) -> list[str]:
    """Return words that gh's own parser takes."""
    kept = []
    is_value = False
    for word in words:
        if not is_value and word.partition("=")[0] not in _OURS:
            kept.append(word)
        is_value = word == "--ttl"
    return kept
