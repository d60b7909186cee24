"""The ASGI app behind gh's two sockets: read a request, ask the engine, send its answer."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing, suppress
from typing import Any, TypeVar

from gh_p2pcache.engine.answer import Answer, own_error
from gh_p2pcache.engine.call import Call
from gh_p2pcache.engine.flow import Engine
from gh_p2pcache.errors import OriginError
from gh_p2pcache.gateway.activity import Activity
from gh_p2pcache.gateway.calls import Calls
from gh_p2pcache.gateway.hot import Hot
from gh_p2pcache.policy.freshness import Profile
from gh_p2pcache.records.message import Headers, Request

T = TypeVar("T")
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_LOG = logging.getLogger(__name__)
_HOST = re.compile(rb"(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(?::\d{1,5})?")
_HUNG_UP = "the client hung up in the middle of its request"
QUERY_LIMIT = 1 << 20
"""Largest GraphQL document, in bytes, that is read to be understood; a larger one is passed on."""


class BadRequest(Exception):  # noqa: N818 - the name of the status
    """A request that HTTP allows no sense to be made of."""


class Door:
    """One way in: turns ASGI events of one profile's socket into engine calls and back."""

    def __init__(self, engine: Engine, calls: Calls, profile: Profile, activity: Activity) -> None:
        self._engine = engine
        self._calls = calls
        self._profile = profile
        self._activity = activity
        self.hot = Hot(engine, activity)
        self._busy = 0
        self._last_used = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        self._busy += 1
        self._last_used = time.monotonic()
        try:
            await self._serve(scope, receive, send)
        except BadRequest as error:
            await deliver(own_error(400, str(error)), scope, receive, send)
        except OriginError as error:
            # In the middle of a body only a broken connection can say so.
            _LOG.warning("%s", error)
            self._engine.stats.event("broken_off")
            scope["transport"].close()
            await _disconnected(receive)
        finally:
            self._busy -= 1

    def idle_for(self) -> float:
        """Return the seconds since anybody came through this door; 0 while somebody is inside."""
        if self._busy or self.hot.used:
            self.hot.used = False
            self._last_used = time.monotonic()
        return time.monotonic() - self._last_used

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, size = self._activity.clock(), 0
        request, body = _request(scope), None
        if _has_body(request):
            request, body = await _with_body(request, receive)
        call = await self._engine.prepare(request, self._profile, scope["caller"])
        if call.wishes.mode == "explain":
            await deliver(await self._engine.explain(call), scope, receive, send)
            return
        given = await self._answer(call, body, receive)
        if given is None:
            return
        try:
            size = await deliver(given, scope, receive, send)
        finally:
            source = "absent" if given.absent else given.source.lower()
            self._activity.add(call, source, given.status, began, size)

    async def _answer(
        self, call: Call, body: AsyncIterator[bytes] | None, receive: Receive
    ) -> Answer | None:
        """Return the answer; None when the client hung up while GitHub was asked for it alone."""
        if call.plan.action == "keep" and body is None:
            self.hot.learn(call)
            given = await self._read(call)
        elif body is None and not call.plan.writes:
            passed = await while_connected(receive, self._engine.forward(call, None))
            if passed is None:
                return None
            given = passed
        else:
            given = await self._engine.forward(call, body)
        if call.wishes.call is not None:
            self._calls.note(call.wishes.call, call.request.target, given)
        return given

    async def _read(self, call: Call) -> Answer:
        """Read through the cache; a bug of ours must not fail what GitHub would have answered."""
        try:
            return await self._engine.read(call)
        except Exception:  # noqa: BLE001 - whatever it is, the way to GitHub is still open
            _LOG.exception("an error of ours; the call goes to GitHub past the cache")
            self._engine.stats.event("internal_error")
            return await self._engine.forward(call, None)


def _request(scope: Scope) -> Request:
    if scope["http_version"] != "1.1":
        raise BadRequest("HTTP/1.1 is spoken here")
    headers: Headers = tuple(scope["headers"])
    if sum(name == b"authorization" for name, _ in headers) > 1:
        raise BadRequest("two Authorization fields name no one")
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1 or not _HOST.fullmatch(host := hosts[0].lower()):
        raise BadRequest("exactly one valid Host field is needed")
    target = scope["raw_target"].decode("latin-1")
    if not target.startswith("/"):
        raise BadRequest("the target must be in origin form")
    return Request(scope["method"], host.decode().removesuffix(":443"), target, headers)


def _has_body(request: Request) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in request.headers
    )


async def _with_body(
    request: Request, receive: Receive
) -> tuple[Request, AsyncIterator[bytes] | None]:
    """Return the request with a GraphQL body read; any other body is left to be streamed."""
    if request.method != "POST" or not request.target.partition("?")[0].endswith("/graphql"):
        return request, _body(b"", receive)
    body = bytearray()
    while len(body) <= QUERY_LIMIT:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise OriginError(_HUNG_UP)
        body += event.get("body", b"")
        if not event.get("more_body"):
            whole = Request(
                request.method, request.host, request.target, request.headers, bytes(body)
            )
            return whole, None
    return request, _body(bytes(body), receive)


async def _body(first: bytes, receive: Receive) -> AsyncIterator[bytes]:
    if first:
        yield first
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise OriginError(_HUNG_UP)
        if event.get("body"):
            yield event["body"]
        if not event.get("more_body"):
            return


async def deliver(given: Answer, scope: Scope, receive: Receive, send: Send) -> int:
    """Send an answer and return its body's bytes.

    A client that hangs up in the middle of a stream ends the download too. A whole answer goes by
    `scope["write_whole"]` where the server takes it. Raises OriginError when GitHub breaks off.
    """
    headers = given.headers
    if given.status in {204, 304}:
        headers = tuple(field for field in headers if field[0] != b"content-length")
    if given.stream is None and scope["write_whole"](given.status, headers, given.body):
        return len(given.body)
    start = {"type": "http.response.start", "status": given.status, "headers": headers}
    await send(start)
    if given.stream is None:
        await send({"type": "http.response.body", "body": given.body})
        return len(given.body)
    return await while_connected(receive, _pump(given.stream, send)) or 0


async def _pump(stream: AsyncGenerator[bytes, None], send: Send) -> int:
    size = 0
    async with aclosing(stream):
        async for chunk in stream:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            size += len(chunk)
    await send({"type": "http.response.body", "body": b""})
    return size


async def while_connected(receive: Receive, work: Coroutine[Any, Any, T]) -> T | None:
    """Return what `work` gives; None, and it is cancelled, when the client hangs up before."""
    doing = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({doing, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        doing.cancel()
    with suppress(asyncio.CancelledError):
        return await doing
    return None


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
