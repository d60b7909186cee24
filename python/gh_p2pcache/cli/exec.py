"""`gh p2pcache exec`: the entry script's own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gh_p2pcache.cli.entry import HandedOver

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_PROFILES = {
    "exact": "REST is confirmed by GitHub at each call",
    "ttl": "an answer counts for its time to live without asking",
}


class Exec(HandedOver):
    """Completes its flag, and the command to run; files are what comes after that."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Return flags, profiles, programs of PATH, or the wish for a file's name."""
        from click.shell_completion import CompletionItem

        words = list(ctx.args)
        while words and words[0].startswith("--profile"):
            if words == ["--profile"]:
                return _begun(_PROFILES, incomplete)
            del words[: 2 if words[0] == "--profile" else 1]
        if not words and incomplete.startswith("-"):
            return _begun({"--profile": "exact or ttl", "--help": "what it does"}, incomplete)
        if words[:1] == ["--"]:
            del words[0]
        if words or "/" in incomplete:
            return [CompletionItem(incomplete, type="file")]
        return [CompletionItem(name) for name in _programs(incomplete)]


@click.command("exec", cls=Exec)
def command() -> None:
    """Become `gh-p2pcache exec`."""


def _begun(offered: dict[str, str], incomplete: str) -> list[CompletionItem[str]]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(w, help=h) for w, h in offered.items() if w.startswith(incomplete)]


def _programs(incomplete: str) -> list[str]:
    """Return what PATH has of this beginning."""
    found = set()
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        try:
            files = list(Path(folder or ".").iterdir())
        except OSError:
            continue
        found |= {f.name for f in files if f.name.startswith(incomplete) and os.access(f, os.X_OK)}
    return sorted(found)
