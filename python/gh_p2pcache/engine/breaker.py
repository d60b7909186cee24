"""Leaving alone for a while what has failed again and again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

_LOG = logging.getLogger(__name__)
FAILURES = 3
REST_SECONDS = 60.0


class Breaker:
    """Rests for a minute after three failures in a row; then one try decides about the next.

    The first of them is in the log, and that it is over; nothing between.
    """

    def __init__(self, what: str, now: Callable[[], float] = time.monotonic) -> None:
        """Begin with it working; `what` it is, for the log."""
        self._what = what
        self._now = now
        self._failures = 0
        self._until = 0.0
        self.trouble = ""

    @property
    def resting(self) -> bool:
        """Whether it is to be left alone now."""
        return self._now() < self._until

    def admits(self) -> bool:
        """Tell whether to try now; where one try is to decide, only who asks first."""
        if self.resting:
            return False
        if self._failures >= FAILURES:
            self._until = self._now() + REST_SECONDS
        return True

    def failed(self, why: str) -> None:
        """Note a failure."""
        self._failures += 1
        if self._failures < FAILURES:
            return
        self._until = self._now() + REST_SECONDS
        if not self.trouble:
            _LOG.warning("%s fails and is left alone for %d s: %s", self._what, REST_SECONDS, why)
        self.trouble = why

    def succeeded(self) -> None:
        """Note that it works."""
        if self.trouble:
            _LOG.info("%s works again", self._what)
        self._failures, self._until, self.trouble = 0, 0.0, ""
