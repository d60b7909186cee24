"""`gh p2pcache serve`."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from gh_p2pcache import paths, settings
from gh_p2pcache.cli.output import examples
from gh_p2pcache.errors import ConfigError, DaemonError
from gh_p2pcache.settings import Settings
from gh_p2pcache.supervisor import client
from gh_p2pcache.supervisor.commands import RUNS_ALREADY

_OUTSIDE = {socket.AF_INET: ("ip4", "192.0.2.1"), socket.AF_INET6: ("ip6", "2001:db8::1")}
"""Documentation addresses (RFC 5737, RFC 3849): the way to them is that to the internet."""


@click.command(
    epilog=examples(
        "gh p2pcache serve",
        "CACHE_IDLE_EXIT=0 gh p2pcache serve 2>>cache.log",
        "gh p2pcache serve --bootstrap",
    )
)
@click.option("--bootstrap", is_flag=True, help="be an always-on member that others dial")
def command(*, bootstrap: bool) -> None:
    """Be the daemon, in the foreground, for a service manager: logs to stderr, ends on SIGTERM.

    With --bootstrap it never leaves when idle, and keeps for the members of its teams what they
    announce: for machines that find each other by it alone, or are not up at the same time.
    """
    state, env = paths.state_dir(os.environ), dict(os.environ)
    if client.status(state) is not None:
        raise DaemonError(RUNS_ALREADY)
    if bootstrap:
        env[settings.KEEPER] = "1"
        click.echo(_invitation(state, env))
    sys.stdout.flush()
    client.serve(state, env)


def _invitation(state: Path, env: Mapping[str, str]) -> str:
    """Return where members find this machine, and what to do with that. Raises our errors."""
    from gh_p2pcache.records.sign import peer_id
    from gh_p2pcache.store.identity import load_identity
    from gh_p2pcache.teams import memberships

    there = settings.in_force(env)
    names = [member.team.name for member in memberships(state, lambda _: None)]
    if not names and not there.secret:
        raise ConfigError("a bootstrap member needs a team (gh p2pcache team join, or create)")
    if not there.enable_p2p:
        raise ConfigError("CACHE_ENABLE_P2P is off: nobody could dial this machine")
    _check_port(there)
    identity = peer_id(load_identity(state).public)
    addrs = [f"/{host}/tcp/{there.listen_port}/p2p/{identity}" for host in _hosts()]
    lines = ["Members dial this machine at:", *(f"  {addr}" for addr in addrs)]
    lines.append(
        "Behind NAT they need the router's address in its place. In new invites, from here:"
    )
    lines += [f"  gh p2pcache team invite {name} --bootstrap {addrs[0]}" for name in names]
    lines += ["For machines that are members already:", f"  CACHE_BOOTSTRAP_PEERS={addrs[0]}"]
    return "\n".join(lines)


def _check_port(there: Settings) -> None:
    """Raise DaemonError where the port is taken: what members were told must hold."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", there.listen_port))
        except OSError as error:
            raise DaemonError(
                f"port {there.listen_port} cannot be had ({error.strerror}): set CACHE_LISTEN_PORT"
            ) from error


def _hosts() -> Iterator[str]:
    """Yield this machine's addresses on its ways out, as the start of a multiaddr."""
    found = False
    for family, (protocol, outside) in _OUTSIDE.items():
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((outside, 9))  # sends nothing: it is UDP
                yield f"{protocol}/{probe.getsockname()[0]}"
                found = True
        except OSError:
            continue
    if not found:
        yield f"dns/{socket.gethostname()}"
