"""The daemon's own socket: health, metrics, and what the commands ask of a running daemon."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from gh_p2pcache import __version__, paths
from gh_p2pcache.engine import upkeep
from gh_p2pcache.engine.assembly import House
from gh_p2pcache.errors import P2PCacheError, UsageError
from gh_p2pcache.gateway.app import Receive, Scope, Send
from gh_p2pcache.gateway.board import Board
from gh_p2pcache.gateway.http_door import Opened
from gh_p2pcache.gateway.notice import Notice
from gh_p2pcache.gateway.overlays import Overlays
from gh_p2pcache.gateway.peering import Peering
from gh_p2pcache.gateway.seeing import Seeing, query_of
from gh_p2pcache.records.message import Headers
from gh_p2pcache.records.seal import ScopeKeys

_LOG = logging.getLogger(__name__)
_BODY_LIMIT = 1 << 20
Json = dict[str, Any]


class Control:
    """ASGI app for the commands: what there is, is in `_get` and `_post`, and /metrics."""

    board: Board

    def __init__(
        self,
        house: House,
        overlays: Overlays,
        peering: Peering,
        seeing: Seeing,
        *,
        http: Opened,
        notice: Notice,
    ) -> None:
        self._seeing = seeing
        self._house = house
        self._overlays = overlays
        self._peering = peering
        self._http = http
        self._notice = notice
        self._since = time.time()
        self._get: dict[str, Callable[[], Awaitable[Json]]] = {
            "/health": self._health,
            "/stats": self._stats,
            "/status": self._status,
            "/peers": peering.report,
        }
        self._post: dict[str, Callable[[Json, Headers], Awaitable[Json]]] = {
            "/purge": self._purge,
            "/verify": self._verify,
            "/forget": self._forget,
            "/overlay": self._overlay,
            "/peers/add": self._add_peer,
            "/dashboard": self._dashboard,
            "/peers/unban": self._unban,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one control request with JSON (metrics: Prometheus text)."""
        status, kind, body = await self._answer(scope, receive)
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, bytes, bytes]:
        method, path = scope["method"], scope["path"]
        try:
            if method == "GET" and path == "/metrics":
                return 200, b"text/plain; version=0.0.4; charset=utf-8", await self._metrics()
            if method == "GET" and (told := await self.told(path, scope["query_string"])):
                return 200, b"application/json", _dump(told)
            if method == "POST" and path in self._post:
                asked = await _json(receive)
                given = await self._post[path](asked, tuple(scope["headers"]))
                return 200, b"application/json", _dump(given)
        except P2PCacheError as error:
            return 400, b"application/json", _dump({"error": str(error)})
        except Exception:  # noqa: BLE001 - said in the answer and in the log
            _LOG.exception("an error of ours at %s", path)
            self._house.stats.event("internal_error")
            return 500, b"application/json", _dump({"error": "an error of ours; see the log"})
        return 404, b"application/json", _dump({"error": f"{method} {path} is not answered here"})

    async def told(self, path: str, query: bytes) -> Json | None:
        """Return what GET `path` says, None where there is no such path. Raises UsageError."""
        if path in self._get:
            return await self._get[path]()
        if path in self._seeing.paths:
            return self._seeing.paths[path](query_of(query))
        return None

    async def _health(self) -> Json:
        return {"status": "ok", "version": __version__, "pid": os.getpid()}

    async def _stats(self) -> Json:
        usage = await asyncio.to_thread(self._house.desk.shelf.disk.usage)
        return self._house.stats.as_dict() | {
            "store": {"records": usage.records, "bytes": usage.bytes}
        }

    async def _status(self) -> Json:
        house = self._house
        budgets = [
            {"token": token, "site": site} | asdict(budget)
            for token, site, budget in house.engine.budgets.known()
        ]
        no_store = paths.unusable("cache directory", house.settings.cache_dir)
        warnings = (*house.settings.warnings, *self._http.warnings, no_store)
        return {
            "version": __version__,
            "pid": os.getpid(),
            "since": self._since,
            "cache_dir": str(house.settings.cache_dir),
            "state_dir": str(house.settings.state_dir),
            "upstream": house.settings.upstream,
            "team": bool(house.desk.teams.all),
            "http_url": self._http.door.url if self._http.door else None,
            "budgets": budgets,
            "limited_until": house.engine.budgets.limited_until(),
            "notice": self._notice.text(),
            "warnings": [warning for warning in warnings if warning],
            "store": (await self._stats())["store"],
            "peers": self._peering.summary(),
            "ipfs": self._peering.ipfs(),
        }

    async def _metrics(self) -> bytes:
        from gh_p2pcache.gateway.metrics import exposition

        stats = await self._stats()
        return await asyncio.to_thread(exposition, stats, self._house.engine.budgets.known())

    async def _ring(self, headers: Headers) -> list[ScopeKeys]:
        """Return all known keys; a token in the control request introduces itself."""
        principals = self._house.engine.principals
        await principals.of(headers)
        return upkeep.ring(self._house.desk, principals, self._house.machine)

    async def _purge(self, asked: Json, headers: Headers) -> Json:
        desk = self._house.desk
        match asked:
            case {"all": True}:
                return {"removed": await upkeep.purge_all(desk)}
            case {"repo": str(name), "site": str(site)}:
                ring = await self._ring(headers)
                return {"removed": await upkeep.purge_repo(desk, ring, site, name)}
            case {"pattern": str(pattern)}:
                ring = await self._ring(headers)
                return {"removed": await upkeep.purge_matching(desk, ring, pattern)}
        raise UsageError("purge takes all, a repository or a pattern")

    async def _add_peer(self, asked: Json, headers: Headers) -> Json:
        del headers
        match asked:
            case {"addr": str(addr)}:
                return await self._peering.add(addr)
        raise UsageError("peers add takes an address")

    async def _unban(self, asked: Json, headers: Headers) -> Json:
        del headers
        match asked:
            case {"id": str(peer)}:
                return self._peering.unban(peer)
        raise UsageError("peers unban takes a peer id")

    async def _dashboard(self, asked: Json, headers: Headers) -> Json:
        del asked, headers
        return await self.board.open()

    async def _verify(self, asked: Json, headers: Headers) -> Json:
        del asked
        return dict(await upkeep.verify(self._house.desk, await self._ring(headers)))

    async def _forget(self, asked: Json, headers: Headers) -> Json:
        del asked
        principals = self._house.engine.principals
        return {"removed": await upkeep.forget_token(self._house.desk, principals, headers)}

    async def _overlay(self, asked: Json, headers: Headers) -> Json:
        del headers
        return await self._overlays.make(asked)


async def _json(receive: Receive) -> Json:
    body = bytearray()
    while len(body) <= _BODY_LIMIT:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body"):
            break
    try:
        asked = json.loads(bytes(body) or b"{}")
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the request is not JSON: {error}") from error
    if not isinstance(asked, dict):
        raise UsageError("the request is not a JSON object")
    return asked


def _dump(value: Json) -> bytes:
    return json.dumps(value, indent=2).encode() + b"\n"
