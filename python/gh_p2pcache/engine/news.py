"""What members tell each other unasked: who holds what, what was written, who may read what."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from gh_p2pcache.engine.desk import Desk
from gh_p2pcache.engine.judge import FUTURE_SECONDS, opened
from gh_p2pcache.engine.peers import EVERYTHING, Heard, Offer, Peers
from gh_p2pcache.engine.principals import Principal, Principals
from gh_p2pcache.engine.shelf import Entry
from gh_p2pcache.engine.stats import Stats
from gh_p2pcache.engine.trust import Trust
from gh_p2pcache.errors import RejectedError
from gh_p2pcache.records.seal import ScopeKeys

_LOG = logging.getLogger(__name__)
_REMEMBERED = 20_000
_MEETING_SECONDS = 5.0
"""How long a daemon that starts has what it kept confirmed by GitHub, until a member has said what
was written meanwhile; who has met none by then goes on alone."""


class News:
    """Tells members what happens here, and takes in what happens at theirs."""

    def __init__(
        self, desk: Desk, peers: Peers, principals: Principals, *, stats: Stats, trust: Trust
    ) -> None:
        self._desk = desk
        self._peers = peers
        self._principals = principals
        self._stats = stats
        self._trust = trust
        self._newest: OrderedDict[tuple[bytes, bytes], int] = OrderedDict()
        loop = asyncio.get_running_loop()
        principals.met = self._introduce
        desk.shelf.kept = lambda entry: loop.call_soon_threadsafe(self._announce, entry)
        desk.shelf.unkept = lambda entry: loop.call_soon_threadsafe(self._release, entry)
        desk.tombstones.tell = self._wrote
        desk.proofs.tell = self._proved
        desk.proofs.scope_of = self._scope_of
        for team in desk.teams.all:
            for keys in team.ring:
                peers.know(keys.id, keys.member_key, keys.topic_key, team.name)
        if peers.wanted:
            desk.unheard.update(keys.id for team in desk.teams.all for keys in team.ring)
            desk.away_until = desk.clock.now()
            loop.call_later(_MEETING_SECONDS, desk.unheard.clear)

    @property
    def heard(self) -> Heard:
        """What to do with what members say."""
        return Heard(
            bury=self._bury,
            proofs=self._learn_proofs,
            keep=self._keep,
            caught_up=self._desk.unheard.difference_update,
        )

    def newest(self, scope: bytes, key: bytes) -> int:
        """Return the newest GitHub date of this key that this machine knows of, 0: none."""
        return self._newest.get((scope, key), 0)

    def note(self, scope: bytes, key: bytes, date: int) -> None:
        """Remember that this machine knows what GitHub said of a key at `date`."""
        place = (scope, key)
        self._newest[place] = max(date, self._newest.pop(place, 0))
        while len(self._newest) > _REMEMBERED:
            self._newest.popitem(last=False)

    def _introduce(self, principal: Principal) -> None:
        """Take part in a token's own scope, on a machine without a team."""
        if self._peers.wanted and not self._desk.teams.all and principal.kind != "none":
            keys = principal.keys
            self._peers.know(keys.id, keys.member_key, keys.topic_key, "")

    def _announce(self, entry: Entry) -> None:
        """Tell of a record that GitHub gave or confirmed to this machine."""
        validation, keys = entry.validation, entry.keys
        self.note(keys.id, entry.record.key, validation.github_date)
        if not validation.signature or validation.signer != self._trust.own:
            return
        if validation.ttl > 0 and self._desk.alive(entry):
            self._peers.announce(keys.id, entry.tag, validation, len(entry.record.body))
        else:
            self._peers.release(keys.id, entry.tag)

    def _release(self, entry: Entry) -> None:
        """Have nobody wait for a record that the disk did not take."""
        self._peers.release(entry.keys.id, entry.tag)

    def _wrote(self, tags: frozenset[str], date: int) -> None:
        """Tell each scope what a write changed; of repositories only those that it shares."""
        teams = self._desk.teams
        for keys in self._scopes():
            mine = [tag for tag in tags if not teams.all or keys in teams.told(tag)]
            marks = self._desk.tombstones.shared_marks(keys, mine)
            if marks:
                self._peers.bury(keys.id, marks, date)

    def _scopes(self) -> Iterator[ScopeKeys]:
        teams = self._desk.teams.all
        for team in teams:
            yield from team.ring
        if not teams:
            yield from (p.keys for p in self._principals.all() if p.kind != "none")

    def _keys(self, scope: bytes) -> ScopeKeys | None:
        return next((keys for keys in self._scopes() if keys.id == scope), None)

    def _scope_of(self, repo: str) -> ScopeKeys | None:
        team = self._desk.teams.of_repository(repo)
        return None if team is None else team.keys

    def _proved(self, principal: bytes, pairs: Iterable[tuple[str, str]], date: int) -> None:
        by_scope: dict[bytes, list[tuple[bytes, bytes, int]]] = {}
        for repo, class_ in pairs:
            keys = self._scope_of(repo)
            if keys is not None:
                who, what = self._desk.proofs.names(keys, principal, repo, class_)
                by_scope.setdefault(keys.id, []).append((who, what, date))
        for scope, items in by_scope.items():
            self._peers.proofs(scope, items)

    def _bury(self, scope: bytes, marks: Sequence[bytes], date: int) -> None:
        keys = self._keys(scope)
        if keys is None:
            return
        self._stats.event("peer_tombstones")
        tombstones = self._desk.tombstones
        if EVERYTHING in marks:
            marks = (*marks, tombstones.everything(keys))
        tombstones.learn(marks, date)

    def _learn_proofs(self, items: Sequence[tuple[bytes, bytes, int]]) -> None:
        self._stats.event("peer_proofs", len(items))
        for who, what, date in items:
            self._desk.proofs.learn(who, what, date)

    def _keep(self, scope: bytes, tag: str, offer: Offer) -> None:
        """Keep for others; what a call of ours makes of it is judged when it asks."""
        keys = self._keys(scope)
        if keys is None:
            return
        desk, date = self._desk, offer.validation.github_date
        try:
            record = opened(offer, keys, tag)
        except RejectedError as error:
            self._refuse(offer, str(error))
            return
        signers = {record.signer, offer.validation.signer}
        if len(record.body) > desk.settings.max_entry or signers & self._trust.banned.keys():
            return
        if date - desk.clock.github_now() > FUTURE_SECONDS:
            self._refuse(offer, "a validation from the future")
            return
        validation = replace(offer.validation, validated_at=desk.clock.locally(date))
        desk.shelf.adopt_for_others(record, validation, keys, offer.blob)
        self._stats.event("peer_kept")

    def _refuse(self, offer: Offer, why: str) -> None:
        self._stats.event("peer_rejected")
        _LOG.warning("a record from %s is not kept for others: %s", offer.peer, why)
