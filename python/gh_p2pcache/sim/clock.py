"""Time as the small GitHub tells it: an injected clock plus a shift that tests can set."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import formatdate
from functools import lru_cache


@dataclass(slots=True)
class Clock:
    """Seconds since 1970 by `source`, moved by `shift` seconds."""

    source: Callable[[], float] = time.time
    shift: float = 0.0

    def now(self) -> float:
        """Return unix seconds."""
        return self.source() + self.shift


def http_date(seconds: float) -> bytes:
    """Return unix seconds as an HTTP date (RFC 9110 section 5.6.7)."""
    return _http_date(int(seconds))


@lru_cache(maxsize=1024)
def _http_date(seconds: int) -> bytes:
    return formatdate(seconds, usegmt=True).encode()


def iso(seconds: float | None) -> str | None:
    """Return unix seconds as GitHub's JSON has them: 2025-06-01T12:00:00Z."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
