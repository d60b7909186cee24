"""Ask before GitHub: every tag has an owner, who knows who holds it or lets one member fetch it.

Owners are told by rendezvous hashing (highest random weight; Thaler and Ravishankar, 1998) over
the members that accept connections, ourselves included: every member that sees the same others
names the same owner without a word, and a member that comes or goes moves only its own tags.
Two views of who is connected cost a second fetch at most.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

import trio

from gh_p2pcache.peer.index import Index
from gh_p2pcache.peer.leases import GO, LIFE, YOURS, Key, Leases, Told, Verdict
from gh_p2pcache.peer.messages import (
    ASK,
    Ask,
    Claim,
    Fetching,
    Held,
    Message,
    Nothing,
    SignedValidation,
    Yours,
    frame,
    read_message,
)
from gh_p2pcache.peer.speech import STEP, drop, say
from gh_p2pcache.peer.wire import Book, PeerError, Stream, Wire

PROTOCOL = "/gh-p2pcache/ask/1"

WORD = 0.25
"""Seconds between two words of who fetches, and of who lets wait."""
MOST_CLAIMS = 16


def rank(scope: bytes, tag: str, members: Iterable[str]) -> list[str]:
    """Return `members` from the owner of a tag to the last that would take its place."""

    def weight(peer: str) -> bytes:
        return hashlib.sha256(scope + tag.encode() + peer.encode()).digest()

    return sorted(members, key=weight, reverse=True)


class OpenAsk(Protocol):
    """A question to a tag's owner, open until it is closed."""

    async def hear(self) -> Verdict | None:
        """Return the verdict, None for "somebody is fetching it, wait on"; raises PeerError."""
        ...

    async def progress(self) -> None:
        """Tell that we, who have the lease, are fetching; raises PeerError."""
        ...

    async def finish(self, claims: tuple[Claim, ...]) -> None:
        """End the lease with what we announced of the key, if we did; raises PeerError."""
        ...

    async def close(self) -> None:
        """End the question: a lease that was not finished is another's. Never raises."""
        ...


class Owner:
    """Answers for the tags that are ours and asks for the others."""

    def __init__(
        self,
        wire: Wire,
        book: Book,
        index: Index,
        *,
        accepting: Callable[[], bool],
        note: Callable[[SignedValidation, str, str], object],
        fresh: Callable[[bytes, str], Awaitable[SignedValidation | None]],
    ) -> None:
        """`note` is told what a member holds, and which member says so.

        `fresh` returns what our own store may serve of a scope and a tag.
        """
        self._note = note
        self._fresh = fresh
        self._wire = wire
        self._book = book
        self._index = index
        self._accepting = accepting
        self._leases = Leases()
        self._tickets: dict[int, Ticket] = {}
        self._count = 0
        self._busy = trio.Event()
        wire.handle(PROTOCOL, self._serve)

    async def run(self) -> None:
        """End what lasts too long, for ever; idle while nobody fetches."""
        while True:
            await self._busy.wait()
            while len(self._leases):
                await trio.sleep(WORD)
                self._tell(self._leases.overdue(trio.current_time()))
            self._busy = trio.Event()

    def owners(self, scope: bytes, tag: str) -> list[str]:
        """Return the owner of a tag and who takes its place; empty: nobody is to be asked."""
        peers = [member.id for member in self._book.members(scope) if member.accepting]
        if self._accepting() and self._book.members(scope):
            peers.append(self._wire.own_id)
        return rank(scope, tag, peers)

    async def ask(self, owner: str, question: Ask) -> OpenAsk:
        """Return an open question to `owner`; raises PeerError. The deadline is yours."""
        if owner == self._wire.own_id:
            return self.ticket((question.scope, question.tag), owner)
        stream = await self._wire.open_stream(owner, PROTOCOL)
        try:
            await stream.write(frame(question))
        except (PeerError, trio.Cancelled):
            await drop(stream)
            raise
        return _RemoteAsk(stream)

    def announced(self, scope: bytes, tag: str, claims: tuple[Claim, ...]) -> None:
        """Tell at once all that wait here for what somebody, we perhaps, has announced."""
        self._tell(self._leases.settle((scope, tag), claims))

    def ticket(self, key: Key, peer: str) -> Ticket:
        """Return a new question of `peer` to ourselves."""
        self._count += 1
        ticket = Ticket(self, key, self._count)
        verdict = self._leases.ask(key, ticket.number, peer, trio.current_time())
        if verdict is None:
            self._tickets[ticket.number] = ticket
        else:
            ticket.tell(verdict)
        self._busy.set()
        return ticket

    def progressed(self, ticket: Ticket) -> None:
        """Note that the one who fetches is alive."""
        self._leases.progress(ticket.number, trio.current_time())

    def released(self, ticket: Ticket) -> None:
        """End a lease without a record: all that wait may go on."""
        self._tell(self._leases.release(ticket.number))

    def ended(self, ticket: Ticket) -> None:
        """Forget a question; a lease it has goes to one that waits."""
        self._tickets.pop(ticket.number, None)
        self._tell(self._leases.end(ticket.number, trio.current_time()))

    def _tell(self, told: Told) -> None:
        for number, verdict in told:
            self._tickets.pop(number).tell(verdict)

    async def _serve(self, peer: str, stream: Stream) -> None:
        question = None
        with trio.move_on_after(STEP):
            question = await read_message(stream, ASK)
        if not isinstance(question, Ask):
            return
        if not self._book.is_member(peer, question.scope):
            self._book.misbehaved(peer, 10, "asked in a scope that it is no member of")
            return
        await self._answer(peer, stream, question)

    async def _answer(self, peer: str, stream: Stream, question: Ask) -> None:
        if not self._book.allow(peer, "ask"):
            await say(stream, Nothing())
            return
        claims = self._reachable(question, peer) or await self._own(question)
        # Somebody's fill may have ended while our store was read.
        claims = claims or self._reachable(question, peer)
        if claims:
            await say(stream, Held(claims[:MOST_CLAIMS]))
            return
        ticket = self.ticket((question.scope, question.tag), peer)
        try:
            while (verdict := await ticket.hear()) is None:
                await say(stream, Fetching())
            await say(stream, _message(verdict))
            if verdict.lease:
                with trio.move_on_after(LIFE):
                    await self._attend(peer, stream, ticket)
        finally:
            self.ended(ticket)

    def _reachable(self, question: Ask, peer: str) -> tuple[Claim, ...]:
        """Return who holds it of those that are here; who is gone shall keep nobody from it."""
        own = self._wire.own_id
        return tuple(
            Claim(holder.peer, holder.validation.row())
            for holder in self._index.holders(question.scope, question.tag, question.after)
            if holder.peer == own
            or (holder.peer != peer and self._book.is_member(holder.peer, question.scope))
        )

    async def _own(self, question: Ask) -> tuple[Claim, ...]:
        """Return what we have of others': who announced it may have left."""
        found = await self._fresh(question.scope, question.tag)
        if found is None or found.date <= question.after:
            return ()
        return (Claim(self._wire.own_id, found.row()),)

    async def _attend(self, peer: str, stream: Stream, ticket: Ticket) -> None:
        """Listen to who has the lease until it is over; the end of its stream ends it too."""
        while (word := await read_message(stream, ASK)) is not None:
            if isinstance(word, Fetching):
                self.progressed(ticket)
            elif isinstance(word, Held):
                if any(not _own_claim(claim, peer, ticket.key[1]) for claim in word.claims):
                    self._book.misbehaved(peer, 10, "announced what is not its own")
                    return
                # Gossip says it 0.2 s later: who asks meanwhile would be sent to GitHub.
                for claim in word.claims:
                    self._note(claim.validation.within(ticket.key[0]), peer, peer)
                self.announced(*ticket.key, word.claims)
                return
            elif isinstance(word, Nothing):
                self.released(ticket)
                return


class Ticket:
    """A question to ourselves, whoever asked it."""

    def __init__(self, owner: Owner, key: Key, number: int) -> None:
        self.key = key
        self.number = number
        self._owner = owner
        self._told = trio.Event()
        self._verdict: Verdict | None = None
        self._asked = False

    def tell(self, verdict: Verdict) -> None:
        """Set what `hear` returns from now on."""
        self._verdict = verdict
        self._told.set()

    async def hear(self) -> Verdict | None:
        """Return the verdict, or None: at once for the first time, then every WORD seconds."""
        if self._asked:
            with trio.move_on_after(WORD):
                await self._told.wait()
        self._asked = True
        return self._verdict

    async def progress(self) -> None:
        """Tell that we are fetching."""
        self._owner.progressed(self)

    async def finish(self, claims: tuple[Claim, ...]) -> None:
        """End our lease."""
        if claims:
            self._owner.announced(*self.key, claims)
        else:
            self._owner.released(self)

    async def close(self) -> None:
        """End the question."""
        self._owner.ended(self)


class _RemoteAsk:
    """A question to another machine."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def hear(self) -> Verdict | None:
        message = await read_message(self._stream, ASK)
        if isinstance(message, Fetching):
            return None
        if isinstance(message, Held):
            return Verdict(claims=message.claims)
        if isinstance(message, Yours):
            return YOURS
        if isinstance(message, Nothing):
            return GO
        raise PeerError("the owner ended the question without an answer")

    async def progress(self) -> None:
        await say(self._stream, Fetching())

    async def finish(self, claims: tuple[Claim, ...]) -> None:
        await say(self._stream, Held(claims) if claims else Nothing())
        await self._stream.close()
        with trio.move_on_after(STEP):  # a reset now could overtake what was said
            await self._stream.read(1)

    async def close(self) -> None:
        await drop(self._stream)


def _own_claim(claim: Claim, peer: str, tag: str) -> bool:
    return claim.holder == peer and claim.validation.tag.hex() == tag


def _message(verdict: Verdict) -> Message:
    if verdict.lease:
        return Yours()
    return Held(verdict.claims[:MOST_CLAIMS]) if verdict.claims else Nothing()
