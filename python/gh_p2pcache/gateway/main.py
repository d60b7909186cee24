"""The gateway process: sockets from the supervisor, an engine behind them, a heartbeat back."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from gh_p2pcache import paths, published, settings
from gh_p2pcache.engine.assembly import House, build
from gh_p2pcache.engine.tombstones import Tombstones
from gh_p2pcache.errors import ConfigError, DaemonError, P2PCacheError
from gh_p2pcache.gateway.activity import Activity
from gh_p2pcache.gateway.app import App, Door, Receive, Scope, Send
from gh_p2pcache.gateway.board import PREFIX, Board
from gh_p2pcache.gateway.callers import Callers
from gh_p2pcache.gateway.calls import Calls
from gh_p2pcache.gateway.control import Control
from gh_p2pcache.gateway.hot import Hot
from gh_p2pcache.gateway.http_door import Opened, closed, open_http_door
from gh_p2pcache.gateway.notice import Notice
from gh_p2pcache.gateway.overlays import Overlays
from gh_p2pcache.gateway.peering import Peering, client_of, ipfs_of, why_off
from gh_p2pcache.gateway.seeing import Seeing
from gh_p2pcache.gateway.server import GRACE_SECONDS, Server
from gh_p2pcache.origin.upstream import LateOrigin
from gh_p2pcache.overlay.source import upstream_of
from gh_p2pcache.policy.freshness import Profile
from gh_p2pcache.teams import Team, load_teams

_LOG = logging.getLogger("gh_p2pcache.gateway")
_BEAT_SECONDS = 0.5
_SAVE_SECONDS = 5.0
_QUIET_SECONDS = 0.3
"""After the start, for the answers to those that wait for it."""

_DESCRIPTORS = 10240
"""macOS takes no more (OPEN_MAX); shells often start with 256 or 1024."""
_FOLLOW_SECONDS = 0.02
"""Within these a write is seen that the gateway before this one ends: gh takes longer to start."""
_NAP_SECONDS = 60.0
"""A timer stands still while a laptop sleeps; so long a secret may be used beyond its grace."""


class Gateway:
    """Routes each connection by the socket it came through; `doors` by the socket's file name."""

    board: App

    def __init__(self, doors: Mapping[str, App], http: App | None) -> None:
        self._doors = doors
        self._http = http or closed
        self.callers = Callers()

    def hot(self, address: str) -> Hot | None:
        """Return what answers hot hits of a Unix socket, if it is one of gh's."""
        door = self._doors.get(os.path.basename(address))  # noqa: PTH119 - for each connection
        return door.hot if isinstance(door, Door) else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3; uvicorn names a Unix listener by its bind path."""
        address, port = scope["server"]
        if port is None:
            app = self._doors[os.path.basename(address)]  # noqa: PTH119 - on the hit path
        elif scope["raw_target"].startswith(PREFIX):
            app = self.board
        else:
            app = self._http
        await app(scope, receive, send)


@dataclass(frozen=True)
class Front:
    """What answers, and what is looked after beside that."""

    server: Server
    doors: tuple[Door, ...]
    notice: Notice
    seeing: Seeing


def descriptors(env: Mapping[str, str]) -> dict[str, int]:
    """Parse GH_P2PCACHE_FDS, `ttl=FD,exact=FD,control=FD,heartbeat=FD`; raises ConfigError."""
    text = env.get("GH_P2PCACHE_FDS", "")
    try:
        pairs = (item.split("=") for item in text.split(","))
        found = {name: int(number) for name, number in pairs}
    except ValueError as error:
        raise ConfigError(f"GH_P2PCACHE_FDS is for the supervisor to set ('{text}')") from error
    if found.keys() != {"ttl", "exact", "control", "heartbeat"}:
        raise ConfigError("the gateway is started by the supervisor: gh p2pcache start")
    return found


async def serve(env: Mapping[str, str]) -> None:
    """Run until told to stop, idle for long enough, or left by the supervisor."""
    fds = descriptors(env)
    listeners = [socket.socket(fileno=fds[name]) for name in ("ttl", "exact", "control")]
    runtime = Path(listeners[0].getsockname()).parent
    configured = settings.in_force(env)
    if configured.upstream is None and (own := upstream_of(paths.gh_config_dir(env))) is not None:
        configured = replace(configured, upstream=own)
    for warning in configured.warnings:
        _LOG.warning("%s", warning)
    origin = LateOrigin(configured.upstream, env)
    teams = await asyncio.to_thread(load_teams, configured, _LOG.warning)
    off = why_off(configured, teams)
    client = None if off else client_of(configured, teams, runtime)
    ipfs = ipfs_of(configured, client, env)
    house = await build(configured, env, origin=origin, teams=teams, peers=ipfs or client)
    if client is not None:
        client.start(house.news.heard, house.members.trust.banned, house.stats.event)
    if ipfs is not None:
        ipfs.start(house.stats.event)
    http = open_http_door(configured, house.stats.event)
    overlays = Overlays(house, runtime, env)
    front = _front(house, overlays, runtime, Peering(house, client, off, ipfs), http)
    published.write(runtime / "settings", env, configured.effective)
    server = front.server
    beating = asyncio.create_task(_beat(front, fds["heartbeat"], house))
    preparing = asyncio.create_task(_prepare(origin))
    following = asyncio.create_task(_follow(house.desk.tombstones))
    renewing = asyncio.create_task(_renew_after_grace(configured.state_dir, teams))
    try:
        await server.serve(sockets=[*listeners, *([http.listener] if http.listener else [])])
    finally:
        beating.cancel()
        preparing.cancel()
        following.cancel()
        renewing.cancel()
        if ipfs is not None:
            await ipfs.close()
        if client is not None:
            await client.close()
        await house.close()


def _front(
    house: House, overlays: Overlays, runtime: Path, peering: Peering, opened: Opened
) -> Front:
    """Put what answers together: the doors for gh, the control socket, loopback TCP."""
    calls, activity = Calls(runtime / "calls"), Activity()
    ttl, exact = (Door(house.engine, calls, name, activity) for name in get_args(Profile))
    seeing, notice = Seeing(house, activity), Notice(runtime / "notice", house)
    control = Control(house, overlays, peering, seeing, http=opened, notice=notice)
    http = opened.door
    if http is not None:
        http.control, http.door = control, ttl
    doors: dict[str, App] = {"ttl.sock": ttl, "exact.sock": exact, "control.sock": control}
    gateway = Gateway(doors, http)
    server = Server(gateway)
    port = http.port if http else None
    gateway.board = control.board = Board(house.engine, activity, control.told, server.listen, port)
    return Front(server, (ttl, exact), notice, seeing)


async def _beat(front: Front, pipe: int, house: House) -> None:
    """Say `+` when ready, then `.` again and again; leave when nobody listens or all is idle."""
    server = front.server
    sign = b"+"
    saved = time.monotonic()
    while True:
        if server.started:
            try:
                os.write(pipe, sign)
            except OSError:
                if not server.should_exit:
                    _LOG.warning("the supervisor is gone; leaving")
                server.leave()
                return
            sign = b"."
        idle_exit = house.settings.idle_exit
        if idle_exit and min(door.idle_for() for door in front.doors) > idle_exit:
            server.leave()
            return
        front.notice.update()
        front.seeing.fold()
        if time.monotonic() - saved > _SAVE_SECONDS:
            saved = time.monotonic()
            await asyncio.to_thread(house.save)
        await asyncio.sleep(_BEAT_SECONDS if server.started else 0.002)


async def _prepare(origin: LateOrigin) -> None:
    """Have the first miss find its HTTP client imported, unless it comes before the quiet."""
    await asyncio.sleep(_QUIET_SECONDS)
    await origin.prepare()


async def _follow(tombstones: Tombstones) -> None:
    """Watch the writes that the gateway before this one may still have under way."""
    until = time.monotonic() + GRACE_SECONDS
    while tombstones.catch_up():
        if time.monotonic() > until:
            return
        await asyncio.sleep(_FOLLOW_SECONDS)


async def _renew_after_grace(state: Path, teams: Sequence[Team]) -> None:
    """Have the daemon start anew, without it, once a rotated secret is not to be used any more."""
    ends = [team.old_until for team in teams if team.old_secret]
    if not ends:
        return
    # Imported late: hardly any gateway needs it.
    from gh_p2pcache.supervisor.client import renew

    while True:
        left = min(ends) - time.time()
        if left <= 0:
            break
        await asyncio.sleep(min(left, _NAP_SECONDS))
    try:
        await asyncio.to_thread(renew, state)
    except DaemonError as error:
        _LOG.warning("a rotated secret is in use beyond its grace: %s", error)


def _raise_descriptors() -> None:
    """Take as many descriptors as the system lets us: two a call in flight."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _collect_seldom() -> None:
    """Look for cyclic garbage less often than Python does, and never in what is loaded by now.

    A record is some hundred objects: going through all that are kept took a sixth of each miss and
    60 ms at a time (p99 of misses, 16 at once; 27 like this, and no more memory).
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def main() -> int:
    """Run the gateway of the supervisor that started this process; returns an exit code."""
    import uvloop

    os.umask(0o077)
    # A core would hold tokens and bodies in the clear.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _raise_descriptors()
    _collect_seldom()
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%SZ",  # as supervisor/log.py writes it
        stream=sys.stderr,
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        uvloop.run(serve(dict(os.environ)))
    except P2PCacheError as error:
        _LOG.error("%s", error)
        return error.exit_code
    return 0
