"""`gh p2pcache shellenv`: the entry script's own, so that no Python starts with a shell."""

from __future__ import annotations

import click

from gh_p2pcache.cli.entry import HandedOver


@click.command("shellenv", cls=HandedOver)
def command() -> None:
    """Become `gh-p2pcache shellenv`."""
