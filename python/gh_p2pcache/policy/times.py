"""What a body tells of when things happened."""

from __future__ import annotations

import re
from datetime import datetime

_TIME = re.compile(rb'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)Z"')
_LOOKED_AT = 1 << 20


def newest_time(body: bytes) -> float:
    """Return the newest time in a JSON body of GitHub's, in unix seconds; 0 where it has none.

    GitHub writes all of them alike (RFC 3339, UTC, whole seconds), so the greatest text is it. Only
    the first 1 MiB is looked at.
    """
    times = sorted(_TIME.findall(body, 0, _LOOKED_AT), reverse=True)
    for text in times:
        try:
            return datetime.strptime(f"{text.decode()}+0000", "%Y-%m-%dT%H:%M:%S%z").timestamp()
        except ValueError:
            continue
    return 0.0
