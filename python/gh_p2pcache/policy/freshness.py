"""How long an answer is fresh, how stale it may be given; whether it is kept, and for whom."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Literal

from gh_p2pcache.policy.control import Wishes
from gh_p2pcache.policy.key import HANDLED, IGNORED
from gh_p2pcache.policy.pending import pending
from gh_p2pcache.policy.plan import Plan
from gh_p2pcache.policy.rows import MAX_LIFETIME, SEARCH, STATUS, STATUS_LIMIT
from gh_p2pcache.records.message import Headers, Response, header

Profile = Literal["ttl", "exact"]
Rules = Sequence[tuple[str, float]]

EXACT_STALE = 900.0
SIGNED_URL_LIFETIME = 60.0
"""The token in such a URL ends, and when is not said."""

_KEPT_STATUSES = frozenset({200, 301})
_SIGNED_URL = re.compile(rb'_url"\s*:\s*"[^"\\]*[?&]token=')
_PRIVATE = re.compile(rb'"private"\s*:\s*true')
_FULL_NAME = re.compile(rb'"full_name"\s*:\s*"([^"\\]+)"')
_PARENT = re.compile(rb'"parent_issue_url"\s*:\s*"[^"\\]*?/repos/([^/"\\]+/[^/"\\]+)/')

_NO_STORE = re.compile(rb"(?:^|,)\s*no-store\s*(?:,|$)", re.IGNORECASE)
_ASK_ALWAYS = re.compile(rb'(?:^|,)\s*(?:no-cache|max-age="?0+"?)\s*(?:,|$)', re.IGNORECASE)


def lifetime(  # noqa: PLR0917 - one decision, and all that it is made of
    plan: Plan,
    ceiling: float,
    profile: Profile,
    wishes: Wishes,
    default_ttl: float,
    rules: Rules,
) -> float:
    """Return the age in seconds up to which an answer is fresh; 0: ask GitHub each time.

    `ceiling` is the bound that the response set when it was kept; no wish or rule lifts it, nor
    *status* beyond STATUS_LIMIT. gh's X-GH-CACHE-TTL and `max-age` only ever shorten: max-age
    is the greatest age the client takes (RFC 9111 section 5.2.1.1).
    """
    if wishes.no_cache or wishes.mode == "refresh":
        return 0.0
    _, seconds = rule(plan, profile, wishes, default_ttl, rules)
    return min(
        seconds,
        ceiling,
        STATUS_LIMIT if plan.row.capped else MAX_LIFETIME,
        math.inf if wishes.gh_cache_ttl is None else wishes.gh_cache_ttl,
        math.inf if wishes.max_age is None else wishes.max_age,
    )


def rule(
    plan: Plan, profile: Profile, wishes: Wishes, default_ttl: float, rules: Rules
) -> tuple[str, float]:
    """Return what decides and the seconds it gives: the request, a user's rule, or the row.

    `rules` are (pattern of `host/path`, seconds), the first that matches counts, without regard
    to case; they and the default concern profile `ttl` only.
    """
    if wishes.ttl is not None:
        return "this request", wishes.ttl
    if profile == "exact":
        return plan.row.name, plan.row.exact
    if rules:
        where = plan.where.lower()
        for pattern, seconds in rules:
            if fnmatchcase(where, pattern.lower()):
                return f"rule {pattern}", seconds
    if plan.row.ttl >= 0:
        return plan.row.name, plan.row.ttl
    return plan.row.name, default_ttl if wishes.default_ttl is None else wishes.default_ttl


def max_stale(plan: Plan, profile: Profile, configured: float) -> float:
    """Return the greatest age in seconds of an answer that bridges a limit or an outage."""
    bound = min(configured, EXACT_STALE) if profile == "exact" else configured
    return min(bound, STATUS_LIMIT) if plan.row.capped else bound


def ceiling(plan: Plan, response: Response, decoded_body: bytes) -> float:
    """Return the bound in seconds that the response itself sets to its freshness.

    0 for what is pending and where GitHub wants to be asked each time (REST `no-cache` and
    `max-age=0`, RFC 9111 section 5.2.2.4). Not for its usual `max-age=60`, which is shorter than
    what users asked this cache for, and not for GraphQL and searches, where it sends `no-cache`
    always (recorded) and which have short rows of their own.
    """
    if response.status == 202:
        return 0.0
    always_no_cache = plan.operation is not None or plan.row is SEARCH
    if not always_no_cache and _ASK_ALWAYS.search(_cache_control(response.headers)):
        return 0.0
    if plan.row is STATUS and _is_json(response) and pending(plan, decoded_body):
        return 0.0
    return SIGNED_URL_LIFETIME if _SIGNED_URL.search(decoded_body) else MAX_LIFETIME


def keepable(plan: Plan, response: Response, decoded_body: bytes) -> bool:
    """Tell whether an answer is kept: 200 and 301, error-free GraphQL, and no `no-store`.

    RFC 9111 section 5.2.2.5 (no-store) and 4.1: an answer that varies with a field that the key
    leaves out, or with `*`, cannot be found again by the key.
    """
    if plan.action != "keep" or response.status not in _KEPT_STATUSES:
        return False
    if _NO_STORE.search(_cache_control(response.headers)):
        return False
    if not _varies_with_key(response.headers):
        return False
    return plan.operation is None or (response.status == 200 and _error_free(decoded_body))


def _is_json(response: Response) -> bool:
    """Tell whether a body is data: a pull request may be asked for as a diff, too."""
    return response.status == 200 and b"json" in (header(response.headers, b"content-type") or b"")


def _cache_control(headers: Headers) -> bytes:
    return b",".join(value for name, value in headers if name == b"cache-control")


def _varies_with_key(headers: Headers) -> bool:
    return _names_no_more(b",".join([value for name, value in headers if name == b"vary"]))


@lru_cache(64)  # GitHub has a few values
def _names_no_more(vary: bytes) -> bool:
    names = {item.strip().lower() for item in vary.split(b",")}
    return names.isdisjoint(IGNORED - HANDLED) and b"*" not in names


def _error_free(decoded_body: bytes) -> bool:
    """Tell whether a GraphQL answer has data and no errors."""
    if b'"errors"' not in decoded_body and decoded_body.startswith(b'{"data":{'):
        return True
    try:
        document = json.loads(decoded_body)
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(document, dict)
        and isinstance(document.get("data"), dict)
        and not document.get("errors")
    )


def is_private_body(plan: Plan, decoded_body: bytes) -> bool:
    """Tell whether an answer belongs to its reader alone, whatever the route says.

    So with a signed URL, and where it quotes another repository that not everyone with access
    to this one may see: a private fork as the head of a pull request, an issue's parent.
    """
    if plan.access is None or plan.operation is not None:
        return False
    if _SIGNED_URL.search(decoded_body):
        return True
    own = plan.access.repo.partition("/")[2].encode()
    if _PRIVATE.search(decoded_body):
        names = {name.lower() for name in _FULL_NAME.findall(decoded_body)}
        if names - {own}:
            return True
    return any(parent.lower() != own for parent in _PARENT.findall(decoded_body))
