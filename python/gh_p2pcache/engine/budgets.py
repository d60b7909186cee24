"""GitHub's rate limits as this machine knows them, for each token, site and resource."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gh_p2pcache.engine.clock import Clock
from gh_p2pcache.policy.ratelimit import Budget, Limit, budget
from gh_p2pcache.records.message import Headers, Response

EVERY_RESOURCE = "*"
"""A secondary limit is about the token's behaviour, whatever it asks for."""


_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Blocked:
    """A budget that is spent until `until` (GitHub's clock); `answer` is GitHub's own last word."""

    until: float
    kind: str
    answer: Response | None


class Budgets:
    """Learns from every answer; forgets a limit when its reset has come."""

    def __init__(self, clock: Clock) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self._clock = clock
        self._blocked: dict[tuple[bytes, str, str], Blocked] = {}
        self._seen: dict[tuple[bytes, str, str], Budget] = {}

    def note(self, principal: bytes, site: str, headers: Headers) -> None:
        """Learn from the x-ratelimit fields of an answer."""
        seen = budget(headers)
        if seen is None:
            return
        key = (principal, site, seen.resource)
        self._seen[key] = seen
        while len(self._seen) > _REMEMBERED:
            self._seen.pop(next(iter(self._seen)))
        if seen.remaining == 0 and seen.reset > self._clock.github_now():
            self._blocked.setdefault(key, Blocked(seen.reset, "primary", None))
            self.on_change()
        elif seen.remaining > 0 and self._blocked.pop(key, None) is not None:
            self.on_change()

    def block(self, principal: bytes, site: str, limit: Limit, answer: Response | None) -> None:
        """Learn from a rate limit; `answer` is what may be given again, if there is such a one."""
        resource = EVERY_RESOURCE if limit.kind == "secondary" else limit.resource
        self._blocked[principal, site, resource] = Blocked(limit.until, limit.kind, answer)
        if len(self._blocked) > _REMEMBERED:
            now = self._clock.github_now()
            self._blocked = {key: b for key, b in self._blocked.items() if b.until > now}
        self.on_change()

    def blocked(self, principal: bytes, site: str, resource: str) -> Blocked | None:
        """Return what keeps a read of this resource from going upstream now."""
        if not self._blocked:
            return None
        for name in (resource, EVERY_RESOURCE):
            key = (principal, site, name)
            found = self._blocked.get(key)
            if found is None:
                continue
            if found.until > self._clock.github_now():
                return found
            del self._blocked[key]
        return None

    def limited_until(self) -> float | None:
        """Return when the last of the known limits ends (GitHub's clock), None without one."""
        now = self._clock.github_now()
        ends = [blocked.until for blocked in self._blocked.values() if blocked.until > now]
        return max(ends, default=None)

    def limited_resources(self) -> set[str]:
        """Return what the known limits are about, of whichever token and site."""
        now = self._clock.github_now()
        return {key[2] for key, blocked in self._blocked.items() if blocked.until > now}

    def known(self) -> list[tuple[str, str, Budget]]:
        """Return (token's pseudonym, site, budget) rows for `status` and metrics."""
        return [(key[0].hex()[:8], key[1], seen) for key, seen in self._seen.items()]
