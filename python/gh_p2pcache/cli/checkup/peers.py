"""The other machines: that they can be reached and can reach this one."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gh_p2pcache import paths, settings
from gh_p2pcache.cli import control
from gh_p2pcache.cli.checkup.finding import Env, Finding, broken, note, ok
from gh_p2pcache.cli.output import moment
from gh_p2pcache.cli.peers import settled
from gh_p2pcache.errors import DaemonError
from gh_p2pcache.settings import Settings
from gh_p2pcache.supervisor import client
from gh_p2pcache.supervisor.commands import is_alive
from gh_p2pcache.teams import memberships

_PATIENCE = 3.0
"""Seconds for a bootstrap member to accept a connection."""

_MDNS_GROUP = "224.0.0.251"
_SHOWN = 5


def peers(env: Env) -> Iterator[Finding]:
    """Look at what the daemon says of peers, and at the ways to them."""
    state = paths.state_dir(env)
    warnings: list[str] = []
    teams = [member.team for member in memberships(state, warnings.append)]
    for warning in warnings:
        yield broken(warning, "correct the file, or join again: gh p2pcache team join")
    if not is_alive(str(state)):
        return
    try:
        told = settled(control.get(state, "/peers"), client.status(state))
    except DaemonError as error:
        yield note(f"nothing is known of peers: {error}", "gh p2pcache restart")
        return
    used = {team["name"] for team in told.get("teams", ())}
    for name in [team.name for team in teams if team.name not in used]:
        yield broken(
            f"the daemon works without team '{name}' (gh p2pcache logs says why)",
            "gh p2pcache restart; is the keyring locked?",
        )
    there = settings.in_force(env)
    has_team = bool(teams or there.secret)
    if told["state"] != "on":
        yield _not_on(told, has_team=has_team)
        return
    yield from _listening(told, there)
    if there.mdns or (there.mdns is None and has_team):
        yield _multicast()
    yield from _bootstrap({*there.bootstrap_peers, *(a for team in teams for a in team.bootstrap)})
    yield from _members(told, has_team=has_team)


def _not_on(told: dict[str, Any], *, has_team: bool) -> Finding:
    why = f": {told['why']}" if told.get("why") else ""
    match told["state"]:
        case "off":
            return ok(f"peers are off{why}")
        case "not installed" if not has_team:
            return ok(f"peers are not installed{why}: they are needed for a team only")
        case "not installed":
            return note(f"peers are not installed{why}", "gh p2pcache setup")
        case "starting":
            return note(f"peers are starting{why}", "gh p2pcache doctor again in some seconds")
        case _:
            return broken(f"peers do not run{why}", "gh p2pcache logs says why")


def _listening(told: dict[str, Any], there: Settings) -> Iterator[Finding]:
    port = told.get("port")
    if not port:
        yield note(
            "no port is open to other machines: this one dials only",
            "well on a hosted runner; else free CACHE_LISTEN_PORT and restart",
        )
        return
    error = _refusal("127.0.0.1", port)
    if error:
        yield broken(f"port {port} does not answer on this machine ({error})", "gh p2pcache logs")
    elif port != there.listen_port:
        yield note(
            f"port {there.listen_port} was taken: other machines find this one at {port}",
            "free it, or set CACHE_LISTEN_PORT; then gh p2pcache restart",
        )
    else:
        yield ok(f"other machines are heard on port {port}")


def _multicast() -> Finding:
    """Say whether members on the LAN can be found: the group of RFC 6762 can be joined."""
    names = sorted({name for _, name in socket.if_nameindex()} - {"lo", "lo0"})
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            group = socket.inet_aton(_MDNS_GROUP) + bytes(4)  # any interface
            probe.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    except OSError as error:
        return note(
            f"members on the LAN can't be found by mDNS ({error.strerror})",
            "name one: gh p2pcache config set bootstrap_peers /ip4/…/tcp/9100/p2p/ID",
        )
    return ok(f"members on the LAN are looked for by mDNS ({', '.join(names) or 'loopback'})")


def _bootstrap(addrs: set[str]) -> Iterator[Finding]:
    def refusal(addr: str) -> str:
        _, _, host, _, port, *_ = addr.split("/")
        return _refusal(host, int(port))

    if not addrs:
        return
    ordered = sorted(addrs)
    with ThreadPoolExecutor(len(ordered)) as pool:
        for addr, error in zip(ordered, pool.map(refusal, ordered), strict=True):
            _, _, host, _, port, *_ = addr.split("/")
            if error:
                yield note(
                    f"bootstrap member {host}, port {port}, is not reached: {error}",
                    f"is it up? does a firewall let TCP {port} through? {addr}",
                )
            else:
                yield ok(f"bootstrap member {host}, port {port}, accepts connections")


def _members(told: dict[str, Any], *, has_team: bool) -> Iterator[Finding]:
    members = [peer for peer in told["peers"] if not peer["banned"]]
    for problem in told.get("problems", ()):
        yield note(f"peers: {problem}", "gh p2pcache peers")
    for peer in told["peers"]:
        if peer["banned"]:
            what = f"peer {peer['id']} is banned: {peer['why']}"
            yield note(what, "tell its owner; to keep it out for good: gh p2pcache team rotate")
    if members:
        yield ok(f"members connected: {len(members)} ({_named(members)})")
    elif has_team:
        port = told.get("port") or "…"
        yield note(
            "no member is connected",
            f"let TCP {port} and, on the LAN, UDP 5353 through the firewalls; are the others up?"
            " or was the secret rotated? gh p2pcache team join with a new invite",
        )


def _named(members: Sequence[dict[str, Any]]) -> str:
    shown = [f"{peer['id']} since {moment(peer['since'])}" for peer in members[:_SHOWN]]
    return ", ".join([*shown, *(["…"] if len(members) > _SHOWN else [])])


def _refusal(host: str, port: int) -> str:
    """Return why no TCP connection comes about, "" if one does."""
    try:
        socket.create_connection((host, port), _PATIENCE).close()
    except TimeoutError:
        return "no answer; a firewall drops such connections"
    except OSError as error:
        return error.strerror or str(error)
    return ""
