"""What time it is at GitHub, as far as this machine can know."""

from __future__ import annotations

from collections.abc import Callable

AHEAD = 60.0
"""Seconds that a `Date` may lie ahead of the clock: more is a forgery, or our clock is slow."""


class GitHubTime:
    """Unix seconds by `wall`, moved up where GitHub's own `Date` has shown that it is slow.

    A clock that is fast needs no mending here: it only lets a little more of the future in.
    """

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._behind = 0.0

    def learn(self, date: int) -> None:
        """Take a `Date` that this machine's gateway had from GitHub (no one else's is believed)."""
        self._behind = max(self._behind, date - self._wall())

    def __call__(self) -> float:
        """Return the time."""
        return self._wall() + self._behind
