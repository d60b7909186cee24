"""Time as the engine sees it: a wall clock that nobody can jump, and GitHub's own."""

from __future__ import annotations

import time
from math import inf
from typing import Protocol

_TOLERANCE = 60.0
"""Seconds by which a machine's clock may differ from GitHub's without being called wrong."""

_MOST_SITES = 20

_BOOTTIME: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class TimeSource(Protocol):
    """Where seconds come from; tests have a virtual one."""

    def wall(self) -> float:
        """Return Unix seconds, which an administrator or NTP may change."""
        ...

    def steady(self) -> float:
        """Return seconds that only ever grow, time asleep included."""
        ...


class SystemTime:
    """The machine's clocks; CLOCK_BOOTTIME counts a laptop's sleep, CLOCK_MONOTONIC does not."""

    def wall(self) -> float:
        """See TimeSource."""
        return time.time()

    def steady(self) -> float:
        """See TimeSource."""
        return time.clock_gettime(_BOOTTIME)


class Clock:
    """Wall time anchored once, so that a jump of the system's clock ages or renews no record."""

    def __init__(self, source: TimeSource | None = None) -> None:
        self._steady = (source or SystemTime()).steady
        self._anchor = (source or SystemTime()).wall() - self._steady()
        self._offsets: dict[str, float] = {}

    def now(self) -> float:
        """Return Unix seconds by the anchored clock."""
        return self._anchor + self._steady()

    def saw(self, github_date: int, site: str) -> None:
        """Learn GitHub's time from the Date of an answer that just came from `site`.

        Once github.com has told it, a GitHub Enterprise Server with a clock of its own does not.
        """
        self._offsets.pop(site, None)
        self._offsets[site] = github_date - self._steady()
        while len(self._offsets) > _MOST_SITES:
            del self._offsets[next(iter(self._offsets))]

    @property
    def knows_github(self) -> bool:
        """Whether an answer has told GitHub's time since the start."""
        return bool(self._offsets)

    def github_now(self) -> float:
        """Return what GitHub's clock should say; ours until an answer has come."""
        if not self._offsets:
            return self.now()
        offset = self._offsets.get("github.com")
        if offset is None:
            offset = next(reversed(self._offsets.values()))
        return offset + self._steady()

    def latest_now(self) -> float:
        """Return what the clock should say that is ahead of all others of GitHub's."""
        return max(self._offsets.values()) + self._steady() if self._offsets else self.now()

    def locally(self, github_date: int) -> float:
        """Return when, by our clock, GitHub's was `github_date`; now where that is yet to come."""
        return self.now() - max(self.github_now() - github_date, 0.0)

    def age(self, validated_at: float, github_date: int) -> float:
        """Return the seconds since a validation, by whichever clock makes it older.

        `github_date` 0: it was none of GitHub's.

        Infinite when it lies in the future of either clock: one was wrong then or is now. GitHub's
        own counts too, with a minute of tolerance, so that a clock set back between two runs of
        the gateway does not make an old record young again.
        """
        by_ours = self.now() - validated_at
        by_github = self.github_now() - github_date if github_date else 0.0
        if by_ours < -1 or by_github < -_TOLERANCE:
            return inf
        return max(by_ours, by_github - _TOLERANCE, 0.0)
