"""What the cache did: counters in memory, carried over a restart in one small file."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

from gh_p2pcache.engine.history import History
from gh_p2pcache.store.files import replace_text

_LOG = logging.getLogger(__name__)
SAVING = frozenset({"hit", "peer", "revalidated", "coalesced", "stale"})
"""Answers that cost nothing of GitHub's primary rate limit."""


class Stats:
    """Counters by what happened: `totals`, by route class, and by day, hour and caller.

    What happened: hit, peer, miss, revalidated, stale, coalesced, bypass; besides: error, upstream
    (calls sent to GitHub), bytes_served, bytes_fetched, and whatever `event` names.
    """

    def __init__(
        self,
        path: Path | None = None,
        days: Path | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._totals: Counter[str] = Counter()
        self._history = History(days, now=now, on_event=self.event)
        self._routes: dict[str, Counter[str]] = {}
        self._cells: dict[tuple[str, str, str], list[int]] = {}
        self._lock = Lock()
        self._saved = ""
        self._load()

    def answered(self, source: str, route: str, size: int, caller: str) -> None:
        """Count one answer of `size` body bytes; `caller` is the program that asked."""
        # A hot hit has 20 µs: one cell now, and `fold` does the rest for many at once.
        place = (route, caller, source)
        cell = self._cells.get(place)
        if cell is None:
            cell = self._cells[place] = [0, 0]
        cell[0] += 1
        cell[1] += size

    def fold(self) -> None:
        """Take what was answered into totals, routes and history; on the event loop only."""
        if not self._cells:
            return
        cells, self._cells = self._cells, {}
        with self._lock:
            for (route, caller, source), (count, size) in cells.items():
                self._totals[source] += count
                self._totals["bytes_served"] += size
                self._routes.setdefault(route, Counter())[source] += count
                self._history.add((route, caller), source, count, size)

    @property
    def totals(self) -> Counter[str]:
        """Counts by what happened, up to now."""
        self.fold()
        return self._totals

    def event(self, name: str, count: int = 1) -> None:
        """Count anything else that happens."""
        self._totals[name] += count

    def as_dict(self) -> dict[str, object]:
        """Return everything up to now, for `stats --json` and /stats."""
        self.fold()
        return self._document()

    def days(self, last: int) -> list[dict[str, Any]]:
        """Return the `last` days up to now, for `stats --since` and /history."""
        self.fold()
        return self._history.days(last)

    def _document(self) -> dict[str, object]:
        return {
            "totals": dict(self._totals),
            "calls_saved": sum(self._totals[name] for name in SAVING),
            "routes": {route: dict(counts) for route, counts in sorted(self._routes.items())},
        }

    def save(self) -> None:
        """Write what is folded, if it changed; a disk that refuses is logged, not raised."""
        with self._lock:
            text = json.dumps(self._document())
            day = self._history.text()
        self._history.save(*day)
        if self._path is None or text == self._saved:
            return
        try:
            replace_text(self._path, text)
        except OSError as error:
            self.event("stats_write_failed")
            _LOG.warning("statistics were not saved: %s", error)
        self._saved = text

    def _load(self) -> None:
        if self._path is None:
            return
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            self._totals.update({str(k): int(v) for k, v in kept["totals"].items()})
            for route, counts in kept["routes"].items():
                self._routes[str(route)] = Counter({str(k): int(v) for k, v in counts.items()})
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            self.event("stats_read_failed")
            _LOG.warning("statistics start at zero: %s", error)
