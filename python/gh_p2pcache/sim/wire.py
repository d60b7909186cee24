"""From an answer to bytes and header fields: JSON printing, coding, validators, GitHub's fields."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import lru_cache

from gh_p2pcache.records.message import Headers, header
from gh_p2pcache.sim.answers import Answer, Fields

PRETTY = (b"curl", b"wget", b"safari", b"firefox")
VARY_TOKEN = (b"vary", b"Accept, Authorization, Cookie, X-GitHub-OTP")
VARY_CODING = (b"vary", b"Accept-Encoding, Accept, X-Requested-With")
CACHE_CONTROL = (b"cache-control", b"private, max-age=60, s-maxage=60")
EXPOSED = (
    b"ETag, Link, Location, Retry-After, X-GitHub-OTP, X-RateLimit-Limit, X-RateLimit-Remaining, "
    b"X-RateLimit-Used, X-RateLimit-Resource, X-RateLimit-Reset, X-OAuth-Scopes, "
    b"X-Accepted-OAuth-Scopes, X-Poll-Interval, X-GitHub-Media-Type, X-GitHub-SSO, "
    b"X-GitHub-Request-Id, Deprecation, Sunset"
)
FIXED: Fields = [
    (b"access-control-expose-headers", EXPOSED),
    (b"access-control-allow-origin", b"*"),
    (b"strict-transport-security", b"max-age=31536000; includeSubdomains; preload"),
    (b"x-frame-options", b"deny"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-xss-protection", b"0"),
    (b"referrer-policy", b"origin-when-cross-origin, strict-origin-when-cross-origin"),
    (b"content-security-policy", b"default-src 'none'"),
]
"""Fields that every recorded answer has, in their order."""


@dataclass(slots=True)
class Prepared:
    """An answer in bytes, before anything that differs from call to call.

    `plain` is the body that the ETag is made from: JSON before it is printed for people. `etags`
    remembers opaque ETags by the values they were made from, `opaque` is a fixed one.
    """

    status: int
    body: bytes
    plain: bytes
    fields: Fields
    validated: bool
    route: str
    stream: int = 0
    opaque: str | None = None
    compressed: bytes | None = None
    etags: dict[Headers, str] = field(default_factory=dict)


def pretty(headers: Headers) -> bool:
    """Say whether GitHub would print JSON for people to this User-Agent."""
    return _for_people(header(headers, b"user-agent") or b"")


@lru_cache(maxsize=256)
def _for_people(agent: bytes) -> bool:
    return any(name in agent.lower() for name in PRETTY)


def prepare(answer: Answer, route: str, *, for_people: bool) -> Prepared:
    """Return an answer's bytes and fixed fields; JSON is compact UTF-8, as recorded."""
    plain = answer.body
    if plain is None:
        plain = json.dumps(answer.data, ensure_ascii=False, separators=(",", ":")).encode()
    body = plain
    if for_people and answer.body is None:
        body = (json.dumps(answer.data, ensure_ascii=False, indent=2) + "\n").encode()
    fields: Fields = []
    if body or answer.stream or answer.status == 302:
        fields.append((b"content-type", answer.content_type))
    if answer.etag:
        fields += [CACHE_CONTROL, VARY_TOKEN]
    fields += answer.headers
    if answer.media:
        fields.append((b"x-github-media-type", answer.media.encode()))
        fields.append((b"x-github-api-version-selected", b"2022-11-28"))
    return Prepared(
        answer.status, body, plain, fields, answer.etag, route, answer.stream, answer.opaque
    )


def coded(prepared: Prepared, headers: Headers) -> tuple[bytes, bool]:
    """Return the body to send and whether it is compressed."""
    if not prepared.body or b"gzip" not in (header(headers, b"accept-encoding") or b""):
        return prepared.body, False
    content_type = header(tuple(prepared.fields), b"content-type") or b""
    if not (content_type.startswith((b"application/json", b"text/", b"application/vnd.github"))):
        return prepared.body, False
    if prepared.compressed is None:
        prepared.compressed = gzip.compress(prepared.body, 6, mtime=0)
    return prepared.compressed, True


def unmodified_since(headers: Headers, fields: Fields) -> bool:
    """Say whether If-Modified-Since (without If-None-Match) lets GitHub answer 304."""
    since, modified = header(headers, b"if-modified-since"), header(tuple(fields), b"last-modified")
    if since is None or modified is None or header(headers, b"if-none-match") is not None:
        return False
    try:
        asked = parsedate_to_datetime(since.decode("latin-1"))
    except ValueError:
        return False
    return parsedate_to_datetime(modified.decode()) <= asked
