"""How the store says what went wrong: an event for the counters, a log line now and then."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)
_QUIET = 60.0
"""Seconds between two log lines of one event: a full disk must not fill it further with lines."""


class Reporter:
    """Counts every event by `on_event(name)`; logs the first of a kind, then one a minute.

    `count` is `on_event` itself, for what is no trouble and needs no line in a log.
    """

    def __init__(self, on_event: Callable[[str], None]) -> None:
        self.count = on_event
        self._logged: dict[str, float] = {}

    def __call__(self, event: str, why: object) -> None:
        """Report `event`, one of a fixed few words; `why` is for the log alone."""
        self.count(event)
        now = time.monotonic()
        if now - self._logged.get(event, -_QUIET) >= _QUIET:
            self._logged[event] = now
            _log.warning("store: %s: %s", event, why)
