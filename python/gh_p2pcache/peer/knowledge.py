"""What this machine knows and has heard, of all its scopes: where gossip and anti-entropy meet.

What is new goes to the `Listener` at once, tombstones before what they may kill.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.burials import Burials
from gh_p2pcache.peer.clock import GitHubTime
from gh_p2pcache.peer.frames import pieces
from gh_p2pcache.peer.index import Index
from gh_p2pcache.peer.messages import (
    Batch,
    Buried,
    Bury,
    Claim,
    Give,
    Given,
    Proof,
    Proofs,
    SignedValidation,
    Tombstone,
    Undecided,
)
from gh_p2pcache.peer.replica import News, Replica
from gh_p2pcache.records.sign import peer_id

_LOG = logging.getLogger("gh_p2pcache.peer")


class Listener(Protocol):
    """Who is told what members say; nothing here may block or raise."""

    def buried(self, scope: bytes, tombstones: Sequence[Tombstone]) -> None:
        """Hand burials on to the gateway."""
        ...

    def undecided(self, scope: bytes, marks: Sequence[bytes]) -> None:
        """Hand on to the gateway what writes bury that nobody answered."""
        ...

    def proved(self, scope: bytes, items: Sequence[Proof]) -> None:
        """Hand access proofs on to the gateway."""
        ...

    def announced(self, holder: str, validation: SignedValidation) -> None:
        """Note that a member has a record (what is known already is not told again)."""
        ...


class Knowledge:
    """One Replica a scope, and the Index of them all."""

    def __init__(
        self,
        own_id: str,
        scopes: Iterable[bytes],
        *,
        index: Index,
        clock: GitHubTime,
        listener: Listener,
        burials: Burials | None = None,
    ) -> None:
        """`burials` remembers those of our own gateway; without it they last as long as this."""
        self._own_id = own_id
        self._index = index
        self._clock = clock
        self._listener = listener
        self._burials = burials
        self._replicas = {scope: Replica(clock) for scope in scopes}
        for bury in [] if burials is None else burials.load():
            if bury.scope in self._replicas:
                self._bury(bury)

    @property
    def scopes(self) -> Sequence[bytes]:
        """The ids of all scopes."""
        return tuple(self._replicas)

    def replica(self, scope: bytes) -> Replica:
        """Return what is known of a scope; raises RejectedError for another's."""
        replica = self._replicas.get(scope)
        if replica is None:
            raise RejectedError("a scope that is not ours")
        return replica

    # ---- from our gateway, whose dates are GitHub's own

    def announce(self, validation: SignedValidation) -> None:
        """Note what our gateway holds; raises RejectedError."""
        self._clock.learn(validation.date)
        claim = Claim(self._own_id, validation.row())
        self.replica(validation.scope).learn(claims=[claim])
        self._index.announced(validation, self._own_id, self._own_id)

    def bury(self, scope: bytes, marks: Sequence[bytes], date: int) -> None:
        """Note what our gateway has buried; raises RejectedError."""
        if not date:
            self.replica(scope).write_undecided(marks)
            return
        self._bury(Bury(scope, tuple(marks), date))
        if self._burials is not None:
            self._burials.add(scope, marks, date)

    def prove(self, scope: bytes, items: Sequence[Proof]) -> None:
        """Note what tokens have shown to our gateway; raises RejectedError."""
        self.replica(scope).learn(proofs=items)

    # ---- from members

    def heard(self, scope: bytes, author: str, source: str, batch: Batch) -> None:
        """Take in what `author` gossiped; `source` is in whose share of the index it counts."""
        replica = self.replica(scope)
        replica.write_undecided(batch.undecided)
        claims = [Claim(author, row) for row in batch.announcements]
        news = replica.learn(batch.tombstones, batch.proofs, claims)
        self._hand_on(scope, news, batch.undecided)
        for row in batch.announcements:
            self.note(row.within(scope), author, source)

    def told(self, scope: bytes, teller: str, told: Give | Given) -> None:
        """Take in what a member knows, of itself and of others."""
        news = self.replica(scope).learn(told.tombstones, told.proofs, told.claims)
        self._hand_on(scope, news, ())
        for claim in told.claims:
            self.note(claim.validation.within(scope), claim.holder, teller)

    def told_undecided(self, scope: bytes, rows: Sequence[Undecided]) -> None:
        """Take in of which writes a member knows that got no answer."""
        news = self.replica(scope).learn(undecided=rows)
        self._hand_on(scope, news, news.undecided)

    def note(self, validation: SignedValidation, holder: str, source: str) -> None:
        """Note that `source` says that a member holds a record."""
        if holder == self._own_id:
            return
        try:
            news = self._index.announced(validation, holder, source)
        except RejectedError as error:
            # The clock that is wrong may be ours, the ban unheard of there: no fault of the source.
            _LOG.debug("not noted from %s: %s", source, error)
            return
        if news:
            self._listener.announced(holder, validation)

    def lift(self, signer: bytes) -> None:
        """Take a banned member back, with what was not noted of it: nobody will tell that again."""
        self._index.lift(signer)
        peer = peer_id(signer)
        for scope, replica in self._replicas.items():
            for holder, row in replica.claims.rows():
                if peer == holder or signer == row.signer:
                    # Who told is not known any more, so it is hearsay, and ours.
                    self.note(row.within(scope), holder, self._own_id)

    def replay(self) -> Iterator[Bury | Buried | Proofs]:
        """Yield all that a gateway which was away has to hear of."""
        for scope, replica in self._replicas.items():
            marks = tuple(row.mark for row in replica.undecided())
            if marks:
                yield Bury(scope, marks, 0)
            for tombstones in pieces(replica.tombstones.rows()):
                yield Buried(scope, tombstones)
            for proofs in pieces(replica.proofs.rows()):
                yield Proofs(scope, proofs)

    def _bury(self, bury: Bury) -> None:
        self._clock.learn(bury.date)
        self.replica(bury.scope).learn([Tombstone(mark, bury.date) for mark in bury.marks])

    def _hand_on(self, scope: bytes, news: News, undecided: Sequence[bytes]) -> None:
        if undecided:
            self._listener.undecided(scope, undecided)
        if news.tombstones:
            self._listener.buried(scope, news.tombstones)
        if news.proofs:
            self._listener.proved(scope, news.proofs)
