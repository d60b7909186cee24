"""The standing notice: one line that every entry point prints while answers may be old."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

from gh_p2pcache.engine.assembly import House
from gh_p2pcache.engine.budgets import EVERY_RESOURCE
from gh_p2pcache.engine.outages import Outage
from gh_p2pcache.policy.freshness import EXACT_STALE

_LOG = logging.getLogger(__name__)


class Notice:
    """Keeps `path` in step with the engine: there while a limit or an outage is known.

    What begins or ends by an answer of GitHub is written at once, before that answer is given:
    the next call of a script says so. What ends by time is for whoever calls `update`.
    """

    def __init__(self, path: Path, house: House) -> None:
        self._path = path
        self._house = house
        self._shown: str | None = None
        house.engine.budgets.on_change = house.outages.on_change = self.update

    def update(self) -> None:
        """Write, rewrite or remove the line if it has changed."""
        text = self.text()
        if text == self._shown:
            return
        try:
            if text:
                self._path.write_text(text + "\n", encoding="utf-8")
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            _LOG.warning("the notice was not written: %s", error)
        self._shown = text

    def text(self) -> str:
        """Return the line as it is now, "" for none."""
        # After so long nothing from before an outage is young enough for `exact`.
        bound = min(self._house.settings.max_stale, EXACT_STALE)
        reasons = [self._outage(outage) for outage in self._house.outages.known(bound)]
        if limit := self._limit():
            reasons.insert(0, limit)
        age = f"its answers may be up to {bound / 60:.0f} min old"
        return "; ".join(f"{reason}: {age}" for reason in reasons)

    def _limit(self) -> str:
        """Return what is limited; who reads it may be another token's user, or ask other things."""
        budgets, clock = self._house.engine.budgets, self._house.clock
        until = budgets.limited_until()
        if until is None:
            return ""
        local = _time(until + clock.now() - clock.github_now())
        resources = budgets.limited_resources()
        named = "" if EVERY_RESOURCE in resources else f" ({', '.join(sorted(resources))})"
        return f"GitHub limits one of this machine's tokens until {local}{named}"

    @staticmethod
    def _outage(outage: Outage) -> str:
        name = "GitHub" if outage.site == "github.com" else outage.site
        return f"{name} {outage.what} at {_time(outage.at)}"


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds).astimezone():%H:%M}"
