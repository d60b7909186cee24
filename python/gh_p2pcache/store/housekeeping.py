"""When a store is counted and when it evicts, so that its bound holds and nobody waits for it."""

from __future__ import annotations

import logging
import threading
import time

from gh_p2pcache.store.locks import Locks
from gh_p2pcache.store.report import Reporter
from gh_p2pcache.store.shards import Shards
from gh_p2pcache.store.usage import Count, UsageTable

_log = logging.getLogger(__name__)

_RECOUNT_AFTER = 3600.0
_PATIENCE = 1.0
"""Seconds to wait for another process that evicts."""


class Housekeeping:
    """Keeps the records within `room` bytes of disk blocks."""

    def __init__(
        self, room: int, shards: Shards, locks: Locks, table: UsageTable, report: Reporter
    ) -> None:
        self.room = room
        # An eighth goes at a time: 100,000 files are looked at for 12,500 that go.
        self._target = room - room // 8
        self._nearly_full = room - room // 16
        self._shards = shards
        self._locks = locks
        self._table = table
        self._report = report
        self._running = threading.Lock()

    def can_hold(self, size: int) -> bool:
        """Tell whether a file of `size` bytes is one that others should make room for."""
        return size <= self._target

    def make_room(self, size: int) -> None:
        """Evict until `size` more bytes have room. Raises OSError."""
        try:
            with self._locks.held("evict", timeout=_PATIENCE):
                if self._table.read().usage.bytes + size > self.room:
                    self._evict(min(self._target, self.room - size))
        except TimeoutError:
            _log.debug("another process evicts and has not done yet")

    def look_at(self, count: Count) -> None:
        """Recount and evict where `count` says it is time, in a thread; one at a time."""
        if not (self._is_nearly_full(count) or self._is_stale(count)):
            return
        if self._running.acquire(blocking=False):
            try:
                threading.Thread(target=self._run, name="store", daemon=True).start()
            except RuntimeError as error:  # no thread to be had, or Python is about to leave
                self._running.release()
                self._report("write_failed", error)

    def _run(self) -> None:
        try:
            with self._locks.held("evict", timeout=0):
                if self._is_stale(self._table.read()):
                    self._shards.recount()
                if self._is_nearly_full(self._table.read()):
                    self._evict(self._target)
        except TimeoutError:
            _log.debug("another process does it")
        except OSError as error:
            self._report("write_failed", error)
        finally:
            self._running.release()

    def _is_nearly_full(self, count: Count) -> bool:
        return count.usage.bytes > self._nearly_full

    def _is_stale(self, count: Count) -> bool:
        return not 0 <= time.time() - count.counted_at <= _RECOUNT_AFTER

    def _evict(self, target: int) -> None:
        for _ in range(self._shards.evict(target)):
            self._report.count("evicted")
