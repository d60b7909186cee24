"""Hot hits without ASGI: from the parser's callback to bytes on the wire, in one go.

uvicorn checks and joins GitHub's 25 header fields anew for each answer, which costs more than the
whole look-up; here they are joined once a record. Anything out of the ordinary returns None and
takes the long way through the app.
"""

from __future__ import annotations

import logging

from gh_p2pcache.engine.call import Call
from gh_p2pcache.engine.flow import Engine
from gh_p2pcache.engine.shelf import Entry
from gh_p2pcache.gateway.activity import Activity, What, what_of
from gh_p2pcache.policy.conditional import wants_gzip
from gh_p2pcache.records.message import Headers, header

_LOG = logging.getLogger(__name__)
_REMEMBERED = 4096
_CLOSE = b"connection: close\r\n\r\n"
_KEEP = b"\r\n"
Place = tuple[bytes, Headers]


class Hot:
    """Remembers the calls of one door by target and header fields, and answers those it can."""

    def __init__(self, engine: Engine, activity: Activity) -> None:
        self._engine = engine
        self._activity = activity
        self._calls: dict[Place, tuple[Call, What]] = {}
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
        self._calls[request.target.encode("latin-1"), headers] = call, what_of(call)

    def answer(
        self, target: bytes, headers: Headers, caller: str, *, keep_alive: bool
    ) -> tuple[bytes, bytes] | None:
        """Return head and body of an HTTP/1.1 answer to the program `caller`, or None."""
        known = self._calls.get((target, headers))
        if known is None:
            return None
        try:
            return self._answer(*known, caller, keep_alive=keep_alive)
        except Exception:  # noqa: BLE001 - the parser would call it the client's error
            _LOG.exception("an error of ours; the call goes the long way")
            self._engine.stats.event("internal_error")
            return None

    def _answer(
        self, call: Call, what: What, caller: str, *, keep_alive: bool
    ) -> tuple[bytes, bytes] | None:
        activity = self._activity
        began = activity.clock() if activity.room else 0.0
        entry = self._engine.hot(call, caller)
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
        body = entry.record.body
        if began:
            activity.hit(call, what, began, len(body), caller)
        return head, body


def _head(entry: Entry) -> bytes:
    fields = b"".join(b"%b: %b\r\n" % field for field in entry.base)
    entry.head = b"HTTP/1.1 200 OK\r\n%bx-gh-cache-status: HIT\r\ncontent-length: %d\r\n" % (
        fields,
        len(entry.record.body),
    )
    return entry.head
