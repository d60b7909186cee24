"""The last calls and how long answers took, in memory alone: they name addresses."""

from __future__ import annotations

import re
import time
from collections import Counter, deque
from collections.abc import Callable
from math import log2
from typing import Any

from gh_p2pcache.engine.call import Call

LAST = 200
"""Calls that are remembered."""

_LARGEST = 16 << 10
"""Bytes of target and body up to which a call can be explained later."""

_ROOM = 50
_SHOWN = 300
_BINS = 8
_SHORTEST = 1e-6
_HARMLESS = re.compile(
    "after|affiliation|base|before|branch|conclusion|created|direction|event|filter|head_sha"
    "|labels|milestone|order|page|per_page|protected|ref|sha|since|sort|state|status|type|until"
    "|visibility"
)
"""Query parameters whose values are shown; of any other it could be a secret."""

_VALUE = re.compile(r"([^=&]*)=([^&]*)")


What = tuple[str, str, str, str]
Row = tuple[int, float, "Call | None", What, str, int, float, int, str]
"""A call: its number, when it began, the call unless it is too large to keep, what it was, source
(in lower case, as in the statistics), status, seconds, body bytes, caller."""


def what_of(call: Call) -> What:
    """Return method, host, target as it may be shown, and route."""
    request = call.request
    return request.method, request.host, shown(request.target), call.plan.route


def shown(target: str) -> str:
    """Return a target without what may be secret in its query, and of bearable length."""
    path, mark, query = target.partition("?")
    said = "".join(c if c.isprintable() else "?" for c in path + mark + _VALUE.sub(_value, query))
    return said if len(said) <= _SHOWN else said[: _SHOWN - 1] + "…"


def _value(found: re.Match[str]) -> str:
    return found[0] if _HARMLESS.fullmatch(found[1]) else f"{found[1]}=…"


class Activity:
    """Remembers the last calls, and their durations in bins of an eighth of a power of two.

    `room` is for how many more hot hits there is before the next fold: they come at 50,000/s, and
    a sample of these is enough; without it each would cost 2 % more (measured), and a crowd of them
    would drive all others out.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self._count = 0
        self._last: deque[Row] = deque(maxlen=LAST)
        self._bins: dict[str, Counter[int]] = {}
        self._folded = 0
        self.room = _ROOM

    def add(self, call: Call, source: str, status: int, began: float, size: int) -> None:
        """Remember a call that has been answered since `began`, by this object's clock."""
        request = call.request
        small = len(request.target) + len(request.body or b"") <= _LARGEST
        seconds = self.clock() - began
        self._count = n = self._count + 1
        what, kept = what_of(call), call if small else None
        self._last.append((n, began, kept, what, source, status, seconds, size, call.caller))

    def hit(self, call: Call, what: What, began: float, size: int, caller: str) -> None:
        """Remember a hot hit, where there is `room`."""
        self.room -= 1
        self._count = n = self._count + 1
        seconds = self.clock() - began
        self._last.append((n, began, call, what, "hit", 200, seconds, size, caller))

    def fold(self) -> None:
        """Sort the durations of what came since the last time into their bins."""
        for n, _, _, _, source, _, seconds, _, _ in self._last:
            if n > self._folded:
                place = round(_BINS * log2(max(seconds, _SHORTEST)))
                self._bins.setdefault(source, Counter())[place] += 1
        self._folded, self.room = self._count, _ROOM

    def report(self, after: int = 0) -> dict[str, Any]:
        """Return the calls with a number above `after`, oldest first, and latencies by source.

        `last` is the number to ask with the next time; a smaller one than `after` means that the
        gateway started anew. Seconds; `at` is Unix time.
        """
        epoch = time.time() - self.clock()
        after = 0 if after > self._count else after
        return {
            "last": self._count,
            "calls": [_told(row, epoch) for row in self._last if row[0] > after],
            "latency": self.latency(),
        }

    def latency(self) -> dict[str, dict[str, float]]:
        """Return how many answers of each source were timed, and percentiles in seconds."""
        self.fold()
        return {
            source: {"timed": bins.total()}
            | {f"p{part}": _percentile(bins, part / 100) for part in (50, 90, 99)}
            for source, bins in sorted(self._bins.items())
        }

    def call(self, n: int) -> Call | None:
        """Return a call by its number, None where it is forgotten or was too large to keep."""
        return next((row[2] for row in self._last if row[0] == n), None)


def _told(row: Row, epoch: float) -> dict[str, Any]:
    n, began, call, (method, host, target, route), source, status, seconds, size, caller = row
    return {
        "n": n, "at": round(epoch + began, 3), "method": method, "host": host, "target": target,
        "route": route, "source": source, "status": status, "seconds": round(seconds, 6),
        "bytes": size, "caller": caller, "profile": call.profile if call else None,
    }  # fmt: skip


def _percentile(bins: Counter[int], part: float) -> float:
    wanted, seen, place = part * bins.total(), 0, 0
    for place in sorted(bins):
        seen += bins[place]
        if seen >= wanted:
            break
    return round(float(2 ** (place / _BINS)), 7)
