"""What waits to be gossiped in one scope: news in batches, burials at once (no IO, no clock)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import TypeVar

from gh_p2pcache.peer.messages import Batch, Proof, Tombstone, ValidationRow

PAGE = 512
"""Announcements, and as many of everything else, in a message: below 128 kB, half of what fits."""
MOST = 8_192
"""Of each kind; the oldest are left to anti-entropy."""

_K = TypeVar("_K")
_V = TypeVar("_V")


class Outbox:
    """Newest of each tag, of each mark and of each proof, in the order they came."""

    def __init__(self) -> None:
        self._announcements: OrderedDict[bytes, ValidationRow] = OrderedDict()
        self._tombstones: OrderedDict[bytes, Tombstone] = OrderedDict()
        self._undecided: OrderedDict[bytes, bytes] = OrderedDict()
        self._proofs: OrderedDict[tuple[bytes, bytes], Proof] = OrderedDict()

    @property
    def urgent(self) -> bool:
        """Whether there are burials."""
        return bool(self._tombstones or self._undecided)

    @property
    def waiting(self) -> int:
        """How many announcements and proofs the next `news` has."""
        return min(PAGE, len(self._announcements)) + min(PAGE, len(self._proofs))

    def announce(self, row: ValidationRow) -> None:
        """Add an announcement."""
        _add(self._announcements, row.tag, row)

    def bury(self, marks: Iterable[bytes], date: int) -> None:
        """Add a burial; date 0: a write that nobody answered."""
        for mark in marks:
            if date:
                _add(self._tombstones, mark, Tombstone(mark, date))
            else:
                _add(self._undecided, mark, mark)

    def prove(self, items: Iterable[Proof]) -> None:
        """Add access proofs."""
        for item in items:
            _add(self._proofs, (item.who, item.what), item)

    def burials(self) -> Batch:
        """Take the next burials."""
        undecided, tombstones = _take(self._undecided), _take(self._tombstones)
        return Batch(tombstones=tombstones, undecided=undecided)

    def news(self) -> Batch:
        """Take the next announcements and proofs."""
        return Batch(announcements=_take(self._announcements), proofs=_take(self._proofs))


def _add(queue: OrderedDict[_K, _V], key: _K, value: _V) -> None:
    queue.pop(key, None)
    queue[key] = value
    if len(queue) > MOST:
        queue.popitem(last=False)


def _take(queue: OrderedDict[_K, _V]) -> tuple[_V, ...]:
    return tuple(queue.popitem(last=False)[1] for _ in range(min(PAGE, len(queue))))
