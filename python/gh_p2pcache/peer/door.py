"""The peer process's door to its gateway: the private socket, one gateway at a time.

The gateway may come, go, hang and come again; the peer process doesn't wait for it. What it does
not read is dropped with it, what it says is read only as fast as it is dealt with.
"""

from __future__ import annotations

import logging
import os
import socket
from collections import deque
from typing import Protocol

import trio

from gh_p2pcache.credentials import peer_uid
from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.frames import LOCAL_LIMIT
from gh_p2pcache.peer.messages import (
    TO_PEER,
    Hello,
    Keep,
    Message,
    Unknown,
    frame,
    read_message,
)

_LOG = logging.getLogger("gh_p2pcache.peer")

_PATIENCE = 5.0
"""Seconds in which a gateway must have read what is written at a time (256 kB)."""
_PIECE = 256 << 10
_MOST_MESSAGES = 4096
_MOST_BYTES = LOCAL_LIMIT + (16 << 20)
_MOST_KEPT_BYTES = 16 << 20
"""Of what waits to be written, beyond which records to keep for others are let go."""
_HELLO_WITHIN = 5.0


class Desk(Protocol):
    """What the peer process does for its gateway."""

    async def take(self, message: Message) -> None:
        """Deal with a message; waiting here is what slows a gateway down that says too much."""
        ...

    def left(self) -> None:
        """Note that the gateway is gone: nobody will end what it began."""
        ...


class Door:
    """Listens on the private socket; `desk` deals with what comes once it is open."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._first: Hello | None = None
        self._greeted = trio.Event()
        self._opened = trio.Event()
        self._desk: Desk | None = None
        self._line: _Line | None = None
        self.changed = trio.Event()
        """A hello came that this process is not made for: it is to be executed anew."""

    async def run(self) -> None:
        """Accept gateways, for ever; raises OSError when the listening socket is broken."""
        self._listener.setblocking(False)
        listener = trio.socket.from_stdlib_socket(self._listener)
        async with trio.open_nursery() as nursery:
            while True:
                connection, _ = await listener.accept()
                if peer_uid(connection) != os.getuid():  # type: ignore[arg-type]
                    _LOG.warning("another user's process at the private socket: refused")
                    connection.close()
                    continue
                nursery.start_soon(self._talk, trio.SocketStream(connection))

    async def hello(self) -> Hello:
        """Return what the first gateway said it wants; waits for it."""
        await self._greeted.wait()
        assert self._first is not None
        return self._first

    def open(self, desk: Desk) -> None:
        """Deal with messages from now on; until then the gateway's wait in its socket."""
        self._desk = desk
        self._opened.set()

    def send(self, message: Message) -> None:
        """Say something to the gateway, if there is one; never waits."""
        if self._line is not None:
            self._line.send(message)

    async def _talk(self, stream: trio.SocketStream) -> None:
        """Serve one connection to its end."""
        line = _Line(stream)
        try:
            with line.life:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(line.write)
                    await self._listen(line)
                    nursery.cancel_scope.cancel()
        finally:
            if self._line is line:
                self._line = None
                self._left()
            await trio.aclose_forcefully(stream)

    async def _listen(self, line: _Line) -> None:
        try:
            first = None
            with trio.move_on_after(_HELLO_WITHIN):
                first = await line.hear()
            if not isinstance(first, Hello):
                return
            self._greet(first)
            await self._opened.wait()
            self._replace(line)
            await self._take(first)
            while (message := await line.hear()) is not None:
                if isinstance(message, Hello):
                    self._greet(message)
                await self._take(message)
        except RejectedError as error:
            _LOG.warning("the gateway said what cannot be: %s", error)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            _LOG.debug("the gateway is gone")

    async def _take(self, message: Message) -> None:
        assert self._desk is not None
        if not isinstance(message, Unknown):
            await self._desk.take(message)

    def _left(self) -> None:
        if self._desk is not None:
            self._desk.left()

    def _greet(self, hello: Hello) -> None:
        if self._first is None:
            self._first = hello
            self._greeted.set()
        elif _process_of(hello) != _process_of(self._first):
            self.changed.set()

    def _replace(self, line: _Line) -> None:
        """Make this the gateway; the one before, if it is still there, has been replaced."""
        if self._line is not None:
            self._line.drop("another gateway came")
            self._left()
        self._line = line


def _process_of(hello: Hello) -> tuple[object, ...]:
    """Return what a running process cannot change: topics are subscribed before the start."""
    scopes = frozenset((scope.id, scope.member, scope.topic) for scope in hello.scopes)
    bootstrap = frozenset(hello.bootstrap)
    return scopes, hello.port, bootstrap, hello.mdns, hello.keeper, hello.max_blob


class _Line:
    """One connection: messages in, and a bounded queue of messages out."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._more = trio.Event()
        self.life = trio.CancelScope()

    async def read(self, n: int, /) -> bytes:
        """Return 1 to `n` bytes, b"" at the end."""
        return bytes(await self._stream.receive_some(min(n, _PIECE)))

    async def hear(self) -> Message | None:
        """Return the next message, None at the end."""
        return await read_message(self, TO_PEER, LOCAL_LIMIT)

    def send(self, message: Message) -> None:
        """Queue a message; a queue that is too long ends the line."""
        data = frame(message, LOCAL_LIMIT)
        if isinstance(message, Keep) and self._bytes + len(data) > _MOST_KEPT_BYTES:
            return
        if len(self._queue) >= _MOST_MESSAGES or self._bytes + len(data) > _MOST_BYTES:
            self.drop("it does not read")
            return
        self._queue.append(data)
        self._bytes += len(data)
        self._more.set()

    def drop(self, why: str) -> None:
        """End the connection."""
        _LOG.info("the gateway's connection is dropped: %s", why)
        self._queue.clear()
        self.life.cancel()

    async def write(self) -> None:
        """Write what is queued, for ever; drops the line when it is not read."""
        while True:
            await self._more.wait()
            while self._queue:
                await self._write(self._queue.popleft())
            self._more = trio.Event()

    async def _write(self, data: bytes) -> None:
        try:
            view = memoryview(data)
            for start in range(0, len(data), _PIECE):
                with trio.fail_after(_PATIENCE):
                    await self._stream.send_all(view[start : start + _PIECE])
        except trio.TooSlowError:
            self.drop("it does not read")
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.drop("it is gone")
        finally:
            self._bytes -= len(data)
