"""The HTTP parser in front of the app: who may connect, and how large a request's head may be."""

from __future__ import annotations

import asyncio
import os
import socket
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from gh_p2pcache.credentials import peer_uid
from gh_p2pcache.gateway.callers import OVER_HTTP
from gh_p2pcache.gateway.hot import Hot
from gh_p2pcache.records.message import Headers

HEAD_LIMIT = 65536
"""Bytes of request line and header fields, of trailers, of a chunk's extensions; uvicorn has no
limit of its own, and each of these blocks the loop (a head of 50 MB for 2.2 s, a trailer of 100 MB
for more than 20, measured)."""

_SLICE = 16384
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


def write_whole(cycle: RequestResponseCycle, status: int, headers: Headers, body: bytes) -> bool:
    """Write a whole answer at once, and end the cycle as uvicorn's `send` does.

    That checks GitHub's 25 fields one by one and writes twice. False, and nothing is written, for
    what is better left to it: a client that reads slowly, an odd field, a body of another length.
    """
    bodiless = status in {204, 304} or cycle.scope["method"] == "HEAD"
    framed = bodiless or (b"content-length", b"%d" % len(body)) in headers
    fields = b"\r\n".join(map(b": ".join, headers))
    sound = fields.count(b"\r") == fields.count(b"\n") == len(headers) - 1 and b"\0" not in fields
    if not (framed and sound) or cycle.flow.write_paused:
        return False
    if cycle.disconnected:
        return True
    end = b"\r\n\r\n" if cycle.keep_alive else b"\r\nconnection: close\r\n\r\n"
    head = b"%b%b%b" % (STATUS_LINE[status], fields, end)
    cycle.transport.writelines((head,) if bodiless else (head, body))
    cycle.response_started = cycle.response_complete = True
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
    return True


class DoorProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a same-user check, a limit on the head, and the verbatim target."""

    _leading_nowhere = 0
    _in_head = True
    _answered = False
    _hot: Hot | None = None
    _caller = OVER_HTTP

    app: Any

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse another user's process at once; loopback TCP has its secret path instead."""
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection.family != socket.AF_UNIX:
            return
        if peer_uid(connection) != os.getuid():
            transport.abort()
            return
        self._hot = self.app.hot(connection.getsockname())
        if self._hot is not None:
            self._caller = self.app.callers.of(connection)

    def data_received(self, data: bytes) -> None:
        """Feed the parser in slices, so that a huge head is refused before it is parsed."""
        if not self._in_head or (len(data) <= _SLICE and self._leading_nowhere == 0):
            self._feed(data)
            return
        for start in range(0, len(data), _SLICE):
            if self.transport.is_closing():
                return
            self._feed(data[start : start + _SLICE])

    def _feed(self, data: bytes) -> None:
        """Cut off whoever sends HEAD_LIMIT bytes without an end: of a head, a trailer, a chunk."""
        self._leading_nowhere += len(data)
        super().data_received(data)
        if self._leading_nowhere <= HEAD_LIMIT or self.transport.is_closing():
            return
        if self._in_head and self._free():
            self.transport.write(_TOO_LARGE)
        self.transport.close()

    def on_message_begin(self) -> None:
        """Start counting a head."""
        super().on_message_begin()
        self._in_head = True
        self._answered = False

    def on_headers_complete(self) -> None:
        """Answer a hot hit at once; else hand on the target as it came (with an empty `?`).

        And the connection: closing it is the only way to break off an answer that has begun.
        """
        self._in_head = False
        self._leading_nowhere = 0
        if self._hot is not None and self._free() and self.parser.get_method() == b"GET":
            keep_alive = self.parser.should_keep_alive()
            headers = tuple(self.headers)
            given = self._hot.answer(self.url, headers, self._caller, keep_alive=keep_alive)
            if given is not None:
                self._answered = True
                self.transport.writelines(given)
                return
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope["raw_target"] = self.url
        scope["transport"] = self.transport
        scope["caller"] = self._caller
        super().on_headers_complete()
        scope["write_whole"] = partial(write_whole, self.cycle)

    def on_body(self, body: bytes) -> None:
        """Take in a body, unless the answer is out already (a GET's is nothing to us)."""
        self._leading_nowhere = 0
        if not self._answered:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Count what follows as the next request's head."""
        self._in_head = True
        self._leading_nowhere = 0
        if not self._answered:
            super().on_message_complete()
        elif self.parser.should_keep_alive():
            self.on_response_complete()
        else:
            self.transport.close()

    def _free(self) -> bool:
        """Tell whether no other answer of this connection is under way or waiting."""
        idle = self.cycle is None or self.cycle.response_complete
        return idle and not self.pipeline and not self.flow.write_paused
