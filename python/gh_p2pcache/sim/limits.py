"""GitHub's limits: an hourly budget a token and resource, and secondary limits on top."""

from __future__ import annotations

from dataclasses import dataclass, field

from gh_p2pcache.sim.tokens import Token

WINDOWS = {"search": (30, 60), "code_search": (10, 60), "graphql": (5000, 3600)}
"""Resource -> (limit, seconds of a window); everything else is core."""


@dataclass(slots=True)
class Window:
    """One budget: `reset` is unix seconds."""

    limit: int
    used: int
    reset: int
    seconds: int

    @property
    def remaining(self) -> int:
        """Return what is left of the budget."""
        return max(0, self.limit - self.used)


@dataclass(slots=True)
class Secondary:
    """A secondary limit until `until`; `retry_after` is "seconds", "date" or "none"."""

    until: float
    retry_after: str = "seconds"
    status: int = 403


@dataclass(slots=True)
class Limits:
    """Budgets by (token name, resource), secondary limits by token name."""

    windows: dict[tuple[str, str], Window] = field(default_factory=dict)
    secondary: dict[str, Secondary] = field(default_factory=dict)

    def window(self, token: Token, resource: str, now: float) -> Window:
        """Return a token's present budget; one that has run out by the clock starts anew."""
        key = (token.name, resource)
        window = self.windows.get(key)
        if window is None:
            limit, seconds = WINDOWS.get(resource, (token.core_limit, 3600))
            window = self.windows[key] = Window(limit, 0, int(now) + seconds, seconds)
        elif now >= window.reset:
            window.used, window.reset = 0, int(now) + window.seconds
        return window

    def set(self, token: Token, resource: str, now: float, **wanted: int) -> None:
        """Change a budget: any of `limit`, `remaining` and `reset_in` (seconds)."""
        window = self.window(token, resource, now)
        window.limit = wanted.get("limit", window.limit)
        if "remaining" in wanted:
            window.used = window.limit - wanted["remaining"]
        if "reset_in" in wanted:
            window.reset = int(now) + wanted["reset_in"]

    def limited(self, token: Token, now: float) -> Secondary | None:
        """Return the secondary limit that a token is under."""
        found = self.secondary.get(token.name)
        if found is not None and now >= found.until:
            del self.secondary[token.name]
            return None
        return found


def headers(window: Window, resource: str) -> list[tuple[bytes, bytes]]:
    """Return the X-RateLimit-* fields of an answer."""
    return [
        (b"x-ratelimit-limit", b"%d" % window.limit),
        (b"x-ratelimit-remaining", b"%d" % window.remaining),
        (b"x-ratelimit-reset", b"%d" % window.reset),
        (b"x-ratelimit-used", b"%d" % window.used),
        (b"x-ratelimit-resource", resource.encode()),
    ]
