"""What the peer's parts need of each other: a wire between members, and the book of who they are.

Everything that speaks to members is written against these protocols, so that it runs over libp2p
(`node.py`) and in a test over two ends of a memory pipe. Peers are named by their base58 peer id
text (`records.sign.peer_id`), scopes by their 8-byte id.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gh_p2pcache.errors import P2PCacheError


class PeerError(P2PCacheError):
    """A peer is gone, silent, or said something that cannot be: the caller does without it."""


class BrokenError(PeerError):
    """A stream ended in the middle: the peer is gone, or another connection took its place."""


class OwnAddressError(PeerError):
    """This machine itself answers there: a team's address may be its own, or a name of several."""


class Stream(Protocol):
    """One libp2p stream. Every method raises PeerError once the other end is gone.

    Deadlines are the caller's (`trio.move_on_after`); handlers run under an overall one.
    """

    async def read(self, n: int) -> bytes:
        """Return 1 to `n` bytes, or b"" at the end of what the other side wrote."""
        ...

    async def write(self, data: bytes) -> None:
        """Send all of `data`; waits while the other side's window is full."""
        ...

    async def close(self) -> None:
        """End what we write; what the other side writes may still be read."""
        ...

    async def reset(self) -> None:
        """Drop the stream both ways; never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Member:
    """A connected peer that proved a scope's membership key."""

    id: str
    accepting: bool
    """Others can dial it (only such members own tags)."""
    rtt: float
    """Seconds; 0.0 until measured."""
    keeper: bool
    """It runs as `serve --bootstrap`: it keeps for others what they announce."""
    score: float
    """0.0 is a peer without a stain; below -100 it is dropped."""


class Book(Protocol):
    """Who is there; connected members only, banned ones never among them."""

    def members(self, scope: bytes) -> Sequence[Member]:
        """Return the connected members of a scope, quickest first."""
        ...

    def is_member(self, peer: str, scope: bytes) -> bool:
        """Tell whether a connected peer proved the key of this scope."""
        ...

    def scopes(self, peer: str) -> frozenset[bytes]:
        """Return the ids of the scopes that a connected peer shares with us."""
        ...

    def note_records(self, peer: str, *, received: int = 0, sent: int = 0) -> None:
        """Count records that came from or went to a peer (bytes are counted by the streams)."""
        ...

    def misbehaved(self, peer: str, points: int, why: str) -> None:
        """Score a peer down: 1 for an oddity, 10 for rubbish, 100 to drop and ban it at once."""
        ...

    def allow(self, peer: str, what: str, amount: int = 1) -> bool:
        """Take `amount` from the peer's budget for `what` ("announce", "ask", "fetch", "sync").

        False: over its rate, drop the message unread (it is scored down here).
        """
        ...


class Wire(Protocol):
    """The network as members see it: streams to and from members, and topics."""

    @property
    def own_id(self) -> str:
        """Our own peer id."""
        ...

    async def open_stream(self, peer: str, protocol: str) -> Stream:
        """Open a stream to a connected member; raises PeerError. The deadline is the caller's."""
        ...

    def handle(self, protocol: str, handler: Callable[[str, Stream], Awaitable[None]]) -> None:
        """Let `handler(peer, stream)` answer a protocol; call before the start.

        It is run for members only, some at a time for each peer, under an overall deadline; the
        stream is closed when it returns, reset when it raises. A RejectedError costs the peer 10
        points.
        """
        ...

    async def publish(self, topic: str, data: bytes) -> None:
        """Gossip at most 256 kB; lost when nobody listens. Raises PeerError."""
        ...

    def subscribe(self, topic: str, on_message: Callable[[str, bytes], None]) -> None:
        """Let `on_message(author, data)` see a topic; call before the start.

        `author` signed the message with its identity; `on_message` must not block.
        """
        ...

    def on_met(self, callback: Callable[[str], Awaitable[None]]) -> None:
        """Run `callback(peer)` in a task whenever a member was met; call before the start."""
        ...

    def on_change(self, callback: Callable[[], None]) -> None:
        """Run `callback()` whenever the members have changed; it must not block."""
        ...
