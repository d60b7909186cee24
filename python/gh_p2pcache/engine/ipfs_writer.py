"""What goes to an IPFS node and leaves it again: as much of the store as a team shares."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from gh_p2pcache.engine.breaker import Breaker
from gh_p2pcache.engine.pins import Pins
from gh_p2pcache.origin.node import LARGEST, IpfsError, Node
from gh_p2pcache.store.journal import Journal
from gh_p2pcache.store.shared import read_shared, still_kept

MOST_QUEUED = 1_000
PAUSE_SECONDS = 0.05
"""After each blob that was put: 20 a second at most."""
LOOK_SECONDS = 15.0
LOOKED_AT = 1_000
"""Pins compared with the store every LOOK_SECONDS: 15 ms of work."""
_PINS_BYTES = 8 << 20


class IpfsWriter:
    """Puts what was announced, one after the other, and removes what the store has let go of.

    What the store keeps is asked of its files, not heard from it: whoever removed one, in whichever
    process, its blob goes. A blob that the node did not take is not tried again.
    """

    def __init__(self, pins: Path, records: Path) -> None:
        """`pins` is a file to remember by; `records` are the store's (CACHE_DIR/records)."""
        self._pins = Pins(Journal(pins, _PINS_BYTES, on_event=self._event))
        self._records = records
        self._count: Callable[[str], object] = lambda _: None
        self._failed: set[bytes] = set()
        """Noted as pinned, since the node may have it after all, so that it is unpinned one day."""
        self._queue: OrderedDict[bytes, tuple[bytes, str]] = OrderedDict()
        self._more = asyncio.Event()
        self._breaker = Breaker("writing to IPFS")

    @property
    def trouble(self) -> str:
        """Why nothing is written now, if so."""
        return self._breaker.trouble

    @property
    def pinned(self) -> int:
        """How many blobs are on the node."""
        return len(self._pins) - len(self._failed)

    def offer(self, scope: bytes, tag: str, sha256: bytes) -> bool:
        """Have a blob put, unless it was; False where too many wait for it already."""
        is_there = sha256 in self._pins and sha256 not in self._failed
        if is_there or sha256 in self._queue:
            return True
        if len(self._queue) >= MOST_QUEUED:
            return False
        self._queue[sha256] = scope, tag
        self._more.set()
        return True

    async def run(self, node: Node, count: Callable[[str], object]) -> None:
        """Write, for ever; `count` gets the names of events."""
        self._count = count
        await asyncio.to_thread(self._pins.load)
        look_at = 0.0
        while True:
            if self._queue and not self._breaker.resting:
                await self._put(node)
            else:
                self._more.clear()
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._more.wait(), LOOK_SECONDS)
            if time.monotonic() >= look_at:
                await self._tidy(node)
                look_at = time.monotonic() + LOOK_SECONDS

    async def _put(self, node: Node) -> None:
        sha256, (scope, tag) = self._queue.popitem(last=False)
        shared = await asyncio.to_thread(read_shared, self._records, scope, tag)
        if shared is None or shared.validation.digest != sha256:
            return
        if len(shared.blob) > LARGEST:
            self._count("ipfs_too_large")
            return
        await asyncio.to_thread(self._pins.add, sha256, tag)
        if await self._done(node.put(shared.blob)):
            self._failed.discard(sha256)
            self._count("ipfs_put")
        else:
            self._failed.add(sha256)
            self._count("ipfs_failed")
        await asyncio.sleep(PAUSE_SECONDS)

    async def _tidy(self, node: Node) -> None:
        gone = await asyncio.to_thread(self._gone)
        for sha256 in gone:
            if self._breaker.resting:
                return
            if await self._done(node.remove(sha256)):
                await asyncio.to_thread(self._pins.remove, sha256)
                self._failed.discard(sha256)
                self._count("ipfs_removed")
            else:
                self._count("ipfs_failed")

    def _gone(self) -> list[bytes]:
        looked_at = self._pins.some(LOOKED_AT)
        gone = [digest for digest, tag in looked_at if not still_kept(self._records, tag, digest)]
        return list(dict.fromkeys([*gone, *self._pins.excess()]))

    def _event(self, name: str) -> None:
        self._count(name)

    async def _done(self, work: Awaitable[None]) -> bool:
        try:
            await work
        except IpfsError as error:
            self._breaker.failed(str(error))
            return False
        self._breaker.succeeded()
        return True
