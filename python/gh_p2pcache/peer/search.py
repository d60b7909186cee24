"""One search among members for what a tag names: from the index to the owner to the blob.

Who announced it, newest first; else the tag's owner. Whatever members do, it is over at the
deadline, but for two things: somebody says every quarter of a second that it fetches from GitHub
(10 s at most), or a blob is arriving (at 4 MiB/s at least).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import trio

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.exchange import Exchange, Parcel, is_signed, validation_of
from gh_p2pcache.peer.fills import Fills
from gh_p2pcache.peer.hedge import hedged
from gh_p2pcache.peer.index import Index
from gh_p2pcache.peer.leases import SILENCE, Verdict
from gh_p2pcache.peer.messages import Ask, Claim, Find, SignedValidation
from gh_p2pcache.peer.owner import OpenAsk, Owner
from gh_p2pcache.peer.patience import Patience
from gh_p2pcache.peer.sulks import Sulks
from gh_p2pcache.peer.wire import Book, BrokenError, PeerError, Wire

_LOG = logging.getLogger("gh_p2pcache.peer")

HEDGE = 0.04
"""Seconds until a second holder is asked too: ten times what a small blob takes (4 ms)."""
OWNER_SHARE = 0.4
"""Of the deadline; then who would take the owner's place is asked too."""
QUICK = 4 << 20
"""Bytes a second at which a blob may outlast the deadline."""
_FAIR = 0.05
"""Seconds of silence below which nobody is sulked at."""
_MOST_SOURCES = 3
_MOST_OWNERS = 3
_TRIES = 2
"""Two that dial each other at once drop one connection, and what was asked over it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found; without a parcel, whether the fill is ours to announce or release."""

    parcel: Parcel | None = None
    yours: bool = False


NOBODY = Answer()
OURS = Answer(yours=True)


class Source(NamedTuple):
    """A peer to fetch from, and what was announced."""

    peer: str
    announced: SignedValidation


class _Asked(NamedTuple):
    owner: str
    ask: OpenAsk
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Parts:
    """What all searches share."""

    wire: Wire
    book: Book
    index: Index
    owner: Owner
    exchange: Exchange
    fills: Fills
    sulks: Sulks
    synced: Callable[[bytes], Awaitable[None]]
    """Returns once the tombstones of a scope are known."""


class Search:
    """One `find`, from the index to the owner to the blob."""

    def __init__(self, parts: Parts, wanted: Find, patience: Patience) -> None:
        self._parts = parts
        self._wanted = wanted
        self._patience = patience
        self._tried: set[tuple[str, bytes]] = set()
        self._gone: set[str] = set()
        self.answer = NOBODY

    async def run(self) -> None:
        """Set `answer`, when patience is over at the latest."""
        with self._patience.scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._patience.excuse)
                await self._parts.synced(self._wanted.scope)
                parcel = await self._fetch(self._announced())
                self.answer = Answer(parcel) if parcel is not None else await self._consult()
                nursery.cancel_scope.cancel()

    # ---- holders

    def _announced(self) -> list[Source]:
        """Return who announced it, but for ourselves: the gateway has looked in its store."""
        w, own = self._wanted, self._parts.wire.own_id
        holders = self._parts.index.holders(w.scope, w.tag, w.after)
        return [Source(holder.peer, holder.validation) for holder in holders if holder.peer != own]

    async def _fetch(self, announced: Sequence[Source], asked: str = "") -> Parcel | None:
        """Return the blob from whoever is quickest; `asked`: who told us of them."""
        fresh = [source for source in announced if source.announced.date > self._wanted.after]
        while fresh and fresh[0].announced.digest == self._wanted.have:
            newest = fresh.pop(0)
            if is_signed(newest.announced):
                validation = validation_of(newest.announced.digest, newest.announced)
                return Parcel(validation, newest.peer, b"")
        if not fresh:
            return None
        attempts = [
            partial(self._try, source)
            for source in self._within_reach(fresh, asked)
            if (source.peer, source.announced.digest) not in self._tried
        ]
        return await hedged(attempts, HEDGE)

    def _within_reach(self, announced: Sequence[Source], asked: str) -> list[Source]:
        """Return connected holders; where there are none, members that may reach one for us."""
        parts = self._parts
        members = {member.id: member for member in parts.book.members(self._wanted.scope)}
        direct = [
            source
            for source in announced
            if source.peer == parts.wire.own_id
            or (source.peer in members and parts.sulks.speaking(source.peer))
        ]
        if direct:
            return direct[:_MOST_SOURCES]
        newest = announced[0]
        relays = [id_ for id_, member in members.items() if member.accepting]
        relays.sort(key=lambda relay: relay != asked)
        able = [relay for relay in relays if relay != newest.peer and parts.sulks.speaking(relay)]
        return [Source(relay, newest.announced) for relay in able[:_MOST_SOURCES]]

    async def _try(self, source: Source) -> Parcel | None:
        self._tried.add((source.peer, source.announced.digest))
        if source.peer == self._parts.wire.own_id:
            return await self._own(source.announced)
        began, answered = trio.current_time(), False

        def arriving(size: int) -> None:
            nonlocal answered
            answered = True
            self._patience.extend(size / QUICK)

        try:
            return await self._fetch_from(source, arriving)
        except PeerError as error:
            _LOG.debug("nothing from %s: %s", source.peer, error)
            return None
        except trio.Cancelled:
            if not answered:
                self._blame(source.peer, began)
            raise

    async def _fetch_from(self, source: Source, arriving: Callable[[int], None]) -> Parcel | None:
        peer, announced = source
        tries = _TRIES
        while True:
            try:
                return await self._parts.exchange.fetch(peer, announced, on_size=arriving)
            except BrokenError:
                tries -= 1
                if not tries or not self._here(peer):
                    raise

    async def _own(self, announced: SignedValidation) -> Parcel | None:
        """Return what another fill of this machine has brought while we waited for it."""
        shared = await self._parts.exchange.held(announced.scope, announced.tag)
        if shared is None or shared.validation.github_date <= self._wanted.after:
            return None
        return Parcel(shared.validation, self._parts.wire.own_id, shared.blob)

    def _blame(self, peer: str, since: float) -> None:
        """Sulk at a peer that was silent until our patience ended, not at who came second."""
        if self._patience.over and trio.current_time() - since >= _FAIR:
            self._parts.sulks.sulk_at(peer)

    # ---- the owner

    async def _consult(self) -> Answer:
        """Ask the owner, or who takes its place when it is gone; wait while somebody fetches."""
        while owners := self._owners():
            attempts = [partial(self._ask, owner) for owner in owners]
            asked = await hedged(attempts, OWNER_SHARE * self._patience.seconds, _close)
            if asked is None:
                return NOBODY
            answer = await self._listen(asked)
            if answer is not None:
                return answer
            self._patience.extend(self._patience.seconds)
        return OURS

    def _owners(self) -> list[str]:
        w = self._wanted
        ranked = self._parts.owner.owners(w.scope, w.tag)
        here = [
            peer for peer in ranked if peer not in self._gone and self._parts.sulks.speaking(peer)
        ]
        return here[:_MOST_OWNERS]

    async def _ask(self, owner: str) -> _Asked | None:
        """Return an owner's first word, None when it is gone."""
        began = trio.current_time()
        try:
            for _ in range(_TRIES):
                asked = await self._ask_once(owner)
                if asked is not None or not self._here(owner):
                    break
        except trio.Cancelled:
            self._blame(owner, began)
            raise
        if asked is None:
            self._gone.add(owner)
        return asked

    def _here(self, owner: str) -> bool:
        return self._parts.book.is_member(owner, self._wanted.scope)

    async def _ask_once(self, owner: str) -> _Asked | None:
        w = self._wanted
        try:
            ask = await self._parts.owner.ask(owner, Ask(w.scope, w.tag, w.after))
            return _Asked(owner, ask, await self._hear(owner, ask))
        except PeerError as error:
            _LOG.debug("no word from the owner %s: %s", owner, error)
            return None

    async def _hear(self, owner: str, ask: OpenAsk) -> Verdict | None:
        """Return what an owner says; its question is closed when that fails."""
        try:
            return await ask.hear()
        except RejectedError as error:
            self._parts.book.misbehaved(owner, 10, f"ask: {error}")
            await ask.close()
            raise PeerError(str(error)) from error
        except (PeerError, trio.Cancelled):
            await ask.close()
            raise

    async def _listen(self, asked: _Asked) -> Answer | None:
        """Return the answer that an owner's words lead to; None when it is gone meanwhile."""
        owner, ask, verdict = asked
        began = trio.current_time()
        while verdict is None:
            parcel = await self._waited(ask)
            if parcel is not None:
                return Answer(parcel)
            self._patience.extend(SILENCE)
            try:
                verdict = await self._hear(owner, ask)
            except PeerError:
                self._gone.add(owner)
                return None
            except trio.Cancelled:
                self._blame(owner, began)
                raise
        if verdict.lease:
            self._parts.fills.hold((self._wanted.scope, self._wanted.tag), ask)
            return OURS
        await ask.close()
        if not verdict.claims:
            return NOBODY
        self._patience.extend(self._patience.seconds)
        return Answer(await self._fetch(self._learn(owner, verdict.claims), owner))

    async def _waited(self, ask: OpenAsk) -> Parcel | None:
        """Return what gossip brought while we wait: the owner need not be the first to know."""
        try:
            parcel = await self._fetch(self._announced())
        except trio.Cancelled:
            await ask.close()
            raise
        if parcel is not None:
            await ask.close()
        return parcel

    def _learn(self, owner: str, claims: Sequence[Claim]) -> list[Source]:
        sources = []
        for claim in claims:
            validation = claim.validation.within(self._wanted.scope)
            if validation.tag != self._wanted.tag:
                self._parts.book.misbehaved(owner, 10, "named holders of another tag")
                continue
            try:
                if claim.holder != self._parts.wire.own_id:
                    self._parts.index.announced(validation, claim.holder, owner)
            except RejectedError as error:
                # The ban may be unheard of there, the clock that is wrong ours: no fault of its.
                _LOG.debug("not taken from the owner %s: %s", owner, error)
                continue
            sources.append(Source(claim.holder, validation))
        return sources


async def _close(asked: _Asked) -> None:
    await asked.ask.close()
