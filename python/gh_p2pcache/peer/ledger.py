"""The newest row of each key, as a set that any two members can bring to the same state.

Merging is taking the newer row: order, repetition and loss on the way don't matter. Every row has a
fingerprint, every bucket of them the exclusive or of its fingerprints, so that two ledgers find
what differs by comparing BUCKETS numbers. No IO, no clock of its own.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

import msgpack  # type: ignore[import-untyped]

from gh_p2pcache.peer.clock import AHEAD
from gh_p2pcache.peer.wire_messages import BUCKETS, PRINT_SIZE

Row = TypeVar("Row", bound=tuple[Any, ...])
Print = bytes


class Ledger(Generic[Row]):
    """At most `most` rows, none older than `keep` seconds; over it the oldest go.

    `identify` gives a row's key and its GitHub date. `summary`, where there is one, makes the row
    that stands for all rows up to a date: what must not be forgotten is summed up instead.
    """

    def __init__(
        self,
        identify: Callable[[Row], tuple[Any, int]],
        now: Callable[[], float],
        *,
        most: int,
        keep: float,
        summary: Callable[[int], Row] | None = None,
    ) -> None:
        self._identify = identify
        self._now = now
        self._most = most
        self._keep = keep
        self._summary = summary
        self._summary_key = None if summary is None else identify(summary(0))[0]
        self._rows: dict[Any, tuple[int, Print, Row]] = {}
        self._keys: dict[Print, Any] = {}
        self._buckets: list[set[Print]] = [set() for _ in range(BUCKETS)]
        self._digests = [0] * BUCKETS
        self._oldest: list[tuple[int, Print]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, row: Row) -> bool:
        """Take a row; False when it is no news: known, outdated, expired or from the future."""
        key, date = self._identify(row)
        now = self._now()
        if not now - self._keep < date <= now + AHEAD or self._summed_up(key, date):
            return False
        fingerprint = print_of(row)
        known = self._rows.get(key)
        if known is not None and known[:2] >= (date, fingerprint):
            return False
        self._insert(key, date, fingerprint, row)
        if key == self._summary_key:
            self._forget_up_to(date)
        self._bound()
        return key in self._rows

    def get(self, key: object) -> Row | None:
        """Return the row of a key."""
        entry = self._rows.get(key)
        return None if entry is None else entry[2]

    def rows(self) -> list[Row]:
        """Return all rows that have not expired, oldest first."""
        self._expire()
        return [row for _, _, row in sorted(self._rows.values(), key=lambda entry: entry[:2])]

    def digests(self) -> bytes:
        """Return the digest of every bucket."""
        self._expire()
        return b"".join(digest.to_bytes(PRINT_SIZE, "big") for digest in self._digests)

    def prints(self, bucket: int) -> frozenset[Print]:
        """Return the fingerprints of all rows in a bucket."""
        return frozenset(self._buckets[bucket])

    def pick(self, prints: Iterable[Print]) -> list[Row]:
        """Return the rows with these fingerprints, as far as they are still here."""
        keys = (self._keys.get(fingerprint) for fingerprint in prints)
        return [self._rows[key][2] for key in keys if key is not None]

    def __contains__(self, fingerprint: Print) -> bool:
        return fingerprint in self._keys

    def _summed_up(self, key: Any, date: int) -> bool:
        summed = self._rows.get(self._summary_key) if self._summary else None
        return summed is not None and key != self._summary_key and date <= summed[0]

    def _insert(self, key: Any, date: int, fingerprint: Print, row: Row) -> None:
        self._remove(key)
        self._rows[key] = (date, fingerprint, row)
        self._keys[fingerprint] = key
        bucket = _bucket_of(fingerprint)
        self._buckets[bucket].add(fingerprint)
        self._digests[bucket] ^= int.from_bytes(fingerprint, "big")
        heapq.heappush(self._oldest, (date, fingerprint))
        if len(self._oldest) > 2 * len(self._rows) + 64:
            self._oldest = [(entry[0], entry[1]) for entry in self._rows.values()]
            heapq.heapify(self._oldest)

    def _remove(self, key: Any) -> None:
        entry = self._rows.pop(key, None)
        if entry is None:
            return
        fingerprint = entry[1]
        del self._keys[fingerprint]
        bucket = _bucket_of(fingerprint)
        self._buckets[bucket].discard(fingerprint)
        self._digests[bucket] ^= int.from_bytes(fingerprint, "big")

    def _expire(self) -> None:
        self._forget_up_to(int(self._now() - self._keep), also_summary=True)

    def _forget_up_to(self, date: int, *, also_summary: bool = False) -> None:
        kept = []
        while self._oldest and self._oldest[0][0] <= date:
            entry = heapq.heappop(self._oldest)
            key = self._keys.get(entry[1])
            if key is not None and (also_summary or key != self._summary_key):
                self._remove(key)
            elif key is not None:
                kept.append(entry)
        for entry in kept:
            heapq.heappush(self._oldest, entry)

    def _bound(self) -> None:
        """Make room by forgetting the oldest row, or an eighth of them where they are summed up."""
        if len(self._rows) > self._most:
            self._expire()
        if self._summary is not None and len(self._rows) > self._most:
            dates = (entry[0] for key, entry in self._rows.items() if key != self._summary_key)
            by_age = sorted(dates)
            self.put(self._summary(by_age[len(by_age) // 8]))
            return
        while len(self._rows) > self._most:
            key = self._keys.get(heapq.heappop(self._oldest)[1])
            if key is not None:
                self._remove(key)


def print_of(row: tuple[Any, ...]) -> Print:
    """Return the fingerprint of a row, the same on every machine."""
    return hashlib.sha256(msgpack.packb(row)).digest()[:PRINT_SIZE]


def _bucket_of(fingerprint: Print) -> int:
    return fingerprint[0] % BUCKETS
