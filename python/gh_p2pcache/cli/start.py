"""`gh p2pcache start`."""

from __future__ import annotations

import os

import click

from gh_p2pcache import paths
from gh_p2pcache.cli.output import examples
from gh_p2pcache.cli.status import warn
from gh_p2pcache.supervisor import client


@click.command(
    epilog=examples("gh p2pcache start", "CACHE_MAX_SIZE=1GiB gh p2pcache start"),
)
def command() -> None:
    """Start the daemon and wait until it answers; nothing happens if one runs already."""
    state = paths.state_dir(os.environ)
    before = client.status(state)
    client.start(state, os.environ)
    if before is not None:
        click.echo(f"The daemon runs already (pid {before['pid']}).")
        return
    after = client.status(state)
    warn(state)
    click.echo(f"The daemon runs (pid {after['pid'] if after else 'unknown'}).")
