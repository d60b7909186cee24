"""GitHub's rate limits: reading budgets, and telling a limit from an ordinary refusal."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from gh_p2pcache.policy.headers import http_date
from gh_p2pcache.policy.plan import Plan
from gh_p2pcache.records.message import Headers, Response, header

DEFAULT_WAIT = 60.0
"""Seconds to wait where GitHub does not say ("wait for at least one minute", REST docs, "Rate
limits: exceeding the rate limit")."""
_CUT_OFF = 2.0
"""Seconds that two clocks which tell whole ones may be apart."""
LONGEST_WAIT = 3600.0
"""GitHub's windows are an hour: a longer wait is a broken value."""

_MESSAGE = re.compile(r"rate limit|abuse detection", re.IGNORECASE)
_SECONDARY = re.compile(r"secondary rate limit|abuse", re.IGNORECASE)
_GRAPHQL_TYPES = frozenset({"RATE_LIMITED", "RATE_LIMIT"})


@dataclass(frozen=True, slots=True)
class Budget:
    """The x-ratelimit fields of one answer; `reset` in Unix seconds of GitHub's clock."""

    resource: str
    limit: int
    remaining: int
    reset: int
    used: int


@dataclass(frozen=True, slots=True)
class Limit:
    """A refusal because of a rate limit, until `until` (Unix seconds of GitHub's clock)."""

    kind: Literal["primary", "secondary", "graphql"]
    resource: str
    until: float


def budget(headers: Headers) -> Budget | None:
    """Read the x-ratelimit fields (REST docs, "Checking the status of your rate limit").

    None unless limit, remaining and reset are there; an answer that does not name its resource
    counts against `core`.
    """
    said = dict(headers)
    try:
        limit, remaining = int(said[b"x-ratelimit-limit"]), int(said[b"x-ratelimit-remaining"])
        reset = int(said[b"x-ratelimit-reset"])
        used = int(said.get(b"x-ratelimit-used", limit - remaining))
    except (KeyError, ValueError):
        return None
    resource = said.get(b"x-ratelimit-resource", b"core").decode("ascii", "replace")
    return Budget(resource, limit, remaining, reset, used)


def limited(response: Response, decoded_body: bytes, now: float, plan: Plan) -> Limit | None:
    """Tell whether an answer is a rate limit, of which kind, and until when.

    `now` and the result are in GitHub's clock. A 429 always is one (RFC 6585 section 4); a 403
    if it says `retry-after`, or says so in its message, or has no body (HEAD) and nothing
    remains. That nothing remains proves nothing by itself: the last call of a window may be
    refused for its own reasons. GraphQL says it in a 200.
    """
    if response.status in {403, 429}:
        return _refusal(response, decoded_body, now, plan)
    if response.status == 200 and plan.resource == "graphql":
        return _graphql_errors(response, decoded_body, now, plan)
    return None


def _refusal(response: Response, decoded_body: bytes, now: float, plan: Plan) -> Limit | None:
    message = _message(decoded_body)
    known = budget(response.headers)
    spent = known is not None and known.remaining == 0
    after = _retry_after(response.headers, now)
    says_so = bool(_MESSAGE.search(message))
    if response.status == 403 and after is None and not says_so and (decoded_body or not spent):
        return None
    resource = known.resource if known else plan.resource
    if known and spent and not _SECONDARY.search(message):
        return Limit("primary", resource, _bounded(max(known.reset, after or 0), now))
    return Limit("secondary", resource, _bounded(after or now + DEFAULT_WAIT, now))


def _graphql_errors(
    response: Response, decoded_body: bytes, now: float, plan: Plan
) -> Limit | None:
    """Read errors of a GraphQL 200 (GraphQL docs, "Rate limits and query limits")."""
    errors = _document(decoded_body).get("errors") if b'"errors"' in decoded_body else None
    if not isinstance(errors, list):
        return None
    known = budget(response.headers)
    for error in (e for e in errors if isinstance(e, dict)):
        message = str(error.get("message", ""))
        after = _retry_after(response.headers, now)
        if _SECONDARY.search(message) and _MESSAGE.search(message):
            return Limit("secondary", plan.resource, _bounded(after or now + DEFAULT_WAIT, now))
        if error.get("type") in _GRAPHQL_TYPES:
            reset = known.reset if known and known.remaining == 0 else now + DEFAULT_WAIT
            return Limit("graphql", plan.resource, _bounded(after or reset, now))
    return None


def _retry_after(headers: Headers, now: float) -> float | None:
    """Return the moment that Retry-After names, in seconds or as a date (RFC 9110 section 10.2.3).

    A value that is neither stands for the default wait: that there is one still says "later".
    """
    value = header(headers, b"retry-after")
    if value is None:
        return None
    if value.strip().isdigit():
        return now + int(value)
    date = http_date(value)
    return now + DEFAULT_WAIT if date is None else float(date)


def _bounded(until: float, now: float) -> float:
    """Keep a moment in the future: one that is past already stands for the default wait.

    One that has only just passed is GitHub's own of before, its fraction of a second cut off.
    """
    if until > now:
        return min(until, now + LONGEST_WAIT)
    return now + (1.0 if 0 < now - until < _CUT_OFF else DEFAULT_WAIT)


def _message(decoded_body: bytes) -> str:
    document = _document(decoded_body)
    return f"{document.get('message', '')} {document.get('documentation_url', '')}"


def _document(decoded_body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(decoded_body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def counted_down(response: Response, seconds: int) -> Response:
    """Return a limit answer again, its Retry-After (where it has one) set to what is left."""
    left = b"%d" % max(seconds, 1)
    headers = tuple((n, left if n == b"retry-after" else v) for n, v in response.headers)
    return replace(response, headers=headers)
