"""`gh p2pcache stop`."""

from __future__ import annotations

import os

import click

from gh_p2pcache import paths
from gh_p2pcache.cli.output import examples
from gh_p2pcache.supervisor import client


@click.command(epilog=examples("gh p2pcache stop", "gh p2pcache stop && gh p2pcache purge --all"))
def command() -> None:
    """Stop the daemon. The next call starts it again; CACHE_DISABLE=1 keeps gh away from it."""
    stopped = client.stop(paths.state_dir(os.environ))
    click.echo("The daemon has stopped." if stopped else "No daemon runs.")
