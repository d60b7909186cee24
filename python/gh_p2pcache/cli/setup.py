"""`gh p2pcache setup`: the entry script's own."""

from __future__ import annotations

import click

from gh_p2pcache.cli.entry import HandedOver
from gh_p2pcache.cli.output import examples


@click.command(
    "setup",
    cls=HandedOver,
    options_metavar="[--prefix DIR]",
    epilog=examples("gh p2pcache setup", "gh extension upgrade p2pcache && gh p2pcache setup"),
)
def command() -> None:
    """Set the engine up from its checkout, or renew it; a running daemon takes it over."""
