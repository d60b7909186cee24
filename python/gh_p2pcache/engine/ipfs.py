"""An IPFS node behind the members: it may have what they know of when none of them is there.

Only sealed blobs of teams go there. Nothing waits for the node but a call that no member answered,
and that not beyond the members' deadline.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from gh_p2pcache.engine.breaker import Breaker
from gh_p2pcache.engine.ipfs_writer import IpfsWriter
from gh_p2pcache.engine.peers import Found, Offer, Peers
from gh_p2pcache.origin.node import IpfsError, Node
from gh_p2pcache.records.record import Validation

_LOG = logging.getLogger(__name__)

NAME = "IPFS"
"""Who handed a record over, in place of a peer's id."""

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
        writer: IpfsWriter | None,
        *,
        deadline: float,
    ) -> None:
        """`make` is called in a thread and may raise OSError; no `writer`: the node only reads.

        `deadline` is that of a question to the members, in seconds.
        """
        self._peers = peers
        self._make = make
        self._writer = writer
        self._deadline = deadline
        self._node: Node | None = None
        self._count: Callable[[str], object] = lambda _: None
        self._teams: set[bytes] = set()
        self._breaker = Breaker("reading from IPFS")
        self._working: asyncio.Task[None] | None = None

    def start(self, count: Callable[[str], object], *, quiet: float = _QUIET_SECONDS) -> None:
        """Begin after `quiet` seconds; `count` gets the names of events."""
        self._count = count
        self._working = asyncio.create_task(self._work(quiet))
        self._working.add_done_callback(self._ended)

    async def close(self) -> None:
        """Leave the node to itself; what is still to be put is not."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait({self._working})
        if self._node is not None:
            await self._node.close()

    def summary(self) -> dict[str, object]:
        """Return the state in a word, why, and how many blobs are on the node."""
        trouble = self._breaker.trouble
        if self._writer is not None:
            trouble = self._writer.trouble or trouble
        return {
            "state": "failed" if trouble else "on",
            "why": trouble,
            "pinned": self._writer.pinned if self._writer is not None else 0,
        }

    # ---- Peers

    @property
    def wanted(self) -> bool:
        """See Peers."""
        return self._peers.wanted

    @property
    def members(self) -> int:
        """See Peers; the node counts as one."""
        return self._peers.members + (self._node is not None and not self._breaker.resting)

    async def find(self, scope: bytes, tag: str, *, have: bytes, after: int) -> Found:
        """See Peers; what members know of and none hands over is asked of the node."""
        until = time.monotonic() + self._deadline
        found = await self._peers.find(scope, tag, have=have, after=after)
        known = found.known
        if found.offer is not None or known is None or scope not in self._teams:
            return found
        if known.digest == have:
            return found
        blob = await self._get(known.digest, until - time.monotonic())
        return found if blob is None else replace(found, offer=Offer(known, blob, NAME))

    def announce(self, scope: bytes, tag: str, validation: Validation, size: int) -> None:
        """See Peers; then the node gets it too."""
        self._peers.announce(scope, tag, validation, size)
        if self._writer is None or scope not in self._teams:
            return
        if not self._writer.offer(scope, tag, validation.digest):
            self._count("ipfs_left_out")

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
        """See Peers; a scope without a name is a single token's, which is no business of a node."""
        if name:
            self._teams.add(scope)
        self._peers.know(scope, member_key, topic_key, name)

    # ---- the node

    async def _get(self, sha256: bytes, seconds: float) -> bytes | None:
        if self._node is None or seconds < _LEAST_SECONDS or not self._breaker.admits():
            return None
        try:
            blob = await self._node.get(sha256, seconds)
        except IpfsError as error:
            self._count("ipfs_failed")
            self._breaker.failed(str(error))
            return None
        self._breaker.succeeded()
        self._count("ipfs_absent" if blob is None else "ipfs_fetched")
        return blob

    async def _work(self, quiet: float) -> None:
        await asyncio.sleep(quiet)
        try:
            self._node = await asyncio.to_thread(self._make)
        except OSError as error:
            self._count("ipfs_failed")
            self._breaker.trouble = str(error)
            _LOG.warning("IPFS is left out: %s", error)
            return
        if self._writer is not None:
            await self._writer.run(self._node, self._count)

    def _ended(self, working: asyncio.Task[None]) -> None:
        if not working.cancelled() and (error := working.exception()) is not None:
            self._count("internal_error")
            _LOG.error("an error of ours: nothing more goes to IPFS", exc_info=error)
