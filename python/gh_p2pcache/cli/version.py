"""`gh p2pcache version`."""

from __future__ import annotations

import click

from gh_p2pcache import __version__
from gh_p2pcache.cli.output import examples


@click.command(epilog=examples("gh p2pcache version", "gh p2pcache --version"))
def command() -> None:
    """Print the version of the engine that answers (`doctor` compares it with the checkout's)."""
    click.echo(f"gh-p2pcache {__version__}")
