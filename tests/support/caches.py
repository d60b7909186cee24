"""Caches of the Python API on directories and clocks of a test's own."""

from __future__ import annotations

from pathlib import Path

from gh_p2pcache import settings
from gh_p2pcache.api import Cache
from gh_p2pcache.engine.clock import TimeSource


class VirtualTime:
    """Clocks that stand still until a test moves them."""

    def __init__(self) -> None:
        self._wall = 1_700_000_000.0
        self._steady = 50_000.0

    def wall(self) -> float:
        return self._wall

    def steady(self) -> float:
        return self._steady

    def advance(self, seconds: float) -> None:
        self._wall += seconds
        self._steady += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock, as an administrator does."""
        self._wall += seconds


def environment(root: Path, **changed: str) -> dict[str, str]:
    """Return the variables that put a cache below `root` and nowhere else."""
    return {
        "HOME": str(root),
        "CACHE_DIR": str(root / "cache"),
        "CACHE_STATE_DIR": str(root / "state"),
        **changed,
    }


def new_cache(root: Path, time: TimeSource | None = None, **changed: str) -> Cache:
    """Return a cache of its own, as another process would have it."""
    return Cache(settings.load(environment(root, **changed)), time)
