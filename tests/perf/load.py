"""A small HTTP/1.1 load generator over a Unix socket or loopback TCP: keep-alive connections."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import httptools
import uvloop


@dataclass
class Result:
    """What a run measured; latencies in seconds, in the order the answers came."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, part: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


class _Client(asyncio.Protocol):
    """One connection that sends the next request when an answer is complete."""

    def __init__(self, requests: list[bytes], until: float, result: Result) -> None:
        self._requests = requests
        self._until = until
        self._result = result
        self._sent = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def _next(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._began = time.perf_counter()
        self._transport.write(self._requests[self._sent % len(self._requests)])
        self._sent += 1

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        now = time.perf_counter()
        status = self._parser.get_status_code()
        self._result.latencies.append(now - self._began)
        self._result.statuses[status] = self._result.statuses.get(status, 0) + 1
        if now < self._until:
            asyncio.get_running_loop().call_soon(self._next)
        else:
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


def request(target: str, *, token: str, host: str = "api.github.com", extra: str = "") -> bytes:
    """Return the bytes of a GET as gh 2.103 sends it, but for the connection kept alive."""
    return (
        f"GET {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: GitHub CLI 2.103.3\r\n"
        f"Accept: */*\r\nAuthorization: token {token}\r\nContent-Type: application/json\r\n"
        f"Time-Zone: UTC\r\n{extra}Accept-Encoding: gzip\r\n\r\n"
    ).encode()


async def run(socket: str, requests: list[list[bytes]], seconds: float) -> Result:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    result = Result(seconds)
    clients = []
    for each in requests:
        _, client = await loop.create_unix_connection(
            lambda each=each: _Client(each, began + seconds, result), socket
        )
        clients.append(client)
    await asyncio.gather(*(client.done for client in clients))
    result.seconds = time.perf_counter() - began
    return result


def load(socket: str, requests: list[bytes], *, connections: int, seconds: float) -> Result:
    """Send `requests` round and round on each of `connections` for `seconds`."""
    return uvloop.run(run(socket, [requests] * connections, seconds))
