"""`gh p2pcache exec`: the entry script's own."""

from __future__ import annotations

import click

from gh_p2pcache.cli.entry import HandedOver
from gh_p2pcache.cli.output import examples


@click.command(
    "exec",
    cls=HandedOver,
    options_metavar="[--profile ttl|exact] -- COMMAND...",
    epilog=examples(
        "gh p2pcache exec -- make release",
        "gh p2pcache exec --profile ttl -- ./dashboard.sh",
        "gh p2pcache exec -- $SHELL",
    ),
)
def command() -> None:
    """Run COMMAND; every gh that it starts, however deep, goes through the cache.

    In profile `exact`, unless told otherwise: every REST read is confirmed by GitHub (304: free).
    """
