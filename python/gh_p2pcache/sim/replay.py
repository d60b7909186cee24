"""Recorded answers of the real GitHub, served again byte for byte."""

from __future__ import annotations

import gzip
import json
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gh_p2pcache.records.message import Request, header
from gh_p2pcache.sim.answers import Answer, error
from gh_p2pcache.sim.wire import FIXED

EVERYWHERE = frozenset(
    b"server date content-length content-type connection x-github-request-id".split()
)
"""Fields that the sim makes itself, also for a recorded answer."""
API = frozenset(b"etag vary x-oauth-scopes x-accepted-oauth-scopes x-github-media-type".split()) | {
    name for name, _ in FIXED
}
"""More of them, for the API's answers; rate limits too."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Recorded exchanges by (host, target, Accept): one row a recording, in their order."""

    exchanges: dict[tuple[str, str, str], list[dict[str, Any]]]

    @classmethod
    def load(cls, path: Path) -> Replay:
        """Read a gzipped JSON list of exchanges: host, target, accept, status, headers, body."""
        exchanges: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        for row in json.loads(gzip.decompress(path.read_bytes())):
            key = (row["host"], row["target"], row["accept"])
            exchanges.setdefault(key, []).append(row)
        return cls(exchanges)

    def answer(self, request: Request, step: int) -> Answer:
        """Return the recorded answer to a read, of several the one numbered `step` or the last."""
        accept = (header(request.headers, b"accept") or b"").decode("latin-1")
        rows = self.exchanges.get((request.host, request.target, accept))
        if rows is None or request.method not in ("GET", "HEAD"):
            raise error(404)
        return _answer(rows[min(step, len(rows) - 1)])


def _answer(row: dict[str, Any]) -> Answer:
    """Return a row as an answer; files on other hosts have no validator but the recorded field."""
    fields = [(name.lower().encode(), value.encode()) for name, value in row["headers"]]
    named, api = dict(fields), row["host"] == "api.github.com"
    opaque = named.get(b"etag", b"").removeprefix(b"W/").strip(b'"').decode() if api else ""
    media = named.get(b"x-github-media-type", b"").decode()
    ours = EVERYWHERE | (API if api else frozenset())
    ours |= {b"cache-control"} if opaque else set()
    ours |= {b"x-github-api-version-selected"} if media else set()
    return Answer(
        row["status"],
        body=b64decode(row["base64"]) if "base64" in row else row["body"].encode(),
        content_type=named.get(b"content-type", b""),
        headers=[f for f in fields if f[0] not in ours and not f[0].startswith(b"x-ratelimit-")],
        etag=bool(opaque),
        opaque=opaque if opaque and len(opaque) != 64 else None,
        media=media,
    )
