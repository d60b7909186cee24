"""What the cache did: counters in memory, carried over a restart in one small file."""

from __future__ import annotations

import json
import logging
from collections import Counter
from pathlib import Path

_LOG = logging.getLogger(__name__)
SAVING = frozenset({"hit", "peer", "revalidated", "coalesced", "stale"})
"""Answers that cost nothing of GitHub's primary rate limit."""


class Stats:
    """Counters: `totals` by what happened, `routes` by (route class, what happened).

    What happened: hit, peer, miss, revalidated, stale, coalesced, bypass; besides: error, upstream
    (calls sent to GitHub), bytes_served, bytes_fetched, and whatever `event` names.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.totals: Counter[str] = Counter()
        self.routes: dict[str, Counter[str]] = {}
        self._saved = ""
        self._load()

    def answered(self, source: str, route: str, size: int) -> None:
        """Count one answer of `size` body bytes."""
        totals = self.totals
        totals[source] += 1
        totals["bytes_served"] += size
        by_route = self.routes.get(route)
        if by_route is None:
            by_route = self.routes[route] = Counter()
        by_route[source] += 1

    def event(self, name: str, count: int = 1) -> None:
        """Count anything else that happens."""
        self.totals[name] += count

    def as_dict(self) -> dict[str, object]:
        """Return everything, for `stats --json` and /stats."""
        return {
            "totals": dict(self.totals),
            "calls_saved": sum(self.totals[name] for name in SAVING),
            "routes": {route: dict(counts) for route, counts in sorted(self.routes.items())},
        }

    def save(self) -> None:
        """Write the counters if they changed; a disk that refuses is logged, not raised."""
        text = json.dumps(self.as_dict())
        if self._path is None or text == self._saved:
            return
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_text(text, encoding="utf-8")
            fresh.chmod(0o600)
            fresh.replace(self._path)
        except OSError as error:
            self.event("stats_write_failed")
            _LOG.warning("statistics were not saved: %s", error)
        self._saved = text

    def _load(self) -> None:
        if self._path is None:
            return
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            self.totals.update({str(k): int(v) for k, v in kept["totals"].items()})
            for route, counts in kept["routes"].items():
                self.routes[str(route)] = Counter({str(k): int(v) for k, v in counts.items()})
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            self.event("stats_read_failed")
            _LOG.warning("statistics start at zero: %s", error)
