"""What the control socket and the dashboard tell of calls: the last ones, and day by day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from gh_p2pcache.engine.assembly import House
from gh_p2pcache.engine.history import KEPT_DAYS
from gh_p2pcache.errors import UsageError
from gh_p2pcache.gateway.activity import Activity

Json = dict[str, Any]
_LARGEST = 1 << 53


class Seeing:
    """`paths` are what may be asked, each with its query."""

    def __init__(self, house: House, activity: Activity) -> None:
        self._house = house
        self._activity = activity
        self.paths: dict[str, Callable[[Mapping[str, str]], Json]] = {
            "/activity": self._last,
            "/history": self._history,
        }

    def fold(self) -> None:
        """Take in what was only noted while hot hits were answered; every half second will do."""
        self._house.stats.fold()
        self._activity.fold()

    def _last(self, query: Mapping[str, str]) -> Json:
        return self._activity.report(_number(query, "after", 0, _LARGEST))

    def _history(self, query: Mapping[str, str]) -> Json:
        return {"days": self._house.stats.days(_number(query, "days", 7, KEPT_DAYS))}


def query_of(text: bytes) -> dict[str, str]:
    """Return the parameters of a query; of equal names the last."""
    return dict(parse_qsl(text.decode("latin-1")))


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name, str(default))
    if not (text.isdecimal() and len(text) <= len(str(most))):
        raise UsageError(f"the request is not right: {name} is a number up to {most}")
    return min(int(text), most)
