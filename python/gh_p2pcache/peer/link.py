"""A connection to a peer, and the streams on it, as the rest of the peer process sees them."""

from __future__ import annotations

import logging
import time
from typing import Any

import trio
from libp2p.io.exceptions import IOException
from libp2p.network.connection.exceptions import RawConnError
from libp2p.network.stream.exceptions import StreamEOF
from libp2p.protocol_muxer.exceptions import MultiselectCommunicatorError
from libp2p.protocol_muxer.multiselect_communicator import MultiselectCommunicator
from libp2p.stream_muxer.exceptions import MuxedConnError, MuxedStreamError

from gh_p2pcache.peer import guard
from gh_p2pcache.peer.wire import BrokenError, PeerError

_LOG = logging.getLogger("gh_p2pcache.peer")
_MULTISTREAM = "/multistream/1.0.0"
_BROKEN = (
    IOException,
    RawConnError,
    MuxedConnError,
    MuxedStreamError,
    MultiselectCommunicatorError,
    OSError,
    KeyError,  # a stream that its connection forgot
    trio.BrokenResourceError,
    trio.ClosedResourceError,
)
_HANDLERS = 64
"""Streams of one peer that are answered at a time; LIBP2P's own bound is none."""
_OPENINGS_PER_SECOND = 300
_OPENINGS_AT_ONCE = 1500


class Link:
    """A live connection; `admitted` once both sides proved a common membership."""

    def __init__(self, conn: Any) -> None:
        self.conn = conn
        self.muxer: guard.GuardedYamux = conn.muxed_conn
        self.peer: str = str(self.muxer.peer_id)
        self.dialed: bool = self.muxer.is_initiator_value
        address = self.muxer.get_remote_address()
        self.remote: tuple[str, int] = address or ("", 0)
        self.since = time.time()
        self.admitted = trio.Event()
        self.asked = False
        """Its membership stream has come: one only."""
        self.handlers = 0
        self._openings = float(_OPENINGS_AT_ONCE)
        self._counted = trio.current_time()

    @property
    def rtt(self) -> float:
        """Seconds, of the last pings; 0.0 until measured."""
        return float(self.muxer.rtt())

    @property
    def bytes_in(self) -> int:
        """Bytes that came over this connection, without the muxer's headers."""
        return self.muxer.received

    @property
    def bytes_out(self) -> int:
        """Bytes that went out over this connection."""
        return self.muxer.sent

    @property
    def closed(self) -> bool:
        """Whether nothing can be said on it any more."""
        return bool(self.conn.is_closed or self.muxer.event_shutting_down.is_set())

    def admit(self) -> None:
        """Both sides proved a common membership: streams may come."""
        self.muxer.room = guard.MEMBER_BYTES
        self.admitted.set()

    async def settled(self) -> None:
        """Wait until the link is admitted or closed."""
        async with trio.open_nursery() as nursery:

            async def wait(event: trio.Event) -> None:
                await event.wait()
                nursery.cancel_scope.cancel()

            nursery.start_soon(wait, self.admitted)
            nursery.start_soon(wait, self.muxer.event_shutting_down)

    def takes_stream(self) -> bool:
        """Tell whether one more stream of this peer is answered (its share of our handlers)."""
        return self.handlers < _HANDLERS

    def opening(self) -> bool:
        """Count a stream that the peer opened; False when it opens too many: cut it off."""
        now = trio.current_time()
        earned = (now - self._counted) * _OPENINGS_PER_SECOND
        self._openings = min(self._openings + earned, _OPENINGS_AT_ONCE) - 1
        self._counted = now
        return self._openings > 0

    async def open(self, protocol: str) -> MemberStream:
        """Open a stream; raises PeerError.

        The answer to the negotiation is read with the first read: a round trip less.
        """
        try:
            raw = await self.conn.new_stream()
        except _BROKEN as error:
            raise BrokenError(f"{self.peer} is gone") from error
        stream = MemberStream(raw, protocol)
        await stream.write(_delimited(_MULTISTREAM) + _delimited(protocol))
        return stream

    async def close(self) -> None:
        """Close the connection; bounded, never raises."""
        with trio.CancelScope(deadline=trio.current_time() + 2, shield=True):
            try:
                await self.conn.close()
            except Exception as error:  # noqa: BLE001 - it is closed all the same
                _LOG.debug("closing %s: %r", self.peer, error)
        await self.muxer.abort()


def _delimited(text: str) -> bytes:
    line = text.encode() + b"\n"
    assert len(line) < 128  # one byte of varint
    return bytes([len(line)]) + line


class MemberStream:
    """One stream of `wire.Stream` over libp2p's; `asked`: a protocol whose negotiation is open."""

    def __init__(self, raw: Any, asked: str = "") -> None:
        self._raw = raw
        self._asked = asked

    async def read(self, n: int) -> bytes:
        """Return 1 to `n` bytes, b"" at the end."""
        try:
            if self._asked:
                await self._negotiated()
            return bytes(await self._raw.read(n))
        except StreamEOF:
            return b""
        except _BROKEN as error:
            raise BrokenError("the stream broke") from error

    async def _negotiated(self) -> None:
        communicator = MultiselectCommunicator(self._raw)
        for expected in (_MULTISTREAM, self._asked):
            if (said := await communicator.read()) != expected:
                raise PeerError(f"the peer doesn't speak {self._asked} ({said[:40]!r})")
        self._asked = ""

    async def write(self, data: bytes) -> None:
        """Send all of `data`."""
        try:
            await self._raw.write(data)
        except _BROKEN as error:
            raise BrokenError("the stream broke") from error

    async def close(self) -> None:
        """End what we write."""
        try:
            await self._raw.close_write()
        except _BROKEN as error:
            raise BrokenError("the stream broke") from error

    async def reset(self) -> None:
        """Drop the stream both ways, also in a task that was cancelled."""
        with trio.CancelScope(deadline=trio.current_time() + 1, shield=True):
            try:
                await self._raw.reset()
            except _BROKEN as error:
                _LOG.debug("resetting a stream: %r", error)

    async def finish(self) -> None:
        """Close, and let the other side close as well, or reset after 2 s."""
        try:
            with trio.move_on_after(2) as scope:
                await self.close()
                while await self.read(4096):
                    pass
            if scope.cancelled_caught:
                await self.reset()
        except PeerError:
            await self.reset()
