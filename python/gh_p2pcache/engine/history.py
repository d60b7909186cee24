"""What the cache did, by day, hour, route and caller: a small file a day, without any address."""

from __future__ import annotations

import json
import logging
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from gh_p2pcache.store.files import replace_text

_LOG = logging.getLogger(__name__)
KEPT_DAYS = 31
OTHER = "other"
"""The route and the caller of what comes when a day has had as many of both as it may."""

_ROWS = 500
"""Pairs of route and caller in a day: some 50 kB."""

_NAME = re.compile(r"\d{4}-\d\d-\d\d")
BYTES = "bytes"
"""Beside the sources in a row: body bytes given."""


@dataclass
class Day:
    """`hours` counts answers by source in each hour; `rows` by (route, caller), bytes included."""

    hours: dict[int, Counter[str]] = field(default_factory=dict)
    rows: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)

    def add(self, hour: int, place: tuple[str, str], source: str, count: int, size: int) -> None:
        """Count answers of one kind; `place` is (route, caller)."""
        self.hours.setdefault(hour, Counter())[source] += count
        if place not in self.rows and len(self.rows) >= _ROWS:
            place = (OTHER, OTHER)
        row = self.rows.setdefault(place, Counter())
        row[source] += count
        row[BYTES] += size

    def as_dict(self, name: str) -> dict[str, Any]:
        """Return the day as it is kept, and as `/history` tells it."""
        rows = [
            {"route": route, "caller": caller} | dict(counts)
            for (route, caller), counts in self.rows.items()
        ]
        hours = {str(hour): dict(counts) for hour, counts in sorted(self.hours.items())}
        return {"day": name, "hours": hours, "rows": rows}

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Day:
        """Return a day that was kept. Raises ValueError, KeyError, TypeError or AttributeError."""
        day = cls()
        for hour, counts in kept["hours"].items():
            day.hours[int(hour)] = Counter({str(k): int(v) for k, v in counts.items()})
        for row in kept["rows"]:
            named = {"route", "caller"}
            counts = Counter({str(k): int(v) for k, v in row.items() if k not in named})
            day.rows[str(row["route"]), str(row["caller"])] = counts
        return day


class History:
    """Days in `directory`, today's in memory; a day begins at midnight, local time.

    Without a directory nothing is kept. What cannot be read or written is logged and told to
    `on_event`.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        now: Callable[[], float] = time.time,
        on_event: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._directory = directory
        self._now = now
        self._on_event = on_event
        self._date = self._local().date()
        self._today = self._read(self._date) or Day()
        self._saved = ""

    def add(self, place: tuple[str, str], source: str, count: int, size: int) -> None:
        """Count `count` answers of `size` body bytes in all, as given just now."""
        now = self._local()
        if now.date() != self._date:
            self.save(*self.text())
            self._date, self._today = now.date(), self._read(now.date()) or Day()
            self._remove_old()
        self._today.add(now.hour, place, source, count, size)

    def days(self, last: int) -> list[dict[str, Any]]:
        """Return the `last` days with today, oldest first; one without a call has no rows."""
        today = self._local().date()
        told = []
        for back in range(min(last, KEPT_DAYS) - 1, -1, -1):
            when = today - timedelta(days=back)
            day = self._today if when == self._date else self._read(when) or Day()
            told.append(day.as_dict(when.isoformat()))
        return told

    def text(self) -> tuple[str, str]:
        """Return today's name and what is to be kept of it, for `save`."""
        name = self._date.isoformat()
        return name, json.dumps(self._today.as_dict(name)) if self._today.rows else ""

    def save(self, name: str, text: str) -> None:
        """Write a day if it changed; a disk that refuses is logged, not raised."""
        if self._directory is None or text in {"", self._saved}:
            return
        path = self._directory / f"{name}.json"
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_text(path, text)
        except OSError as error:
            self._on_event("history_write_failed")
            _LOG.warning("the history was not saved: %s", error)
        self._saved = text

    def _local(self) -> datetime:
        return datetime.fromtimestamp(self._now()).astimezone()

    def _read(self, when: date) -> Day | None:
        if self._directory is None:
            return None
        path = self._directory / f"{when.isoformat()}.json"
        try:
            return Day.of(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            self._on_event("history_read_failed")
            _LOG.warning("the history of %s is left out: %s", when, error)
            return None

    def _remove_old(self) -> None:
        """Keep KEPT_DAYS files of days; others in the directory are not ours to touch."""
        if self._directory is None:
            return
        oldest = (self._date - timedelta(days=KEPT_DAYS - 1)).isoformat()
        try:
            for path in self._directory.glob("*.json"):
                if _NAME.fullmatch(path.stem) and path.stem < oldest:
                    path.unlink()
        except OSError as error:
            self._on_event("history_write_failed")
            _LOG.warning("old history was not removed: %s", error)
