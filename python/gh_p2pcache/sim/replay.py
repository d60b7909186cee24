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

OURS = frozenset(
    b"server date content-length content-encoding connection etag vary cache-control "
    b"x-github-request-id x-oauth-scopes x-accepted-oauth-scopes".split()
)
"""Fields that the sim makes itself, also for a recorded answer."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Recorded exchanges by (host, target, Accept)."""

    exchanges: dict[tuple[str, str, str], dict[str, Any]]

    @classmethod
    def load(cls, path: Path) -> Replay:
        """Read a gzipped JSON list of exchanges."""
        rows = json.loads(gzip.decompress(path.read_bytes()))
        return cls({(row["host"], row["target"], row["accept"]): row for row in rows})

    def answer(self, request: Request) -> Answer:
        """Return the recorded answer to a read; 404 for what was not recorded."""
        accept = (header(request.headers, b"accept") or b"").decode("latin-1")
        row = self.exchanges.get((request.host, request.target, accept))
        if row is None or request.method not in ("GET", "HEAD"):
            raise error(404)
        body = b64decode(row["base64"]) if "base64" in row else row["body"].encode()
        fields = [(name.lower().encode(), value.encode()) for name, value in row["headers"]]
        kept = [f for f in fields if f[0] not in OURS and not f[0].startswith(b"x-ratelimit-")]
        return Answer(row["status"], body=body, headers=kept, etag=row["status"] == 200)
