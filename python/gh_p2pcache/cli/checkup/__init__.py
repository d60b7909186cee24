"""What `doctor` looks at: a module a subject, each finding with a line on what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gh_p2pcache.cli.checkup import configuration, daemon, github, peers, places, tools
from gh_p2pcache.cli.checkup.finding import Env, Finding

Check = Callable[[Env], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    tools.git,
    tools.gh,
    tools.engine,
    tools.shim,
    configuration.problems,
    places.directories,
    places.disk,
    github.way_out,
    daemon.running,
    daemon.settings_differ,
    github.reached,
    daemon.overlay,
    peers.peers,
)
"""In this order: a later one may rest on what an earlier one found (or started)."""
