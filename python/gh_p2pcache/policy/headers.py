"""Response header fields: which a record keeps, how a 304 changes them, and dates."""

from __future__ import annotations

import calendar
import re
from functools import lru_cache

from gh_p2pcache.policy.control import connection_fields
from gh_p2pcache.records.message import Headers

SHARED = frozenset(
    {
        b"access-control-allow-origin",
        b"access-control-expose-headers",
        b"cache-control",
        b"content-disposition",
        b"content-encoding",
        b"content-language",
        b"content-security-policy",
        b"content-type",
        b"date",
        b"deprecation",
        b"etag",
        b"last-modified",
        b"link",
        b"location",
        b"referrer-policy",
        b"server",
        b"strict-transport-security",
        b"sunset",
        b"vary",
        b"x-content-type-options",
        b"x-frame-options",
        b"x-github-api-version-selected",
        b"x-github-media-type",
        b"x-poll-interval",
        b"x-xss-protection",
    }
)
"""What a record keeps that other principals may read: nothing that tells of the one who asked."""

_NEVER_KEPT = frozenset({b"age", b"content-length", b"set-cookie"})
_BOUND_TO_BODY = frozenset(
    {b"content-encoding", b"content-length", b"content-range", b"content-type"}
)

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
        start=1,
    )
}
_TIME = r"(\d\d):(\d\d):(\d\d)"
_IMF_FIXDATE = re.compile(rf"\w{{3}}, (\d\d) (\w{{3}}) (\d{{4}}) {_TIME} gmt")
_RFC850 = re.compile(rf"\w{{6,9}}, (\d\d)-(\w{{3}})-(\d\d) {_TIME} gmt")
_ASCTIME = re.compile(rf"\w{{3}} (\w{{3}}) ([ \d]\d) {_TIME} (\d{{4}})")


def kept_headers(headers: Headers, shared: bool) -> Headers:
    """Return the fields that a record keeps.

    Never those of one connection (RFC 9111 section 3.1), of framing, or Age, which whoever
    answers states anew (section 5.1); Set-Cookie neither (section 7.3). A `shared` record keeps
    an allow-list only: rate limits, scopes, SSO and request ids stay with the principal.
    """
    if shared:
        dropped = connection_fields(headers)
        return tuple(f for f in headers if f[0] in SHARED and f[0] not in dropped)
    dropped = connection_fields(headers) | _NEVER_KEPT
    return tuple(field for field in headers if field[0] not in dropped)


def merge_304(stored: Headers, fresh: Headers) -> Headers:
    """Return the stored fields updated by those of a 304 (RFC 9111 section 3.2).

    A field that the 304 carries replaces all stored ones of its name; fields that describe the
    body that the 304 does not carry, and those of the connection, are left as they were.
    """
    ignored = connection_fields(fresh) | _BOUND_TO_BODY
    updates = tuple(field for field in fresh if field[0] not in ignored)
    replaced = {name for name, _ in updates}
    return tuple(field for field in stored if field[0] not in replaced) + updates


@lru_cache(64)  # each answer's Date is asked for several times, and many come in one second
def http_date(value: bytes) -> int | None:
    """Parse an HTTP date in any of its three forms (RFC 9110 section 5.6.7) into Unix seconds.

    None if it is not one. A year of two digits below 70 is taken for one of this century.
    """
    text = value.decode("latin-1").strip().lower()
    if match := _IMF_FIXDATE.fullmatch(text):
        day, month, year, *time = match.groups()
    elif match := _RFC850.fullmatch(text):
        day, month, short, *time = match.groups()
        year = str(int(short) + (2000 if int(short) < 70 else 1900))
    elif match := _ASCTIME.fullmatch(text):
        month, day, *time, year = match.groups()
    else:
        return None
    return _unix(int(year), _MONTHS.get(month, 0), int(day), [int(part) for part in time])


def _unix(year: int, month: int, day: int, time: list[int]) -> int | None:
    hour, minute, second = time
    if not (month and year >= 1970 and 0 < day <= calendar.monthrange(year, month)[1]):
        return None
    if hour > 23 or minute > 59 or second > 60:
        return None
    return calendar.timegm((year, month, day, hour, minute, second))
