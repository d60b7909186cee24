"""The gateway's end of the peer process's socket, which may be absent, hung or gone at any time."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from gh_p2pcache.engine.peers import Found, Heard, Offer
from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer import messages as m
from gh_p2pcache.peer.frames import LOCAL_LIMIT, MAX_ITEMS, Decoder
from gh_p2pcache.records.record import Validation

_LOG = logging.getLogger(__name__)
_SOONEST, _LATEST = 0.2, 10.0
"""Seconds between two tries to connect, growing."""
_PATIENCE = 1.0
"""Seconds that a report of another member's fetch is waited on; it comes every 0.25 s."""
_LONGEST = 11.0
_MOST_BUFFERED = 32 << 20
"""Bytes that a peer process may leave unread before it is done without."""
_PIECE = 1 << 18
_SAID_AGAIN = 300.0
_MOST_SAID_AGAIN = 1024


@dataclass(slots=True)
class _Question:
    answer: asyncio.Future[m.Message]
    until: float
    latest: float


class PeerClient:
    """`engine.peers.Peers` over run/peer.sock; connects, and connects again, by itself."""

    wanted = True

    def __init__(self, path: Path, hello: m.Hello, *, deadline: float) -> None:
        """`hello` says who to be, its scopes aside; `deadline` bounds a question, in seconds."""
        self._path = path
        self._hello = hello
        self._deadline = deadline
        self._count: Callable[[str], object] = lambda _: None
        self._scopes: dict[bytes, m.ScopeGrant] = {}
        self._ids = itertools.count(1)
        self._questions: dict[int, _Question] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._buried: deque[tuple[float, m.Bury]] = deque(maxlen=_MOST_SAID_AGAIN)
        self._known = asyncio.Event()
        self._heard: Heard | None = None
        self._running: asyncio.Task[None] | None = None
        self.members = 0
        self.port = 0
        """Where the peer process listens; 0 until it has said so."""
        self.met = False
        self.trouble = ""

    def start(self, heard: Heard, banned: Iterable[bytes], count: Callable[[str], object]) -> None:
        """Begin to connect, once a scope is known; `count` gets the names of events."""
        self._heard = heard
        self._hello = replace(self._hello, banned=tuple(banned))
        self._count = count
        self._running = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Leave the peer process to itself."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running

    def know(self, scope: bytes, member_key: bytes, topic_key: bytes, name: str) -> None:
        """See Peers. A peer process that runs without this scope starts anew with it."""
        if scope in self._scopes or len(self._scopes) >= m.MOST_SCOPES:
            return
        self._scopes[scope] = m.ScopeGrant(scope, member_key, topic_key, name)
        self._known.set()
        if self._writer is not None:
            self._say(self._greeting())

    async def find(self, scope: bytes, tag: str, *, have: bytes, after: int) -> Found:
        """See Peers."""
        n = next(self._ids)
        said = await self._ask(m.Find(n, scope, tag, have, after, self._deadline), n)
        match said:
            case m.Found():
                validation = _validation(said)
                return Found(Offer(validation, said.blob, said.peer))
            case m.Nobody():
                return Found(
                    yours=said.yours, known=_validation(said.known) if said.known else None
                )
        self.release(scope, tag)
        return Found()

    def announce(self, scope: bytes, tag: str, validation: Validation, size: int) -> None:
        """See Peers."""
        v = validation
        self._say(
            m.SignedValidation(
                scope, tag, v.digest, v.github_date, v.ttl, max(size, 1), v.signer, v.signature
            )
        )

    def release(self, scope: bytes, tag: str) -> None:
        """See Peers."""
        self._say(m.Release(scope, tag))

    def bury(self, scope: bytes, marks: Sequence[bytes], date: int) -> None:
        """See Peers."""
        message = m.Bury(scope, tuple(marks), date)
        self._buried.append((time.monotonic(), message))
        self._say(message)

    def proofs(self, scope: bytes, items: Sequence[tuple[bytes, bytes, int]]) -> None:
        """See Peers."""
        self._say(m.Proofs(scope, tuple(m.Proof(*item) for item in items)))

    def ban(self, signer: bytes, why: str) -> None:
        """See Peers."""
        # For a peer process that comes later; it would refuse a greeting with more of them.
        banned = (*self._others_banned(signer), signer)[-MAX_ITEMS:]
        self._hello = replace(self._hello, banned=banned)
        self._say(m.Ban(signer, why))

    def lift(self, signer: bytes) -> None:
        """Take a banned member back."""
        self._hello = replace(self._hello, banned=self._others_banned(signer))
        self._say(m.Lift(signer))

    def _others_banned(self, signer: bytes) -> tuple[bytes, ...]:
        return tuple(key for key in self._hello.banned if key != signer)

    async def status(self) -> m.StatusReport | None:
        """Return what the peer process says of itself and its peers; None: nothing, in time."""
        n = next(self._ids)
        said = await self._ask(m.StatusRequest(n), n, seconds=1.0)
        return said if isinstance(said, m.StatusReport) else None

    async def dial(self, addr: str) -> tuple[bool, str]:
        """Have an address tried now; returns whether a member answered, and else why not."""
        n = next(self._ids)
        said = await self._ask(m.Dial(n, addr), n, seconds=_LONGEST)
        return (said.ok, said.why) if isinstance(said, m.Dialed) else (False, "no peers are on")

    async def _ask(self, message: m.Message, n: int, seconds: float = 0.0) -> m.Message | None:
        """Return the answer to question `n`, None where none came in time."""
        if self._writer is None:
            return None
        now = time.monotonic()
        answer: asyncio.Future[m.Message] = asyncio.get_running_loop().create_future()
        question = _Question(answer, now + (seconds or self._deadline), now + _LONGEST)
        self._questions[n] = question
        self._say(message)
        try:
            while not answer.done() and (left := question.until - time.monotonic()) > 0:
                await asyncio.wait({answer}, timeout=left)
        finally:
            del self._questions[n]
        return answer.result() if answer.done() and not answer.cancelled() else None

    def _say(self, message: m.Message) -> None:
        """Send a message, to nobody where nobody listens."""
        writer = self._writer
        if writer is None or writer.is_closing():
            return
        if writer.transport.get_write_buffer_size() > _MOST_BUFFERED:
            self._count("peer_hung")
            writer.transport.abort()
            return
        try:
            writer.write(m.frame(message, LOCAL_LIMIT))
        except RejectedError as error:
            self._count("peer_unsaid")
            _LOG.warning("not said to the peer process: %s", error)

    def _greeting(self) -> m.Message:
        return replace(self._hello, scopes=tuple(self._scopes.values()))

    async def _run(self) -> None:
        """Stay connected; a peer process that leaves is looked for again, ever less often."""
        assert self._heard is not None
        pause = _SOONEST
        while True:
            await self._known.wait()
            began = time.monotonic()
            try:
                await self._talk()
            except (OSError, RejectedError) as error:
                if str(error) != self.trouble:
                    _LOG.info("no peers: %s", error)
                self.trouble = str(error)
                # Nobody will say what was written meanwhile.
                self._heard.caught_up(self._scopes)
            else:
                self.trouble = "the peer process left" if self.members == 0 else ""
            self._lost()
            lasted = time.monotonic() - began
            pause = _SOONEST if lasted > _LATEST else min(pause * 2, _LATEST)
            await asyncio.sleep(pause)

    async def _talk(self) -> None:
        """Connect and listen until the other end is gone. Raises OSError, RejectedError."""
        reader, writer = await asyncio.open_unix_connection(str(self._path))
        self._writer = writer
        self._say(self._greeting())
        self._say_again()
        decoder = Decoder(LOCAL_LIMIT)
        try:
            while data := await reader.read(_PIECE):
                for fields in decoder.feed(data):
                    self._hear(m.parse(fields, m.TO_GATEWAY))
        finally:
            writer.close()

    def _say_again(self) -> None:
        """Tell of the last writes once more: the peer process may have died with them unsaid."""
        since = time.monotonic() - _SAID_AGAIN
        for at, message in self._buried:
            if at > since:
                self._say(message)

    def _lost(self) -> None:
        self._writer = None
        self.members = 0
        for question in self._questions.values():
            question.answer.cancel()

    def _hear(self, message: m.Message) -> None:
        assert self._heard is not None
        match message:
            case m.Members():
                self.members, self.met, self.trouble = message.count, True, ""
                self.port = message.port
                self._heard.caught_up(message.caught_up)
            case m.Waiting(n=n) if n in self._questions:
                question = self._questions[n]
                question.until = min(time.monotonic() + _PATIENCE, question.latest)
            case m.Found(n=n) | m.Nobody(n=n) | m.StatusReport(n=n) | m.Dialed(n=n):
                self._answered(n, message)
            case m.Keep():
                offer = Offer(_validation(message), message.blob, message.peer)
                self._heard.keep(message.scope, message.tag, offer)
            case m.Bury():
                self._heard.bury(message.scope, message.marks, message.date)
            case m.Buried():
                for date, marks in _by_date(message.tombstones).items():
                    self._heard.bury(message.scope, marks, date)
            case m.Proofs():
                self._heard.proofs(message.items)

    def _answered(self, n: int, message: m.Message) -> None:
        question = self._questions.get(n)
        if question is not None and not question.answer.done():
            question.answer.set_result(message)
        elif isinstance(message, m.Nobody) and message.yours:
            self._count("peer_late")


def _validation(said: m.Found | m.Keep | m.SignedValidation) -> Validation:
    return Validation(said.digest, said.date, 0.0, said.ttl, said.signer, said.signature)


def _by_date(tombstones: Iterable[m.Tombstone]) -> Mapping[int, Sequence[bytes]]:
    """Return the marks of each date: one write has many, and is buried at once."""
    dates: defaultdict[int, list[bytes]] = defaultdict(list)
    for mark, date in tombstones:
        dates[date].append(mark)
    return dates
