"""What several machines were asked and answered, and whether it keeps the promises.

Times are seconds of one monotonic clock, dates GitHub's own. A version is a number that each write
of a subject counts up; a key's answer shows that of its subject.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar


@dataclass(frozen=True, slots=True)
class Read:
    """An answer of 200 to one of the keys."""

    machine: str
    token: str
    key: str
    began: float
    ended: float
    version: int
    date: int
    body: bytes
    source: str = ""


@dataclass(frozen=True, slots=True)
class Write:
    """A write that GitHub answered with 200 through a machine."""

    machine: str
    subject: str
    began: float
    ended: float
    version: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that got no answer."""

    machine: str
    began: float
    ended: float
    why: str


Ended = TypeVar("Ended", Read, Write)


@dataclass
class History:
    """All that happened; `sent` are the bodies that GitHub had for a key, `may` who may see it.

    `killed` is when a machine's gateway was killed and answered again.
    """

    sent: dict[str, set[bytes]]
    may: set[tuple[str, str]]
    subject: dict[str, str]
    reads: list[Read] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    killed: list[tuple[str, float, float]] = field(default_factory=list)

    def wrong(self) -> list[str]:
        """Return what breaks promises 1, 2, 3 or 5 of the design, nothing where all are kept."""
        return [
            *self._not_sent(),
            *self._backwards(),
            *self._own_writes_unseen(),
            *self._failed(),
        ]

    def _not_sent(self) -> Iterator[str]:
        """Promise 1: bytes that GitHub sent for this key, to a principal that may see them."""
        for read in self.reads:
            ours = read.body in self.sent[read.key]
            if (read.token, read.key) not in self.may:
                if ours:
                    yield f"1: {read.token} may not see {_told(read)}"
            elif not ours:
                yield f"1: GitHub never sent {_told(read)}: {read.body[:200]!r}"

    def _backwards(self) -> Iterator[str]:
        """Promise 2: never older than what this principal got on this machine before."""
        alike: defaultdict[tuple[str, str, str], list[Read]] = defaultdict(list)
        for read in self._seen():
            alike[read.machine, read.token, read.key].append(read)
        for reads in alike.values():
            for earlier, later in _before(reads, reads, lambda read: read.version):
                if later.version < earlier.version:
                    yield f"2: {_told(later)} after {_told(earlier)}"
            for earlier, later in _before(reads, reads, lambda read: read.date):
                if later.date < earlier.date:
                    yield f"2: {_told(later)} after {_told(earlier)}"

    def _own_writes_unseen(self) -> Iterator[str]:
        """Promise 3: what was written through a machine is seen by its later reads."""
        for machine in {write.machine for write in self.writes}:
            for subject in set(self.subject.values()):
                writes = [w for w in self.writes if (w.machine, w.subject) == (machine, subject)]
                reads = [
                    read
                    for read in self._seen()
                    if read.machine == machine and self.subject[read.key] == subject
                ]
                for write, read in _before(writes, reads, lambda write: write.version):
                    if read.version < write.version:
                        yield f"3: {_told(read)} after version {write.version} was written"

    def _failed(self) -> Iterator[str]:
        """Promise 5: no call fails but those in flight where a gateway was killed."""
        for failure in self.failures:
            excused = any(
                machine == failure.machine and failure.began <= until and since <= failure.ended
                for machine, since, until in self.killed
            )
            if not excused:
                yield f"5: a call through {failure.machine} failed: {failure.why}"

    def _seen(self) -> Iterable[Read]:
        return [read for read in self.reads if (read.token, read.key) in self.may]


def _before(
    first: Sequence[Ended], then: Sequence[Read], rank: Callable[[Ended], int]
) -> Iterator[tuple[Ended, Read]]:
    """Yield each of `then` with the highest of `first` that had ended before it began."""
    waiting = deque(sorted(first, key=lambda one: one.ended))
    highest: Ended | None = None
    for read in sorted(then, key=lambda one: one.began):
        while waiting and waiting[0].ended < read.began:
            one = waiting.popleft()
            highest = one if highest is None else max(highest, one, key=rank)
        if highest is not None:
            yield highest, read


def _told(read: Read) -> str:
    return (
        f"{read.key} for {read.token} on {read.machine}: version {read.version} of {read.date}"
        f" ({read.source}, {read.began:.3f} to {read.ended:.3f})"
    )
