"""What a body tells of when things happened."""

from __future__ import annotations

import calendar
import re

_TIME = re.compile(rb'"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z"')
_LOOKED_AT = 1 << 20


def newest_time(body: bytes) -> float:
    """Return the newest time in a JSON body of GitHub's, in unix seconds; 0 where it has none.

    GitHub writes all of them alike (RFC 3339, UTC, whole seconds); the first 1 MiB is looked at.
    """
    times = (tuple(map(int, found)) for found in _TIME.findall(body, 0, _LOOKED_AT))
    return max((calendar.timegm(time) for time in times if _is_one(time)), default=0)


def _is_one(time: tuple[int, ...]) -> bool:
    year, month, day, hour, minute, second = time
    return year > 0 and 1 <= month <= 12 and 1 <= day <= 31 and max(hour, minute, second) < 61
