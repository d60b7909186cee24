"""`gh p2pcache exec`: the entry script's own."""

from __future__ import annotations

import click

from gh_p2pcache.cli.entry import HandedOver


@click.command("exec", cls=HandedOver)
def command() -> None:
    """Become `gh-p2pcache exec`."""
