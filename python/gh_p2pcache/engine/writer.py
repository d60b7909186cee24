"""The store's writes, in the order they are asked for.

Small ones are done at once on the loop: handing 0.15 ms of work to a thread costs more than that,
as each of its ten system calls gives the interpreter's lock up and waits to get it back (misses:
228/s through a thread beside a busy loop, measured). Large ones, and all while the disk is slow, go
through one thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import inf

_LOG = logging.getLogger(__name__)
SMALL = 65536
"""Bytes of a body up to which its record is written, or read, on the loop."""

_SLOW_SECONDS = 0.05
_PATIENCE_SECONDS = 10.0
_MOST_QUEUED = 256


class Writer:
    """One writer; `do` returns when the work is done, or is sure to be done in order."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._queued = 0
        self._slow_at = -inf
        self._slow_until = -inf

    async def do(self, work: Callable[[], object], *, size: int, wait: bool) -> None:
        """Write `size` bytes; `wait`: what it replaces must be gone before this returns."""
        if size <= SMALL and not self._queued and time.monotonic() >= self._slow_until:
            began = time.monotonic()
            work()
            if (now := time.monotonic()) - began > _SLOW_SECONDS:
                self._was_slow(now)
            return
        self._queued += 1
        writing = asyncio.get_running_loop().run_in_executor(self._thread, work)
        writing.add_done_callback(self._written)
        if wait or self._queued > _MOST_QUEUED:
            await asyncio.shield(writing)

    def later(self, work: Callable[[], object]) -> None:
        """Write when there is time; nothing waits for it."""
        self._queued += 1
        writing = asyncio.get_running_loop().run_in_executor(self._thread, work)
        writing.add_done_callback(self._written)

    def close(self) -> None:
        """Wait for what is still to be written."""
        self._thread.shutdown(wait=True)

    def _was_slow(self, now: float) -> None:
        # Once may be anything: a busy machine that let another process run meanwhile.
        if now - self._slow_at < _PATIENCE_SECONDS:
            _LOG.info("the disk is slow: writes go through a thread for a while")
            self._slow_until = now + _PATIENCE_SECONDS
        self._slow_at = now

    def _written(self, writing: asyncio.Future[object]) -> None:
        self._queued -= 1
        if not writing.cancelled() and (error := writing.exception()) is not None:
            _LOG.error("a write of the store failed", exc_info=error)
