"""`gh p2pcache peers`, `gh p2pcache peers add`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gh_p2pcache import paths
from gh_p2pcache.cli import control
from gh_p2pcache.cli.output import examples, heading, moment, pairs, say_json, size, table
from gh_p2pcache.errors import (
    ConfigError,
    DaemonError,
    P2PCacheError,
    RejectedError,
    UsageError,
)
from gh_p2pcache.parsers import parse_multiaddrs
from gh_p2pcache.supervisor import client

_DIALLING = 30.0
"""Seconds that a member may take to answer and prove itself."""

_LOOPBACK = ("/ip4/127.", "/ip6/::1/")
_HINTS = {
    "not installed": "gh p2pcache setup",
    "failed": "the peer process has died; gh p2pcache logs says why",
}


@click.group(
    invoke_without_command=True,
    epilog=examples(
        "gh p2pcache peers",
        "gh p2pcache peers --json | jq '.peers[].rtt'",
        "gh p2pcache peers add /dns/cache.acme.dev/tcp/9100",
    ),
)
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> None:
    """Show the other machines: who, where, since when, what went each way, and who is banned.

    In a pipe: one line a peer, fields separated by tabs: id, address, since, teams, round trip in
    milliseconds, records and bytes received and sent, score, and why it is banned.
    """
    if ctx.invoked_subcommand is not None:
        return
    state, supervisor = _running()
    told = settled(control.get(state, "/peers"), supervisor)
    if as_json:
        say_json(told)
    elif sys.stdout.isatty():
        click.echo(text(told))
    else:
        click.echo("".join(f"{row}\n" for row in map(_fields, told["peers"])), nl=False)
        if not told["peers"]:
            verb = "have" if told["state"] == "failed" else "are"
            click.echo(f"peers {verb} {line(told)}", err=True)


@command.command(epilog=examples("gh p2pcache peers add /ip4/192.168.1.20/tcp/9100/p2p/12D3KooW…"))
@click.argument("address", metavar="MULTIADDR")
def add(*, address: str) -> None:
    """Dial a member now. It has to be in a team of this machine's, or nothing is said to it."""
    try:
        (addr,) = parse_multiaddrs(address)
    except (ConfigError, ValueError) as error:
        raise UsageError(
            "an address is /ip4/…, /ip6/… or /dns/…, then /tcp/PORT, and /p2p/ID where it is known"
            f" ('{address}' was given)"
        ) from error
    state, _ = _running()
    told = control.post(state, "/peers/add", {"addr": addr}, timeout=_DIALLING)
    if not told.get("ok"):
        why = str(told.get("why") or "no reason was given").removeprefix(f"{addr}: ")
        raise P2PCacheError(f"{addr} is not connected: {why}")
    click.echo("Connected. To have it dialled at each start:")
    click.echo(f"  gh p2pcache config set bootstrap_peers {addr}")


@command.command(epilog=examples("gh p2pcache peers unban 12D3KooW…"))
@click.argument("peer", metavar="PEER")
def unban(*, peer: str) -> None:
    """Take a member back that was banned; what it published meanwhile stays dropped."""
    from gh_p2pcache.records.sign import public_of

    try:
        public_of(peer)
    except RejectedError as error:
        raise UsageError(f"{error} (gh p2pcache peers)") from error
    state, _ = _running()
    told = control.post(state, "/peers/unban", {"id": peer})
    click.echo("It is taken back." if told["was_banned"] else "It may connect again.")


def settled(told: dict[str, Any], supervisor: dict[str, Any] | None) -> dict[str, Any]:
    """Return what the gateway says of peers, or where that has none, what the supervisor knows."""
    known = supervisor.get("peers") if supervisor else None
    if told["state"] not in {"on", "off"} and known in _HINTS:
        return told | {"state": known, "why": ""}
    return told


def line(told: dict[str, Any]) -> str:
    """Return the state of peers in one line, from /peers or the part of /status about them."""
    state = str(told["state"])
    why = told.get("why") or _HINTS.get(state, "")
    if state != "on":
        return f"{state}: {why}" if why else state
    members = f"{told['members']} member{'' if told['members'] == 1 else 's'}"
    port = f", port {told['port']}" if told.get("port") else ""
    return f"{state}: {members}{port}" + (f" ({why})" if why else "")


def text(told: dict[str, Any]) -> str:
    """Return everything for people."""
    rows = [("peers", line(told)), ("this machine", told.get("id") or "")]
    rows += [("reached at", addr) for addr in _elsewhere(told.get("addrs", ()))]
    rows += [(f"team {t['name']}", _team(t)) for t in told.get("teams", ())]
    rows += [("problem", problem) for problem in told.get("problems", ())]
    parts = [pairs(rows)]
    members = [peer for peer in told["peers"] if not peer["banned"]]
    banned = [peer for peer in told["peers"] if peer["banned"]]
    if members:
        parts.append(_table(members))
    elif told["state"] == "on":
        parts.append(
            "No member is connected. Each must be in the same team (gh p2pcache team invite) and"
            " reach one of the addresses above; gh p2pcache doctor looks at the way."
        )
    if banned:
        names = [heading("banned", "why"), *([peer["id"], peer["why"]] for peer in banned)]
        parts.append(table(names))
    return "\n\n".join(parts)


def _running() -> tuple[Path, dict[str, Any]]:
    """Return the state directory, and what the supervisor says. Raises DaemonError."""
    state = paths.state_dir(os.environ)
    supervisor = client.status(state)
    if supervisor is None:
        raise DaemonError("no daemon runs (gh p2pcache start)")
    return state, supervisor


def _teams(peer: dict[str, Any]) -> list[str]:
    """Return the teams in common: during a secret's grace one has two scopes of the same name."""
    return list(dict.fromkeys(peer["scopes"]))


def _team(team: dict[str, Any]) -> str:
    return f"{', '.join(team['share'])} ({team['members']} connected)"


def _table(members: list[dict[str, Any]]) -> str:
    head = heading("peer", "where", "since", "teams", "round trip", "in", "out", "score")
    rows = [
        [
            peer["id"],
            _where(peer),
            moment(peer["since"]),
            ", ".join(_teams(peer)),
            _round_trip(peer),
            f"{peer['records_in']:,} ({size(peer['bytes_in'])})",
            f"{peer['records_out']:,} ({size(peer['bytes_out'])})",
            f"{peer['score']:g}",
        ]
        for peer in members
    ]
    return table([head, *rows], right=frozenset({4, 5, 6, 7}))


def _where(peer: dict[str, Any]) -> str:
    """Return a peer's address as people write it: /ip4/10.0.0.2/tcp/9100/p2p/… is 10.0.0.2:9100."""
    if not peer["addrs"]:
        return "dialled in"
    addr = _elsewhere(peer["addrs"])[0]
    parts = addr.split("/")
    if len(parts) < 5:
        return addr
    host = f"[{parts[2]}]" if parts[1] == "ip6" else parts[2]
    return f"{host}:{parts[4]}"


def _elsewhere(addrs: Sequence[str]) -> Sequence[str]:
    """Return the addresses that mean the same on every machine, unless there are none."""
    return [addr for addr in addrs if not addr.startswith(_LOOPBACK)] or addrs


def _round_trip(peer: dict[str, Any]) -> str:
    return f"{peer['rtt'] * 1000:.1f} ms" if peer["rtt"] else "·"


def _fields(peer: dict[str, Any]) -> str:
    fields = (
        peer["id"],
        (_elsewhere(peer["addrs"]) or [""])[0],
        f"{peer['since']:.0f}",
        ",".join(_teams(peer)),
        f"{peer['rtt'] * 1000:.1f}" if peer["rtt"] else "",
        peer["records_in"],
        peer["records_out"],
        peer["bytes_in"],
        peer["bytes_out"],
        f"{peer['score']:g}",
        peer["why"] if peer["banned"] else "",
    )
    return "\t".join(str(field).replace("\t", " ") for field in fields)
