"""An IPFS node beside the members: it keeps what a team shares, and has it when nobody is there.

Only sealed blobs of teams go there, each after its record was announced, and are removed once the
store has let go of them. Nothing waits for the node but a call that no member answered, and that
not beyond the members' deadline.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from gh_p2pcache.engine.breaker import Breaker
from gh_p2pcache.engine.peers import Found, Offer, Peers
from gh_p2pcache.engine.pins import Pins
from gh_p2pcache.origin.node import IpfsError, Node
from gh_p2pcache.records.record import Validation
from gh_p2pcache.store.shared import Shared, read_shared, still_kept

NAME = "IPFS"
"""Who handed a record over, in place of a peer's id."""

MOST_QUEUED = 1_000
PAUSE_SECONDS = 0.05
"""After each write: at most 20 a second."""
LOOK_SECONDS = 15.0
LOOKED_AT = 1_000
"""Pins compared with the store every LOOK_SECONDS: 15 ms of work."""
_QUIET_SECONDS = 1.0
"""After the start, for the answers to those that wait for it."""
_LEAST_SECONDS = 0.01
"""Less is not worth a question."""


class WithIpfs:
    """`Peers`, and an IPFS node behind them."""

    def __init__(
        self,
        peers: Peers,
        make: Callable[[], Node],
        pins: Pins,
        records: Path,
        *,
        deadline: float,
        writes: bool,
    ) -> None:
        """`make` is called in a thread; `records` are the store's; `writes`: the node takes some.

        `deadline` is that of a question to the members, in seconds.
        """
        self._peers = peers
        self._make = make
        self._pins = pins
        self._records = records
        self._deadline = deadline
        self._writes = writes
        self._node: Node | None = None
        self._count: Callable[[str], object] = lambda _: None
        self._teams: set[bytes] = set()
        self._queue: OrderedDict[bytes, tuple[bytes, str]] = OrderedDict()
        self._more = asyncio.Event()
        self._reading = Breaker("reading from IPFS")
        self._writing = Breaker("writing to IPFS")
        self._working: asyncio.Task[None] | None = None

    def start(self, count: Callable[[str], object]) -> None:
        """Begin; `count` gets the names of events."""
        self._count = count
        self._working = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Leave the node to itself; what is still queued is not put."""
        if self._working is not None:
            self._working.cancel()
            with suppress(asyncio.CancelledError):
                await self._working
        if self._node is not None:
            await self._node.close()

    def summary(self) -> dict[str, object]:
        """Return how it is, for `status`."""
        trouble = self._writing.trouble or self._reading.trouble
        return {
            "state": "failed" if trouble else "on",
            "why": trouble,
            "pinned": len(self._pins),
            "queued": len(self._queue),
        }

    # ---- Peers

    @property
    def wanted(self) -> bool:
        """See Peers."""
        return self._peers.wanted

    @property
    def members(self) -> int:
        """See Peers: the node is as good as one."""
        return self._peers.members + (self._node is not None and not self._reading.resting)

    async def find(self, scope: bytes, tag: str, *, have: bytes, after: int) -> Found:
        """See Peers; what members know of and none hands over is asked of the node."""
        until = time.monotonic() + self._deadline
        found = await self._peers.find(scope, tag, have=have, after=after)
        known = found.known
        if found.offer is not None or known is None or known.digest == have:
            return found
        blob = await self._get(known.digest, until - time.monotonic())
        return found if blob is None else replace(found, offer=Offer(known, blob, NAME))

    def announce(self, scope: bytes, tag: str, validation: Validation, size: int) -> None:
        """See Peers; then have the node keep it too."""
        self._peers.announce(scope, tag, validation, size)
        if not self._writes or scope not in self._teams or validation.digest in self._pins:
            return
        if len(self._queue) >= MOST_QUEUED:
            self._count("ipfs_left_out")
            return
        self._queue[validation.digest] = scope, tag
        self._more.set()

    def release(self, scope: bytes, tag: str) -> None:
        """See Peers."""
        self._peers.release(scope, tag)

    def bury(self, scope: bytes, marks: Sequence[bytes], date: int) -> None:
        """See Peers."""
        self._peers.bury(scope, marks, date)

    def proofs(self, scope: bytes, items: Sequence[tuple[bytes, bytes, int]]) -> None:
        """See Peers."""
        self._peers.proofs(scope, items)

    def ban(self, signer: bytes, why: str) -> None:
        """See Peers."""
        self._peers.ban(signer, why)

    def know(self, scope: bytes, member_key: bytes, topic_key: bytes, name: str) -> None:
        """See Peers; scopes without a name are single tokens' and no business of a node."""
        if name:
            self._teams.add(scope)
        self._peers.know(scope, member_key, topic_key, name)

    # ---- the node

    async def _get(self, sha256: bytes, seconds: float) -> bytes | None:
        if self._node is None or seconds < _LEAST_SECONDS or not self._reading.admits():
            return None
        try:
            blob = await self._node.get(sha256, seconds)
        except IpfsError as error:
            self._count("ipfs_failed")
            self._reading.failed(str(error))
            return None
        self._reading.succeeded()
        self._count("ipfs_absent" if blob is None else "ipfs_fetched")
        return blob

    async def _work(self) -> None:
        """Put what is announced and remove what is gone, for ever."""
        await asyncio.sleep(_QUIET_SECONDS)
        self._node = await asyncio.to_thread(self._make)
        if not self._writes:
            return
        await asyncio.to_thread(self._pins.load)
        look_at = 0.0
        while True:
            if self._queue and not self._writing.resting:
                await self._put(*self._queue.popitem(last=False))
            else:
                self._more.clear()
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._more.wait(), LOOK_SECONDS)
            if time.monotonic() >= look_at:
                await self._tidy()
                look_at = time.monotonic() + LOOK_SECONDS

    async def _put(self, sha256: bytes, place: tuple[bytes, str]) -> None:
        node, (scope, tag) = self._node, place
        shared = await asyncio.to_thread(read_shared, self._records, scope, tag)
        if shared is None or shared.validation.digest != sha256:
            return
        if not _fits(shared):
            self._count("ipfs_too_large")
            return
        await asyncio.to_thread(self._pins.add, sha256, tag)
        if await self._wrote(node.put(shared.blob)):
            self._count("ipfs_put")

    async def _tidy(self) -> None:
        """Remove from the node what the store no longer keeps."""
        looked_at = self._pins.some(LOOKED_AT)
        gone = await asyncio.to_thread(self._gone, looked_at)
        for sha256 in dict.fromkeys([*gone, *self._pins.excess()]):
            if self._writing.resting:
                return
            if await self._wrote(self._node.remove(sha256)):
                await asyncio.to_thread(self._pins.remove, sha256)
                self._count("ipfs_removed")
