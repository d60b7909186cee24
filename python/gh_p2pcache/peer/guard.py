"""libp2p's connection, mended: nothing a peer sends may cost unbounded memory, or end the process.

Each class and function says which defect of py-libp2p 0.8.1 it is there for; all were reproduced.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import trio
from libp2p.network.connection.exceptions import RawConnError
from libp2p.stream_muxer.yamux import yamux

_LOG = logging.getLogger("gh_p2pcache.peer")

BEAT_SECONDS = 1.5
"""Of silence before a peer is pinged."""
SILENCE_SECONDS = 2.2
"""Without a pong before a peer counts as hung: with the beat, it is dropped within 4 s."""
_LISTENERS_SHARE = 0.1
"""Seconds that the side that was dialled waits longer: the other's ping tells it enough."""
_RTT_SECONDS = 30.0
_WRITE_SECONDS = 4.0
"""For one frame of at most 64 kB: slower is a peer that doesn't read."""
_QUEUE_FRAMES = 16
_LATE_SECONDS = 0.5
"""A pause of ours (a laptop that slept, a busy machine) is not the peer's silence."""
_HALF_CLOSED_SECONDS = 60.0

STRANGER_BYTES = 64 * 1024
"""Unread bytes that a peer may have here before it proved anything."""
MEMBER_BYTES = 32 * 1024 * 1024
_WINDOW = 1024 * 1024
"""Of a stream at most: 20 MB/s over 50 ms. The library's 16 MB let each stream hold that much."""
_HEADER = struct.Struct(yamux.YAMUX_HEADER_FORMAT)


class GuardedYamux(yamux.Yamux):  # type: ignore[misc]
    """The muxer with its memory bounded, its writes on a deadline, its life signs watched."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.received = 0
        self.sent = 0
        self.room = STRANGER_BYTES
        """Unread bytes that the peer may have here; more ends the connection."""
        self.secured_conn: Any
        self._life = self.secured_conn = _Life(self.secured_conn)
        self._half_closed: dict[int, float] = {}
        self._outbox, self._inbox = trio.open_memory_channel[bytes](_QUEUE_FRAMES)

    async def start(self) -> None:
        """Run until closed; an exception of the library's ends this connection, not the process."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write_all)
                await super().start()
                nursery.cancel_scope.cancel()
        except Exception:  # noqa: BLE001 - logged; one connection less
            _LOG.exception("a connection ended in an unexpected way")
            await self.abort()
        finally:
            # Who waits to open a stream would wait for ever; each that gives up wakes the next.
            self.stream_backlog_semaphore.release()

    async def abort(self) -> None:
        """Cut the connection without a word, as a peer that hangs would hear none."""
        try:
            await self.secured_conn.close()
        except Exception as error:  # noqa: BLE001 - whatever a broken socket says, it is closed
            _LOG.debug("closing a connection: %r", error)

    async def _read_data_body(self, length: int) -> bytes:
        """Read a frame's body; the library only warns of a peer that ignores its window."""
        unread = sum(map(len, self.stream_buffers.values()))
        if length > _WINDOW or unread + length > self.room:
            raise trio.TooSlowError  # which the library takes as: close this connection
        body: bytes = await super()._read_data_body(length)
        self.received += len(body)
        return body

    async def _write_frame(self, data: bytes) -> None:
        """Queue a frame; waits while the peer reads slowly.

        The library writes in the caller's task: a deadline of the caller's that ends in the middle
        of a frame breaks every stream of the connection.
        """
        with trio.move_on_after(_WRITE_SECONDS):
            try:
                await self._outbox.send(data)
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                raise RawConnError("the connection is closed") from error
            return
        await self.abort()
        raise RawConnError("the peer does not read")

    async def _write_all(self) -> None:
        with self._inbox:
            async for data in self._inbox:
                with trio.move_on_after(_WRITE_SECONDS) as scope:
                    try:
                        await self.secured_conn.write(data)
                    except Exception as error:  # noqa: BLE001 - a broken socket has many words
                        _LOG.debug("writing: %r", error)
                        break
                if scope.cancelled_caught:
                    break
                self.sent += len(data)
            await self.abort()

    async def _measure_rtt_loop(self) -> None:
        """Ping a peer that says nothing, and drop it when it doesn't answer.

        The library notices a stopped process after 35 s or never; its health monitor opens a
        stream for each probe, one peer after the other (3.7 ms CPU each).
        """
        patience = BEAT_SECONDS + (0.0 if self.is_initiator_value else _LISTENERS_SHARE)
        pinged = -_RTT_SECONDS
        while not self.event_shutting_down.is_set():
            now = trio.current_time()
            quiet = now - self._life.heard
            if quiet < patience and now - pinged < _RTT_SECONDS:
                with trio.move_on_after(patience - quiet):
                    await self.event_shutting_down.wait()
                continue
            pinged = now
            if not await self._ping():
                _LOG.info("%s is silent: dropped", self.peer_id)
                await self.abort()
                break

    async def _ping(self) -> bool:
        self._ping_id: int = (self._ping_id + 1) % 2**32
        self._ping_event = trio.Event()
        header = _HEADER.pack(0, yamux.TYPE_PING, yamux.FLAG_SYN, 0, self._ping_id)
        try:
            await self._write_frame(header)
        except RawConnError:
            return False
        self._ping_sent_time = trio.current_time()
        return await self._pong()

    async def _pong(self) -> bool:
        """Wait for the answer, or for anything else: on a slow line a pong comes after the data.

        Starts anew when we were the ones that paused.
        """
        asked = trio.current_time()
        while not self._ping_event.is_set():
            due = max(asked, self._life.heard) + SILENCE_SECONDS
            with trio.move_on_at(due):
                await self._ping_event.wait()
            now = trio.current_time()
            if now - due >= _LATE_SECONDS:
                asked = now
            elif now >= max(asked, self._life.heard) + SILENCE_SECONDS:
                return self._ping_event.is_set()
        return True

    def _sweep_stale_streams(self, now: float | None = None) -> int:
        """Forget streams that the peer never closes, which the library keeps for ever."""
        now = trio.current_time() if now is None else now
        half = {sid for sid, s in self.streams.items() if s.send_closed and not s.closed}
        self._half_closed = {sid: self._half_closed.get(sid, now) for sid in half}
        for sid, since in self._half_closed.items():
            if now - since > _HALF_CLOSED_SECONDS:
                stream = self.streams[sid]
                stream.closed = stream.recv_closed = True
                self.stream_buffers[sid].clear()
                self.stream_events[sid].set()
        return int(super()._sweep_stale_streams(now))


class _Life:
    """A secured connection that remembers when something was last heard on it."""

    def __init__(self, conn: Any) -> None:
        self._conn = conn
        self.heard = trio.current_time()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conn, name)

    async def read(self, n: int | None = None) -> bytes:
        """Read."""
        data: bytes = await self._conn.read(n)
        self.heard = trio.current_time()
        return data


def guard_tasks(service: Any) -> None:
    """Keep a running service alive when one of its tasks fails.

    The library cancels the whole service, and the host with it, for any exception of any task:
    of a handler, of a pubsub message with a garbage key, of a peer that hung up at a bad moment.
    """
    manager = service.get_manager()
    run_task: Callable[..., None] = manager.run_task

    def guarded_run_task(
        function: Callable[..., Awaitable[None]], *args: Any, **kwargs: Any
    ) -> None:
        async def guarded(*arguments: Any) -> None:
            try:
                await function(*arguments)
            except Exception as error:  # noqa: BLE001 - the process outlives whatever it was
                name = getattr(function, "__qualname__", function)
                _LOG.debug("a task of libp2p's failed: %s: %r", name, error)

        run_task(guarded, *args, **kwargs)

    manager.run_task = guarded_run_task


def mend() -> None:
    """Mend what is set for the whole process; call once, before the first host."""
    yamux.MAX_WINDOW_SIZE = _WINDOW
    _mend_listening()
    # Library warnings reach stderr through the root logger, which it also logs to directly.
    quiet = logging.getLogger("libp2p")
    quiet.propagate = False
    quiet.setLevel(logging.CRITICAL)


def _mend_listening() -> None:
    """Let no two processes listen on one port: SO_REUSEPORT, which the library sets, allows it."""
    import socket

    from libp2p.transport.tcp import tcp

    def set_flags(sock: Any) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sock.family == socket.AF_INET6:  # else "::" takes the IPv4 port as well and fails
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)

    tcp._set_reuse_flags = set_flags  # noqa: SLF001 - there is no option for it
