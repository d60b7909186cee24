"""How long one `find` may take: its deadline, and what may outlast it."""

from __future__ import annotations

from collections.abc import Callable

import trio

from gh_p2pcache.peer.leases import LIFE
from gh_p2pcache.peer.owner import WORD


class Patience:
    """`scope` ends at the deadline; `waiting` is called while something outlasts that."""

    def __init__(self, seconds: float, waiting: Callable[[], None]) -> None:
        self.seconds = seconds
        self._waiting = waiting
        self._began = trio.current_time()
        self._outlasting = trio.Event()
        self.scope = trio.CancelScope(deadline=self._began + seconds)

    @property
    def over(self) -> bool:
        """Whether it is the deadline that ends us, and not the gateway."""
        return trio.current_time() >= self.scope.deadline

    def extend(self, seconds: float) -> None:
        """Go on for so many seconds from now, but never past a lease's life."""
        end = min(trio.current_time() + seconds, self._began + LIFE)
        if end > self.scope.deadline:
            self._outlasting.set()
            self.scope.deadline = end

    async def excuse(self) -> None:
        """Tell the gateway every WORD to wait on, once this outlasts the deadline."""
        await self._outlasting.wait()
        while True:
            self._waiting()
            await trio.sleep(WORD)
