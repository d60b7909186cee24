"""Ask one after another without waiting for the slow: the first answer wins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import trio

T = TypeVar("T")
Attempt = Callable[[], Awaitable[T | None]]


async def hedged(
    attempts: Sequence[Attempt[T]],
    delay: float,
    discard: Callable[[T], Awaitable[None]] | None = None,
) -> T | None:
    """Return the first result that is not None; the other attempts are cancelled.

    The next attempt starts when the one before has failed (returned None), or `delay` seconds
    after it started. A result that comes too late is given to `discard`.
    """
    race = _Race(delay, discard)
    try:
        async with trio.open_nursery() as nursery:
            race.start(nursery, list(attempts))
    except BaseException:  # cancelled just when the first result was there
        await race.drop()
        raise
    return race.first


class _Race(Generic[T]):
    def __init__(self, delay: float, discard: Callable[[T], Awaitable[None]] | None) -> None:
        self.first: T | None = None
        self._delay = delay
        self._discard = discard

    def start(self, nursery: trio.Nursery, attempts: list[Attempt[T]]) -> None:
        if attempts and self.first is None:
            nursery.start_soon(self._run, nursery, attempts[0], attempts[1:])

    async def drop(self) -> None:
        """Discard the first result too: who asked for it is not there any more."""
        if self.first is not None and self._discard is not None:
            with trio.CancelScope(shield=True):
                await self._discard(self.first)

    async def _run(
        self, nursery: trio.Nursery, attempt: Attempt[T], later: list[Attempt[T]]
    ) -> None:
        failed = trio.Event()
        nursery.start_soon(self._next, nursery, failed, later)
        result = await attempt()
        if result is None:
            failed.set()
        elif self.first is None:
            self.first = result
            nursery.cancel_scope.cancel()
        elif self._discard is not None:
            with trio.CancelScope(shield=True):
                await self._discard(result)

    async def _next(
        self, nursery: trio.Nursery, failed: trio.Event, later: list[Attempt[T]]
    ) -> None:
        with trio.move_on_after(self._delay):
            await failed.wait()
        self.start(nursery, later)
