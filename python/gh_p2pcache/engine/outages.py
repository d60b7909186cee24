"""Which sites last failed to answer, when and how; an answer of theirs ends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gh_p2pcache.engine.clock import Clock

_REMEMBERED = 20


@dataclass(frozen=True, slots=True)
class Outage:
    """A site's last failure: `at` by our clock, `what` as it follows a name."""

    site: str
    what: str
    at: float


class Outages:
    """Knows which sites have not answered since they failed to."""

    def __init__(self, clock: Clock) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self._clock = clock
        self._known: dict[str, Outage] = {}

    def failed(self, site: str, what: str) -> None:
        """Learn that a site could not be asked, or that an old answer stands in for its failure."""
        self._known.pop(site, None)
        self._known[site] = Outage(site, what, self._clock.now())
        while len(self._known) > _REMEMBERED:
            self._known.pop(next(iter(self._known)))
        self.on_change()

    def answered(self, site: str) -> None:
        """Learn that a site answers again."""
        if self._known.pop(site, None) is not None:
            self.on_change()

    def known(self, seconds: float) -> list[Outage]:
        """Return the failures of the last `seconds` since which the site has said nothing."""
        oldest = self._clock.now() - seconds
        return [outage for outage in self._known.values() if outage.at > oldest]
