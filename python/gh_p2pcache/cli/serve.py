"""`gh p2pcache serve`."""

from __future__ import annotations

import os
import sys

import click

from gh_p2pcache import paths
from gh_p2pcache.cli.output import examples
from gh_p2pcache.supervisor import client


@click.command(
    epilog=examples("gh p2pcache serve", "CACHE_IDLE_EXIT=0 gh p2pcache serve 2>>cache.log")
)
def command() -> None:
    """Be the daemon, in the foreground, for a service manager: logs to stderr, ends on SIGTERM."""
    sys.stdout.flush()
    client.serve(paths.state_dir(os.environ), os.environ)
