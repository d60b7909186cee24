"""The rows of the freshness table: how long a kind of answer is fresh in each profile."""

from __future__ import annotations

from dataclasses import dataclass

DAY = 86400.0
MAX_LIFETIME = 7 * DAY
STATUS_LIMIT = 60.0
"""Oldest *status* ever served, in seconds: a stale green build is worse than an error."""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of answer; `ttl` and `exact` are seconds in the profile of that name.

    0 means asking GitHub each time (REST: a revalidation); a `ttl` below 0 stands for
    CACHE_DEFAULT_TTL. No override lifts a `capped` row beyond STATUS_LIMIT, fresh or stale.
    """

    name: str
    ttl: float
    exact: float
    capped: bool = False

    @property
    def immutable(self) -> bool:
        """Whether no write can change such an answer."""
        return self is IMMUTABLE


NEVER = Row("never kept", 0, 0)
IMMUTABLE = Row("immutable", MAX_LIFETIME, MAX_LIFETIME)
STATUS = Row("status", 10, 0, capped=True)
MOVED_BY_PUSH = Row("moved by a push", 10, 0)
QUEUE = Row("runners and queues", 30, 0)
SEARCH = Row("search", 60, 0)
GRAPHQL = Row("GraphQL query", 60, 10)
INTROSPECTION = Row("GraphQL introspection", DAY, DAY)
DEFAULT = Row("default", -1, 0)
