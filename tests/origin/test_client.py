"""The way out when GitHub, or the machine between, ends connections as it likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gh_p2pcache.errors import OriginError
from gh_p2pcache.origin.client import Origin
from gh_p2pcache.records.message import Request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Forgetful:
    """Promises to keep each connection alive and drops it without an answer at its second request.

    That is what a pooled connection that died of idleness looks like from here.
    """

    def __init__(self) -> None:
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests.append(head)
        if b"content-length: 2" in head.lower():
            await reader.readexactly(2)
        writer.write(OK)
        await writer.drain()
        if await reader.read(1):
            self.requests.append(b"unanswered")
        writer.close()


@asynccontextmanager
async def forgetful() -> AsyncIterator[tuple[Forgetful, Origin]]:
    server = Forgetful()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    origin = Origin(f"http://127.0.0.1:{port}", {})
    try:
        yield server, origin
    finally:
        await origin.close()
        listening.close()


async def ask(origin: Origin, method: str, *, reuse: bool, body: bytes = b"") -> bytes:
    request = Request(method, "api.github.com", "/x", (), body)
    async with origin.open(request, reuse=reuse) as streamed:
        return b"".join([chunk async for chunk in streamed.chunks])


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_read_survives_a_pooled_connection_that_died(method: str) -> None:
    async with forgetful() as (server, origin):
        body = b"{}" if method == "POST" else b""
        assert await ask(origin, method, reuse=True, body=body) == b"ok"
        assert await ask(origin, method, reuse=True, body=body) == b"ok"
        assert b"unanswered" in server.requests, "the test did meet a dead connection"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_write_never_meets_one(method: str) -> None:
    async with forgetful() as (server, origin):
        await ask(origin, "GET", reuse=True)
        assert await ask(origin, method, reuse=False, body=b"{}") == b"ok"
        assert b"unanswered" not in server.requests


async def test_an_error_names_the_host_and_no_path() -> None:
    origin = Origin("http://127.0.0.1:1", {})
    with pytest.raises(OriginError, match=r"api\.github\.com could not be reached") as raised:
        await ask(origin, "GET", reuse=True)
    await origin.close()
    assert "/x" not in str(raised.value)
