"""`gh p2pcache setup`."""

from __future__ import annotations

import os
import sys

import click

from gh_p2pcache.cli import entry
from gh_p2pcache.cli.output import examples
from gh_p2pcache.errors import P2PCacheError


@click.command(
    epilog=examples("gh p2pcache setup", "gh extension upgrade p2pcache && gh p2pcache setup")
)
def command() -> None:
    """Set the engine up from its checkout, or renew it; a running daemon takes it over."""
    script = entry.find(os.environ).parent / "install.sh"
    if not script.exists():
        raise P2PCacheError(f"{script} is not there: clone the repository and run its install.sh")
    sys.stdout.flush()
    os.execv(script, [str(script), "--setup"])  # noqa: S606
