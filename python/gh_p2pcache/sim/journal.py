"""What was asked: counts, and the last requests with tokens by name only."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from gh_p2pcache.records.message import Request

KEPT = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and what became of it; `status` 0 is a connection that got no answer."""

    at: float
    token: str
    request: Request
    route: str
    status: int
    billed: bool


@dataclass(slots=True)
class Journal:
    """Counts since the last reset, and the newest entries."""

    total: int = 0
    billed: int = 0
    not_modified: int = 0
    routes: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=KEPT))

    def add(self, entry: Entry) -> None:
        """Count and keep an entry."""
        self.total += 1
        self.billed += entry.billed
        self.not_modified += entry.status == 304
        self.routes[entry.route] += 1
        self.statuses[entry.status] += 1
        self.tokens[entry.token] += 1
        self.entries.append(entry)

    def report(self) -> dict[str, Any]:
        """Return everything as JSON data."""
        return {
            "total": self.total,
            "billed": self.billed,
            "not_modified": self.not_modified,
            "routes": dict(self.routes),
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "tokens": dict(self.tokens),
            "requests": [_line(entry) for entry in self.entries],
        }


def _line(entry: Entry) -> dict[str, Any]:
    request = entry.request
    headers = {
        name.decode("latin-1"): entry.token if name == b"authorization" else value.decode("latin-1")
        for name, value in request.headers
    }
    return {
        "at": entry.at,
        "token": entry.token,
        "method": request.method,
        "host": request.host,
        "target": request.target,
        "headers": headers,
        "body": request.body[:100_000].decode("utf-8", "replace"),
        "route": entry.route,
        "status": entry.status,
        "billed": entry.billed,
    }
