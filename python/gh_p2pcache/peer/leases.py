"""Who fetches from GitHub while others wait: the leases that one owner gives (no IO, no clock).

An ask is one open question of one member, named by a number; it ends with its stream. The first
ask for a key gets the lease, later ones wait until the record is announced, or until the lease
ends without one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gh_p2pcache.peer.messages import Claim

Key = tuple[bytes, str]
"""Scope id and lookup tag."""

LIFE = 10.0
"""Seconds that a lease lasts, and that anybody waits, at most."""
SILENCE = 1.0
"""Seconds without a word from who fetches until the lease is another's: four words missed."""
PROBATION = 60.0
"""Seconds that a peer gets no lease after one of its leases lapsed: nobody waits for it twice."""
MOST_KEYS = 4096
MOST_WAITING = 256
"""Asks that wait for one key; who comes later asks GitHub itself."""
MOST_LEASES = 512
"""Leases of one peer at a time."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an ask ended: the lease is yours, or these hold the record, or neither: go and ask."""

    lease: bool = False
    claims: tuple[Claim, ...] = ()


YOURS = Verdict(lease=True)
GO = Verdict()

Told = list[tuple[int, Verdict]]
"""Asks that waited, and what they are to be told now."""


@dataclass(slots=True)
class _Line:
    """One key: who fetches it and who waits for it, in the order they came."""

    lease: int
    granted: float
    heard: float
    waiting: dict[int, float] = field(default_factory=dict)


class Leases:
    """At most one live lease a key. Every method takes the time, in seconds of any clock."""

    def __init__(self) -> None:
        self._lines: dict[Key, _Line] = {}
        self._asks: dict[int, tuple[Key, str]] = {}
        self._held: dict[str, int] = {}
        self._probation: dict[str, float] = {}

    def __len__(self) -> int:
        """Return how many keys somebody fetches or waits for."""
        return len(self._lines)

    def holder(self, key: Key) -> str | None:
        """Return the peer that has the lease of a key."""
        line = self._lines.get(key)
        return None if line is None else self._asks[line.lease][1]

    def ask(self, key: Key, ask: int, peer: str, now: float) -> Verdict | None:
        """Return YOURS or GO, or None: it waits, and is told later."""
        line = self._lines.get(key)
        if line is None:
            if len(self._lines) >= MOST_KEYS or not self._may_lease(peer, now):
                return GO
            self._asks[ask] = (key, peer)
            self._lines[key] = _Line(ask, now, now)
            self._count(peer, 1)
            return YOURS
        if len(line.waiting) >= MOST_WAITING:
            return GO
        self._asks[ask] = (key, peer)
        line.waiting[ask] = now
        return None

    def progress(self, ask: int, now: float) -> None:
        """Note that the one who fetches is alive; of no other ask does it mean anything."""
        if ask in self._asks:
            line = self._lines[self._asks[ask][0]]
            if line.lease == ask:
                line.heard = now

    def end(self, ask: int, now: float) -> Told:
        """Forget an ask whose stream ended; a lease it had goes to one of the waiting."""
        if ask not in self._asks:
            return []
        key, _ = self._asks[ask]
        line = self._lines[key]
        if line.lease == ask:
            return self._pass_on(key, line, now)
        self._leave(line, ask)
        return []

    def settle(self, key: Key, claims: tuple[Claim, ...]) -> Told:
        """End a key's lease because it was announced; all that waited are told at once."""
        line = self._lines.pop(key, None)
        if line is None:
            return []
        self._end_lease(line)
        return [(self._leave(line, ask), Verdict(claims=claims)) for ask in list(line.waiting)]

    def release(self, ask: int) -> Told:
        """End the lease of `ask`: its fill is over, and there is no record to share.

        All that waited go their own way: one after the other, the last would wait for all the
        others' round trips.
        """
        if ask not in self._asks:
            return []
        key, _ = self._asks[ask]
        return self.settle(key, ()) if self._lines[key].lease == ask else []

    def overdue(self, now: float) -> Told:
        """End what lasted too long; call it a few times a second."""
        told: Told = []
        for key, line in list(self._lines.items()):
            late = [ask for ask, since in line.waiting.items() if now - since >= LIFE]
            told += [(self._leave(line, ask), GO) for ask in late]
            if now - line.granted >= LIFE or now - line.heard >= SILENCE:
                self._probation[self._asks[line.lease][1]] = now + PROBATION
                told += self._pass_on(key, line, now)
        self._probation = {peer: until for peer, until in self._probation.items() if until > now}
        return told

    def _pass_on(self, key: Key, line: _Line, now: float) -> Told:
        self._end_lease(line)
        told: Told = []
        for ask in list(line.waiting):
            _, peer = self._asks[ask]
            if self._may_lease(peer, now):
                del line.waiting[ask]
                line.lease, line.granted, line.heard = ask, now, now
                self._count(peer, 1)
                return [*told, (ask, YOURS)]
            told.append((self._leave(line, ask), GO))
        del self._lines[key]
        return told

    def _may_lease(self, peer: str, now: float) -> bool:
        on_probation = self._probation.get(peer, now) > now
        return not on_probation and self._held.get(peer, 0) < MOST_LEASES

    def _end_lease(self, line: _Line) -> None:
        _, peer = self._asks.pop(line.lease)
        self._count(peer, -1)

    def _leave(self, line: _Line, ask: int) -> int:
        del line.waiting[ask]
        del self._asks[ask]
        return ask

    def _count(self, peer: str, change: int) -> None:
        self._held[peer] = self._held.get(peer, 0) + change
        if not self._held[peer]:
            del self._held[peer]
