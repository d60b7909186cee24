"""What our own gateway has buried, over a restart of the peer process.

Members that have heard of it tell others; but a machine that writes while it sees nobody, and whose
peer process is killed before it meets a member again, is the only one that knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.message import parse
from gh_p2pcache.peer.messages import TO_PEER, Bury
from gh_p2pcache.peer.replica import DAY
from gh_p2pcache.store.journal import Journal, Row

MAX_BYTES = 1 << 20
"""Of the journal: some 30,000 burials of a mark or two."""


class Burials:
    """The burials of the last day, in a journal; `now` is GitHub's time in unix seconds."""

    def __init__(self, journal: Journal, now: Callable[[], float]) -> None:
        self._journal = journal
        self._now = now

    def load(self) -> list[Bury]:
        """Return what was buried, and forget what is too old to matter."""
        self._journal.rewrite(self._fresh)
        burials = map(_burial, self._journal.load())
        return [bury for bury in burials if bury is not None and self._matters(bury)]

    def add(self, scope: bytes, marks: Sequence[bytes], date: int) -> None:
        """Write a burial down; where there is no room for it, the old ones make some."""
        row = (scope, tuple(marks), date)
        if not self._journal.append(row):
            self._journal.rewrite(self._fresh)
            self._journal.append(row)

    def _fresh(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            bury = _burial(row)
            if bury is not None and self._matters(bury):
                yield row

    def _matters(self, bury: Bury) -> bool:
        return bury.date > self._now() - DAY


def _burial(row: Row) -> Bury | None:
    try:
        scope, marks, date = row
        made = parse({"t": Bury.kind, "scope": scope, "marks": marks, "date": date}, TO_PEER)
    except (ValueError, RejectedError):
        return None
    return made if isinstance(made, Bury) else None
