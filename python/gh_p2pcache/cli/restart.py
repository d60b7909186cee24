"""`gh p2pcache restart`."""

from __future__ import annotations

import os

import click

from gh_p2pcache import paths
from gh_p2pcache.cli.output import examples
from gh_p2pcache.cli.status import warn
from gh_p2pcache.supervisor import client


@click.command(
    epilog=examples("gh p2pcache restart", "CACHE_UPSTREAM=https://proxy.corp gh p2pcache restart")
)
def command() -> None:
    """Have the daemon start again with this environment, config.toml and engine as they are now.

    Calls in flight end in peace; those that come meanwhile wait.
    """
    state = paths.state_dir(os.environ)
    before = client.status(state)
    client.restart(state, os.environ)
    click.echo("The daemon has restarted." if before else "The daemon runs: there was none before.")
    warn(state)
