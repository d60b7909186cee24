"""The way out to GitHub as the engine sees it, and one that takes its time to get ready.

aiohttp costs 120 ms to import and the system's CAs 25 ms to load: a daemon that has just started
answers hits meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from gh_p2pcache.records.message import Headers, Request


@dataclass(slots=True)
class Streamed:
    """An answer whose head is here and whose body is still coming, in its content coding."""

    status: int
    headers: Headers
    chunks: AsyncIterator[bytes]


class Upstream(Protocol):
    """What sends requests to GitHub; see `client.Origin`."""

    def open(
        self,
        request: Request,
        body: AsyncIterator[bytes] | None = None,
        *,
        reuse: bool = True,
        silence: float | None = None,
    ) -> AbstractAsyncContextManager[Streamed]:
        """Send `request` and yield the answer's head; raises OriginError."""

    async def close(self) -> None:
        """Close every connection."""


class LateOrigin:
    """`client.Origin`, imported and made in a thread at the first use or by `prepare`."""

    def __init__(self, upstream: str | None, env: Mapping[str, str] | None = None) -> None:
        self._arguments = upstream, env
        self._origin: Upstream | None = None
        self._making: asyncio.Future[Upstream] | None = None

    async def prepare(self) -> Upstream:
        """Return the origin, once it is there."""
        if self._making is None:
            self._making = asyncio.ensure_future(asyncio.to_thread(_make, *self._arguments))
        self._origin = await asyncio.shield(self._making)
        return self._origin

    def open(
        self,
        request: Request,
        body: AsyncIterator[bytes] | None = None,
        *,
        reuse: bool = True,
        silence: float | None = None,
    ) -> AbstractAsyncContextManager[Streamed]:
        """See Upstream."""
        opened = self._open_first if self._origin is None else self._origin.open
        return opened(request, body, reuse=reuse, silence=silence)

    @asynccontextmanager
    async def _open_first(
        self,
        request: Request,
        body: AsyncIterator[bytes] | None,
        *,
        reuse: bool,
        silence: float | None,
    ) -> AsyncIterator[Streamed]:
        origin = await self.prepare()
        async with origin.open(request, body, reuse=reuse, silence=silence) as streamed:
            yield streamed

    async def close(self) -> None:
        """Close every connection."""
        if self._making is not None:
            await (await self._making).close()


def _make(upstream: str | None, env: Mapping[str, str] | None) -> Upstream:
    from gh_p2pcache.origin.client import Origin

    origin = Origin(upstream, env)
    if upstream is None or upstream.startswith("https://"):
        with suppress(OSError):  # each call says so, as OriginError
            _ = origin.tls
    return origin
