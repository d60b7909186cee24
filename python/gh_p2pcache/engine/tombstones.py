"""Which records a write has buried, in the order that GitHub's Date gives.

A tombstone is a tag and a GitHub date: a record that carries the tag is dead unless it was
fetched or validated later (at equal dates the tombstone wins, since Date has whole seconds).
"""

from __future__ import annotations

import itertools
import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from gh_p2pcache.engine.clock import Clock
from gh_p2pcache.records.seal import ScopeKeys
from gh_p2pcache.store.journal import Journal, Row

UNDECIDED_SECONDS = 60
"""A write that got no answer has no GitHub date: what it may touch is not kept for so long."""

REPLICA_LAG_SECONDS = 10.0
"""GitHub's replicas may answer with the state before a write for a moment after it."""

_MOST = 100_000
_SHARED = ("repo:", "site:", "elsewhere:")
"""Tags that peers are told of; node ids and repository numbers resolve to one of these before."""
_EVERYTHING = b"everything"
_LOG = logging.getLogger(__name__)

Mark = bytes
"""A tag's pseudonym: nothing on disk tells which repositories a user works with."""


@dataclass(frozen=True, slots=True)
class Write:
    """A write on its way; `id` joins its beginning and its end in the journal.

    `tags` are what peers are to be told of it.
    """

    id: int
    marks: frozenset[Mark]
    tags: frozenset[str] = frozenset()


class Tombstones:
    """All tombstones of this machine, and the writes in flight; they survive a restart."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        *,
        pseudonym: Callable[[bytes], bytes],
        keep: float,
        forget_records: Callable[[], object],
        telling: Callable[[Iterable[str]], Iterable[ScopeKeys]],
    ) -> None:
        """`forget_records` empties the store: what to do when a burial cannot be written down.

        `telling` returns the scopes whose members tell of writes to what carries these tags.

        `tell` (set by who knows the peers) is given the tags of each write and GitHub's date of it,
        0 for one that nobody answered.
        """
        self._journal = journal
        self._clock = clock
        self._keep = keep
        self._forget_records = forget_records
        self._dates: dict[Mark, int] = {}
        self._flying: dict[Mark, int] = {}
        self._moved: dict[Mark, int] = {}
        self._moved_all = 0
        self._written: dict[Mark, float] = {}
        self._undecided: list[tuple[Write, float]] = []
        self._awaited: set[int] = set()
        self._ids = itertools.count(secrets.randbits(48))
        self.mark: Callable[[str], Mark] = lru_cache(16384)(lambda tag: pseudonym(tag.encode()))
        self._shared_mark: Callable[[ScopeKeys, str], Mark] = lru_cache(16384)(
            lambda keys, tag: keys.pseudonym(b"tag " + tag.encode())
        )
        self._telling = telling
        self._marks_in = lru_cache(1024)(self._all_marks)  # a miss asks thrice
        self.tell: Callable[[frozenset[str], int], None] | None = None
        self.generation = 0
        self._load()

    def marks(self, tags: Iterable[str]) -> tuple[Mark, ...]:
        """Return the pseudonyms of `tags`."""
        return tuple(self.mark(tag) for tag in tags)

    def shared_marks(self, keys: ScopeKeys, tags: Iterable[str]) -> tuple[Mark, ...]:
        """Return the pseudonyms by which members of a scope tell each other of a write."""
        shared = (tag for tag in tags if tag.startswith(_SHARED))
        return tuple(self._shared_mark(keys, tag) for tag in shared)

    def everything(self, keys: ScopeKeys) -> Mark:
        """Return the mark of all records in a scope."""
        return self._shared_mark(keys, "")

    def marks_in(self, keys: ScopeKeys, tags: Iterable[str]) -> tuple[Mark, ...]:
        """Return all pseudonyms under which a write buries what carries `tags` in a scope.

        Also those of the teams that tell of writes to its repositories: private records lie in the
        token's own scope, and two teams may name a repository.
        """
        return self._marks_in(keys, tuple(tags))

    def begin(self, tags: Iterable[str]) -> Write:
        """Bury what a write may change, from before it is sent; older fills are not kept."""
        tags = frozenset(tags)
        write = Write(next(self._ids), frozenset(self.marks(tags)), tags)
        self._write_down(("begin", write.id, tuple(write.marks)))
        for mark in write.marks:
            self._flying[mark] = self._flying.get(mark, 0) + 1
        self._move(write.marks)
        return write

    def end(self, write: Write, date: int | None, more_tags: Iterable[str] = ()) -> None:
        """Bury what a successful write changed as of GitHub's `date`; None: it got no answer.

        Without an answer there is no date: it counts as under way for UNDECIDED_SECONDS, and for
        as long as nobody has told GitHub's time, since ours may be wrong.
        """
        if date is None:
            self._undecided.append((write, self._clock.now() + UNDECIDED_SECONDS))
            self._move(write.marks)
            self._tell(write.tags, 0)
            return
        more_tags = frozenset(more_tags)
        marks = write.marks | frozenset(self.marks(more_tags))
        self._tell(write.tags | more_tags, date)
        self._write_down(("end", write.id, tuple(marks), date))
        self._bury(marks, date)
        self._land(write)
        self._move(marks)

    def refused(self, write: Write) -> None:
        """Lift what `begin` buried: GitHub said that the write did nothing."""
        self._write_down(("end", write.id, (), 0))
        self._land(write)

    def bury(self, tags: Iterable[str], date: int) -> None:
        """Bury what a token may no longer see, as of GitHub's `date`."""
        marks = self.marks(tags)
        self._write_down(("end", 0, tuple(marks), date))
        self._bury(marks, date)
        self._move(marks)

    def purge(self, tags: Iterable[str]) -> None:
        """Bury all that is held under these tags by now, as a write that nobody answered would."""
        write = replace(self.begin(tags), tags=frozenset())
        self._undecided.append((write, self._clock.now()))

    def learn(self, marks: Iterable[Mark], date: int) -> None:
        """Bury what another machine of a scope wrote, as of GitHub's `date`.

        0: nobody answered it. A date from the future counts as a minute ahead at most, or whoever
        has a wrong clock would keep everything from being kept here.
        """
        marks = frozenset(marks)
        if not date:
            write = Write(next(self._ids), marks)
            self._write_down(("begin", write.id, tuple(marks)))
            self._fly(write, UNDECIDED_SECONDS)
            self._move(marks)
            return
        date = min(date, int(self._clock.github_now()) + 60)
        if all(self._dates.get(mark, -1) >= date for mark in marks):
            return
        self._write_down(("end", 0, tuple(marks), date))
        self._bury(marks, date)
        self._move(marks)

    def catch_up(self) -> bool:
        """Bury what has ended that was under way when this began; tell whether more may.

        The gateway of before a restart goes on with what it has begun: an upload of minutes.
        """
        for row in self._journal.poll() if self._awaited else ():
            match row:
                case ("end", int(id_), tuple(marks), int(date)) if id_ in self._awaited:
                    self._awaited.remove(id_)
                    self._bury(marks, date)
                    self._move(marks)
        return bool(self._awaited)

    def buried(self, marks: Iterable[Mark], date: int) -> bool:
        """Tell whether a record with these marks, validated at GitHub's `date`, is dead."""
        if self._undecided:
            self._settle()
        dates, flying = self._dates, self._flying
        if _EVERYTHING in flying or dates.get(_EVERYTHING, -1) >= date:
            return True
        return any(mark in flying or dates.get(mark, -1) >= date for mark in marks)

    def recently_written(self, marks: Iterable[Mark]) -> bool:
        """Tell whether a write to one of these ended within the replicas' lag."""
        if not self._written:
            return False
        since = self._clock.now() - REPLICA_LAG_SECONDS
        return any(self._written.get(mark, 0.0) > since for mark in marks)

    def epoch(self, marks: Iterable[Mark]) -> int:
        """Return a number that every write to one of these moves, at its start and its end."""
        if not self._moved:
            return self._moved_all
        return max((self._moved.get(mark, 0) for mark in marks), default=0) or self._moved_all

    def _all_marks(self, keys: ScopeKeys, tags: tuple[str, ...]) -> tuple[Mark, ...]:
        scopes = {keys, *self._telling(tags)}
        shared = (mark for scope in scopes for mark in self.shared_marks(scope, tags))
        return (*self.marks(tags), *shared, *map(self.everything, scopes))

    def _tell(self, tags: frozenset[str], date: int) -> None:
        if self.tell is not None and tags:
            self.tell(tags, date)

    def _settle(self) -> None:
        """Give undecided writes a date once their time is up and GitHub's time is known."""
        if not self._clock.knows_github:
            return
        now = self._clock.now()
        due = [pair for pair in self._undecided if pair[1] <= now]
        self._undecided = [pair for pair in self._undecided if pair[1] > now]
        for write, until in due:
            date = int(self._clock.latest_now() - (now - until))
            self._tell(write.tags, date)
            self._write_down(("given up", write.id, tuple(write.marks), date))
            self._bury(write.marks, date)
            self._land(write)

    def _move(self, marks: Iterable[Mark]) -> None:
        self.generation += 1
        for mark in marks:
            self._moved[mark] = self.generation

    def _bury(self, marks: Iterable[Mark], date: int) -> None:
        at = self._clock.now() - max(self._clock.github_now() - date, 0.0)
        for mark in marks:
            self._dates[mark] = max(date, self._dates.get(mark, 0))
            self._written[mark] = max(at, self._written.get(mark, 0.0))

    def _land(self, write: Write) -> None:
        for mark in write.marks:
            self._flying[mark] -= 1
            if not self._flying[mark]:
                del self._flying[mark]
        self._move(write.marks)

    def _write_down(self, row: Row) -> None:
        """Journal a row. A burial that a restart would not know of buries everything now."""
        if self._journal.append(row):
            if len(self._dates) > _MOST or len(self._moved) > _MOST:
                self._compact()
            return
        self._compact()
        if not self._journal.append(row):
            _LOG.warning("a write could not be noted on disk: the records are forgotten")
            self._forget_records()

    def _compact(self) -> None:
        """Forget tombstones older than anything that could be served; too many become one."""
        oldest = self._clock.github_now() - self._keep
        dates = {mark: date for mark, date in self._dates.items() if date > oldest}
        if len(dates) > _MOST // 2:
            dates = {_EVERYTHING: max(dates.values())}
        self._dates = dates
        since = self._clock.now() - REPLICA_LAG_SECONDS
        self._written = {mark: at for mark, at in self._written.items() if at > since}
        self._moved, self._moved_all = {}, self.generation

        def keep(rows: list[Row]) -> Iterable[Row]:
            _, unfinished = _fold(rows)
            yield from (("begin", id_, marks) for id_, marks in unfinished.items())
            yield from (("end", 0, (mark,), date) for mark, date in dates.items())

        self._journal.rewrite(keep)

    def _load(self) -> None:
        """Take over what was buried before; a write whose end is missing got no answer.

        Where nothing can be written the last run could not write either, so all is buried.
        """
        self._dates, unfinished = _fold(self._journal.load())
        for id_, marks in unfinished.items():
            self._fly(Write(id_, frozenset(marks)), UNDECIDED_SECONDS)
        self._awaited = set(unfinished)
        self._compact()
        if not self._journal.append(("end", 0, (), 0)):
            self._fly(Write(next(self._ids), frozenset({_EVERYTHING})), 0)

    def _fly(self, write: Write, seconds: float) -> None:
        """Count a write as under way for so long, and until GitHub's time is known."""
        for mark in write.marks:
            self._flying[mark] = self._flying.get(mark, 0) + 1
        self._undecided.append((write, self._clock.now() + seconds))


def _fold(rows: Iterable[Row]) -> tuple[dict[Mark, int], dict[int, tuple[Mark, ...]]]:
    """Return the newest date of each mark, and the marks of writes that have no end."""
    dates: dict[Mark, int] = {}
    unfinished: dict[int, tuple[Mark, ...]] = {}
    for row in rows:
        match row:
            case ("begin", int(id_), tuple(marks)):
                unfinished[id_] = marks
            case ("end" | "given up", int(id_), tuple(marks), int(date)):
                unfinished.pop(id_, None)
                for mark in marks:
                    dates[mark] = max(date, dates.get(mark, 0))
    return dates, unfinished
