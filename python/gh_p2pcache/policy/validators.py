"""The known lies of GitHub's validators."""

from __future__ import annotations

import json
import re

from gh_p2pcache.policy.plan import Plan
from gh_p2pcache.records.message import Headers

_NEXT = re.compile(rb'rel="?next"?')


def may_revalidate(plan: Plan, record_status: int, headers: Headers, decoded_body: bytes) -> bool:
    """Tell whether a 304 could be believed for a record; if not, ask without a condition.

    A full last page that gains a successor is still 304, without the new `Link` (seen by users
    of ETags with pagination): so not for an array with at least `per_page` items and no `next`.
    A list within an object carries its `total_count`, which changes with the successor. Of an
    answer to HEAD nothing can be counted.
    """
    if record_status != 200 or plan.operation is not None:
        return False
    if plan.per_page == 0 or _has_next(headers):
        return True
    if not decoded_body:
        return False
    if not decoded_body.lstrip().startswith(b"["):
        return True
    try:
        return len(json.loads(decoded_body)) < plan.per_page
    except (ValueError, RecursionError):
        return False


def _has_next(headers: Headers) -> bool:
    return any(name == b"link" and _NEXT.search(value) for name, value in headers)
