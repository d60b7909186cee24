"""The small GitHub on sockets: an ASGI app, and uvicorn on several listeners at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Iterator
from typing import Any, cast

from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gh_p2pcache.records.message import Headers, Request
from gh_p2pcache.sim.control import control, state
from gh_p2pcache.sim.reply import PATTERN, Outcome
from gh_p2pcache.sim.sim import Sim

KEPT_BODY = 16 * 1024 * 1024
"""Larger uploads are counted, not kept."""


class SimProtocol(HttpToolsProtocol):
    """HTTP/1.1 that shows the app the raw target, and its connection, to break it."""

    def on_headers_complete(self) -> None:
        """Put both where the app finds them; `raw_path` has lost an empty query's `?`."""
        more = {"sim.target": self.url.decode("latin-1"), "sim.transport": self.transport}
        cast("dict[str, Any]", self.scope).update(more)
        super().on_headers_complete()


class SimServer(Server):
    """A uvicorn server that leaves signals to whoever runs several of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class App:
    """The ASGI application around a Sim."""

    def __init__(self, sim: Sim) -> None:
        self.sim = sim

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        body, size = await _body(receive)
        target: str = scope["sim.target"]
        if target.startswith("/_sim/"):
            await _send(send, *self._control(target, body))
            return
        headers: Headers = tuple(scope["headers"])
        host = next((value for name, value in headers if name == b"host"), b"").decode("latin-1")
        request = Request(scope["method"], host.lower(), target, headers, body)
        outcome = self.sim.respond(request, uploaded=size)
        if outcome.delay:
            await asyncio.sleep(outcome.delay)
        await _play(outcome, scope["sim.transport"], receive, send)

    def _control(self, path: str, body: bytes) -> tuple[int, bytes]:
        try:
            if path == "/_sim/state":
                return 200, json.dumps(state(self.sim)).encode()
            if path == "/_sim/control":
                control(self.sim, json.loads(body))
                return 200, b"{}"
        except (ValueError, KeyError, TypeError) as problem:
            return 400, json.dumps({"message": f"{type(problem).__name__}: {problem}"}).encode()
        return 404, b"{}"


async def _body(receive: Any) -> tuple[bytes, int]:
    """Return the request's body (empty if it is too large to keep) and its size."""
    kept, size = bytearray(), 0
    while True:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= KEPT_BODY:
            kept += chunk
        if not message.get("more_body"):
            return (bytes(kept) if size <= KEPT_BODY else b""), size


async def _send(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _play(outcome: Outcome, transport: Any, receive: Any, send: Any) -> None:
    """Send an outcome, or what is left of it."""
    if outcome.fault == "down":
        transport.abort()
        return
    if outcome.fault == "timeout":
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    headers = outcome.headers
    await send({"type": "http.response.start", "status": outcome.status, "headers": headers})
    broken = outcome.fault == "die"
    body = outcome.body[: len(outcome.body) // 2] if broken else outcome.body
    streamed = outcome.stream // 2 if broken else outcome.stream
    await send({"type": "http.response.body", "body": body, "more_body": broken or streamed > 0})
    while streamed > 0:
        chunk = PATTERN[:streamed]
        streamed -= len(chunk)
        more = broken or streamed > 0
        await send({"type": "http.response.body", "body": chunk, "more_body": more})
    if broken:
        transport.close()


def config(sim: Sim, tls: tuple[str, str] | None = None) -> Config:
    """Return uvicorn's configuration; `tls` is (certificate file, key file)."""
    made = Config(
        App(sim),
        http=SimProtocol,
        loop="uvloop",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_level="warning",
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
        backlog=2048,
    )
    made.load()
    if tls is not None:
        made.ssl = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.ssl.load_cert_chain(*tls)
    return made
