"""All that one member knows of a scope and tells other members: what anti-entropy compares."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from gh_p2pcache.peer.clock import AHEAD
from gh_p2pcache.peer.fields import UNDECIDED_LIFE
from gh_p2pcache.peer.ledger import Ledger
from gh_p2pcache.peer.rows import Claim, Proof, Tombstone, Undecided

DAY = 86_400.0
"""Seconds that everything is kept: no record that is older is served, stale or not."""
MOST_TOMBSTONES = 8_192
MOST_PROOFS = 8_192
MOST_CLAIMS = 8_192
MOST_UNDECIDED = 256
"""Bounds of one scope: 0.4, 0.6 and 0.9 kB each (measured), 15 MB were all full. A day of a busy
team has some hundred writes; the newest claims are what a late joiner is asked for."""

EVERYTHING = bytes(16)
"""The mark that every record of the scope carries: more tombstones than fit become one."""


@dataclass(frozen=True, slots=True)
class News:
    """What was not known before."""

    tombstones: tuple[Tombstone, ...] = ()
    undecided: tuple[bytes, ...] = ()
    proofs: tuple[Proof, ...] = ()
    claims: tuple[Claim, ...] = ()


class Replica:
    """Tombstones, proofs, claims and undecided writes; `now` is GitHub's time in unix seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.tombstones: Ledger[Tombstone] = Ledger(
            lambda row: (row.mark, row.date),
            now,
            most=MOST_TOMBSTONES,
            keep=DAY,
            summary=lambda date: Tombstone(EVERYTHING, date),
        )
        self.proofs: Ledger[Proof] = Ledger(
            lambda row: ((row.who, row.what), row.date), now, most=MOST_PROOFS, keep=DAY
        )
        self.claims: Ledger[Claim] = Ledger(
            lambda row: ((row.holder, row.validation.tag), row.validation.date),
            now,
            most=MOST_CLAIMS,
            keep=DAY,
        )
        self._undecided: dict[bytes, float] = {}

    @property
    def ledgers(self) -> tuple[Ledger[Any], Ledger[Any], Ledger[Any]]:
        """All three, in the order of the messages: what kills before what is killed."""
        return self.tombstones, self.proofs, self.claims

    def learn(
        self,
        tombstones: Iterable[Tombstone] = (),
        proofs: Iterable[Proof] = (),
        claims: Iterable[Claim] = (),
        undecided: Iterable[Undecided] = (),
    ) -> News:
        """Take what another says, and return what of it is new.

        A tombstone from the future is always news and never kept: it may be our clock that is slow,
        and a write that is not heard of would be worse than one that is made up.
        """
        summed = self.tombstones.get(EVERYTHING)
        future = self._now() + AHEAD
        buried = tuple(r for r in tombstones if r.date > future or self.tombstones.put(r))
        now_summed = self.tombstones.get(EVERYTHING)
        if now_summed is not None and now_summed != summed:
            buried = (*buried, now_summed)
        return News(
            buried,
            tuple(row.mark for row in undecided if self._note_undecided(row.mark, row.left)),
            tuple(row for row in proofs if self.proofs.put(row)),
            tuple(row for row in claims if self.claims.put(row)),
        )

    def write_undecided(self, marks: Iterable[bytes]) -> None:
        """Note a write of just now that nobody answered."""
        for mark in marks:
            self._undecided.pop(mark, None)
            self._note_undecided(mark, UNDECIDED_LIFE)

    def undecided(self) -> tuple[Undecided, ...]:
        """Return the undecided writes with the whole seconds that are left of each.

        They are cut to whole seconds so that what goes round among members ends.
        """
        now = self._now()
        self._undecided = {mark: end for mark, end in self._undecided.items() if end > now}
        left = ((mark, int(end - now)) for mark, end in self._undecided.items())
        return tuple(Undecided(mark, seconds) for mark, seconds in left if seconds > 0)

    def _note_undecided(self, mark: bytes, left: int) -> bool:
        now = self._now()
        if left <= 0 or self._undecided.get(mark, 0.0) > now:
            return False
        self._undecided[mark] = now + left
        if len(self._undecided) > MOST_UNDECIDED:
            self._undecided = {EVERYTHING: max(self._undecided.values())}
        return True
