"""The standing notice: one line that every entry point prints while answers may be old."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

from gh_p2pcache.engine.assembly import House
from gh_p2pcache.policy.freshness import EXACT_STALE

_LOG = logging.getLogger(__name__)


class Notice:
    """Keeps `path` in step with the engine: there while a limit is known, absent otherwise."""

    def __init__(self, path: Path, house: House) -> None:
        self._path = path
        self._house = house
        self._shown: str | None = None

    def update(self) -> None:
        """Write, rewrite or remove the line if it has changed."""
        text = self._text()
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

    def _text(self) -> str:
        until = self._house.engine.budgets.limited_until()
        if until is None:
            return ""
        clock = self._house.clock
        local = datetime.fromtimestamp(until + clock.now() - clock.github_now()).astimezone()
        minutes = min(self._house.settings.max_stale, EXACT_STALE) / 60
        return (
            f"GitHub limits this account until {local:%H:%M}:"
            f" answers may be up to {minutes:.0f} min old"
        )
