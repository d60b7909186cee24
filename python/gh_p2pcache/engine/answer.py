"""What the gateway sends back, and the words that say where it came from (RFC 9211)."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from gh_p2pcache.records.message import Headers

HIT = "HIT"
PEER = "PEER"
REVALIDATED = "REVALIDATED"
COALESCED = "COALESCED"
STALE = "STALE"
MISS = "MISS"
BYPASS = "BYPASS"

_CACHE = b"gh-p2pcache"


@dataclass(slots=True)
class Answer:
    """A whole answer, or its head with a body that is still coming (`stream`).

    `source` is one of the words above; `absent` marks the 504 of a cache-only request.
    """

    status: int
    headers: Headers
    body: bytes
    source: str
    stream: AsyncGenerator[bytes, None] | None = None
    age: int = 0
    detail: str = ""
    absent: bool = False


def cache_fields(
    source: str, age: float, *, remaining: float | None = None, detail: str = ""
) -> Headers:
    """Return Cache-Status (RFC 9211), Age (RFC 9111 section 5.1) and X-GH-Cache-Status.

    `remaining`: seconds of freshness left, negative when stale. `detail`: the reason in a word or
    two (why it was forwarded, or what a stale answer bridges).
    """
    match source:
        case "HIT" | "STALE" | "PEER":
            status = b"; hit"
        case "REVALIDATED":
            status = b"; fwd=stale; fwd-status=304"
        case "COALESCED":
            status = b"; fwd=miss; collapsed"
        case "MISS":
            status = b"; fwd=miss"
        case _:
            status = b"; fwd=bypass"
    if remaining is not None:
        status += b"; ttl=%d" % max(min(remaining, 604800), -604800)
    if detail:
        status += b'; detail="%b"' % detail.encode("ascii", "replace").replace(b'"', b"'")
    return (
        (b"cache-status", _CACHE + status),
        (b"age", b"%d" % max(age, 0)),
        (b"x-gh-cache-status", source.encode()),
    )


def coalesced(given: Answer) -> Answer:
    """Return the answer of somebody else's call in flight as this call's own."""
    fields = cache_fields(COALESCED, 0, detail=given.detail)
    replaced = {name for name, _ in fields}
    headers = tuple(field for field in given.headers if field[0] not in replaced)
    return Answer(given.status, headers + fields, given.body, COALESCED, detail=given.detail)


def own_answer(status: int, document: Mapping[str, object], source: str = BYPASS) -> Answer:
    """Return a JSON document of ours."""
    body = json.dumps(document).encode()
    headers = (
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
    )
    return Answer(status, headers + cache_fields(source, 0), body, source)


def own_error(status: int, message: str) -> Answer:
    """Return an error of ours in the shape of GitHub's, which gh prints as it prints those."""
    return own_answer(status, {"message": f"gh-p2pcache: {message}"}, MISS)
