"""Anti-entropy over streams: with whoever was just met, and every few seconds with one member.

What gossip lost arrives so, and who was away learns what was buried meanwhile: until the first
member has told all its tombstones, `caught_up` holds back answers from members.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import trio

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.knowledge import Knowledge
from gh_p2pcache.peer.messages import SYNC, Compare, Give, Message, Unknown, read_message
from gh_p2pcache.peer.speech import drop, say, within
from gh_p2pcache.peer.sync import Session, answer, initiate
from gh_p2pcache.peer.wire import Book, PeerError, Stream, Wire

PROTOCOL = "/gh-p2pcache/sync/1"
EVERY = 2.5
"""Seconds from one session to the next: 10 members know all of each other within 10."""
GRACE = 2.0
"""Seconds for which answers are held back at most, from when the first member is there."""
_SESSION = 20.0
"""Seconds for all scopes of one member."""
_AT_ONCE = 4
"""Sessions that we begin at a time: who joins meets all members at once."""
_MOST_MESSAGES = 512
_COMPARE = 100
"""Items that a Compare counts for: its answer may have 32 kB."""
_RUBBISH = 10
_SLEPT = 10.0
"""Seconds of wall clock beyond what the loop's own clock saw: the machine slept."""

_LOG = logging.getLogger("gh_p2pcache.peer")


@dataclass(slots=True)
class _Catching:
    """Since when a scope has members (None: it has none), and whether one has told us all."""

    since: float | None = None
    done: trio.Event = field(default_factory=trio.Event)


class AntiEntropy:
    """Sessions with members, ours and theirs; make it before the wire starts."""

    def __init__(
        self,
        wire: Wire,
        book: Book,
        knowledge: Knowledge,
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._wire = wire
        self._book = book
        self._knowledge = knowledge
        self._wall = wall
        self._ticked = wall()
        self._catching = {scope: _Catching() for scope in knowledge.scopes}
        self._last: dict[str, float] = {}
        self._limit = trio.CapacityLimiter(_AT_ONCE)
        self._hurry = trio.Event()
        wire.handle(PROTOCOL, self._serve)
        wire.on_met(self._sync)
        wire.on_change(self._changed)

    def is_caught_up(self, scope: bytes) -> bool:
        """Tell whether `caught_up` would return at once: records may be served and taken."""
        self._notice_sleep()
        catching = self._catching.get(scope)
        if catching is None or catching.since is None or catching.done.is_set():
            return True
        return trio.current_time() >= catching.since + GRACE

    async def caught_up(self, scope: bytes) -> None:
        """Return once a member has told all tombstones of a scope, or after GRACE without one."""
        if not self.is_caught_up(scope):
            catching = self._catching[scope]
            assert catching.since is not None
            with trio.move_on_at(catching.since + GRACE):
                await catching.done.wait()

    async def run(self) -> None:
        """Meet one member after the other, for ever."""
        async with trio.open_nursery() as nursery:
            while True:
                with trio.move_on_after(EVERY):
                    await self._hurry.wait()
                self._hurry = trio.Event()
                self._notice_sleep()
                self._ticked = self._wall()
                peer = self._next()
                if peer is not None and self._limit.available_tokens > 0:
                    nursery.start_soon(self._sync, peer)

    def _next(self) -> str | None:
        """Return the member that we have not begun a session with for longest."""
        peers = {member.id for scope in self._catching for member in self._book.members(scope)}
        self._last = {peer: at for peer, at in self._last.items() if peer in peers}
        return min(peers, key=lambda peer: (self._last.get(peer, 0.0), peer), default=None)

    def _changed(self) -> None:
        for scope, catching in self._catching.items():
            if not self._book.members(scope):
                self._catching[scope] = _Catching()
            elif catching.since is None:
                catching.since = trio.current_time()

    def _notice_sleep(self) -> None:
        """Be a newcomer again after a sleep, in which the loop's clock stood still."""
        if self._wall() - self._ticked > EVERY + _SLEPT:
            self._ticked = self._wall()
            self._catching = {scope: _Catching() for scope in self._catching}
            self._changed()
            self._hurry.set()

    # ---- ours

    async def _sync(self, peer: str) -> None:
        """Tell a member what we know of the scopes we share, and learn what it knows."""
        async with self._limit:
            self._last[peer] = trio.current_time()
            try:
                with within(_SESSION):
                    await self._visit(peer)
            except PeerError as error:
                _LOG.debug("no sync with %s: %s", peer, error)
            except RejectedError as error:
                self._book.misbehaved(peer, _RUBBISH, f"sync: {error}")

    async def _visit(self, peer: str) -> None:
        with within():
            stream = await self._wire.open_stream(peer, PROTOCOL)
        try:
            for scope in sorted(self._book.scopes(peer) & self._catching.keys()):
                knowledge = self._knowledge
                session = initiate(
                    knowledge.replica(scope),
                    scope,
                    learn=partial(knowledge.told, scope, peer),
                    learn_undecided=partial(knowledge.told_undecided, scope),
                    buried=self._catching[scope].done.set,
                )
                await _converse(session, stream)
            await stream.close()
        except BaseException:
            await drop(stream)
            raise

    # ---- theirs

    async def _serve(self, peer: str, stream: Stream) -> None:
        for _ in range(_MOST_MESSAGES):
            message = await _hear(stream)
            if message is None:
                return
            if not isinstance(message, (Compare, Give)):
                raise RejectedError("neither Compare nor Give")
            scope = message.scope
            if not self._book.is_member(peer, scope):
                raise RejectedError("a sync of a scope whose key it has not proved")
            if not self._book.allow(peer, "sync", _cost(message)):
                return
            reply = answer(
                self._knowledge.replica(scope),
                message,
                learn=partial(self._knowledge.told, scope, peer),
                learn_undecided=partial(self._knowledge.told_undecided, scope),
            )
            await say(stream, reply)


async def _converse(session: Session, stream: Stream) -> None:
    request: Message | None = next(session)
    while request is not None:
        await say(stream, request)
        reply = await _hear(stream)
        if reply is None:
            raise PeerError("it left in the middle of a sync")
        try:
            request = session.send(reply)
        except StopIteration:
            request = None


async def _hear(stream: Stream) -> Message | None:
    with within():
        message = await read_message(stream, SYNC)
    if isinstance(message, Unknown):
        raise PeerError(f"it speaks of {message.name!r}, as a later version may")
    return message


def _cost(message: Compare | Give) -> int:
    if isinstance(message, Compare):
        return _COMPARE
    rows = len(message.tombstones) + len(message.proofs) + len(message.claims)
    return 1 + rows + len(message.want) // 8
