"""Hot hits without ASGI: from the parser's callback to bytes on the wire, in one go.

uvicorn checks and joins GitHub's 25 header fields anew for each answer, which costs more than the
whole look-up; here they are joined once a record. Anything out of the ordinary returns None and
takes the long way through the app.
"""

from __future__ import annotations

from gh_p2pcache.engine.call import Call
from gh_p2pcache.engine.flow import Engine
from gh_p2pcache.engine.shelf import Entry
from gh_p2pcache.policy.conditional import wants_gzip
from gh_p2pcache.records.message import Headers, header

_REMEMBERED = 4096
_CLOSE = b"connection: close\r\n\r\n"
_KEEP = b"\r\n"
Place = tuple[bytes, Headers]


class Hot:
    """Remembers the calls of one door by target and header fields, and answers those it can."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._calls: dict[Place, Call] = {}
        self.used = False

    def learn(self, call: Call) -> None:
        """Remember a GET that may be answered this way when it comes again."""
        request = call.request
        if request.method != "GET" or call.plan.action != "keep" or call.wishes.call is not None:
            return
        headers = request.headers
        if header(headers, b"if-none-match") is not None or not wants_gzip(headers):
            return
        if len(self._calls) >= _REMEMBERED:
            self._calls.clear()
        self._calls[request.target.encode("latin-1"), headers] = call

    def answer(
        self, target: bytes, headers: Headers, *, keep_alive: bool
    ) -> tuple[bytes, bytes] | None:
        """Return head and body of an HTTP/1.1 answer, or None."""
        call = self._calls.get((target, headers))
        if call is None:
            return None
        entry = self._engine.hot(call)
        if entry is None or entry.record.status != 200:
            return None
        self.used = True
        desk = self._engine.desk
        etag = desk.etag(call, entry)
        age = desk.age(entry)
        head = b"%b%bcache-status: gh-p2pcache; hit; ttl=%d\r\nage: %d\r\n%b" % (
            entry.head or _head(entry),
            b"" if etag is None else b"etag: %b\r\n" % etag,
            min(call.life, entry.validation.ttl) - age,
            age,
            _KEEP if keep_alive else _CLOSE,
        )
        return head, entry.record.body


def _head(entry: Entry) -> bytes:
    fields = b"".join(b"%b: %b\r\n" % field for field in entry.base)
    entry.head = b"HTTP/1.1 200 OK\r\n%bx-gh-cache-status: HIT\r\ncontent-length: %d\r\n" % (
        fields,
        len(entry.record.body),
    )
    return entry.head
