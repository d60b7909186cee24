"""Room for so much at a time: in all, and for each peer, so that none can take it from the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import trio


class Quota:
    """A number of things, or of bytes, that may be in hand at a time.

    Who wants more than a peer may ever have is given all that it may have.
    """

    def __init__(self, total: int, each: int) -> None:
        self._total = total
        self._each = min(each, total)
        self._used = 0
        self._by_peer: Counter[str] = Counter()
        self._queue = trio.lowlevel.ParkingLot()

    def has_room(self, peer: str, amount: int) -> bool:
        """Tell whether `amount` can be held now."""
        amount = min(amount, self._each)
        fits = self._used + amount <= self._total
        return fits and self._by_peer[peer] + amount <= self._each

    async def room(self, peer: str, amount: int) -> None:
        """Wait until there is room for `amount`."""
        while not self.has_room(peer, amount):
            await self._queue.park()

    @contextmanager
    def hold(self, peer: str, amount: int) -> Iterator[None]:
        """Hold `amount` for the length of the block."""
        amount = min(amount, self._each)
        self._used += amount
        self._by_peer[peer] += amount
        try:
            yield
        finally:
            self._used -= amount
            self._by_peer[peer] -= amount
            if not self._by_peer[peer]:
                del self._by_peer[peer]
            self._queue.unpark_all()

    @asynccontextmanager
    async def take(self, peer: str, amount: int = 1) -> AsyncIterator[None]:
        """Wait for room, then hold it."""
        await self.room(peer, amount)
        with self.hold(peer, amount):
            yield
