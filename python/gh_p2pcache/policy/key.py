"""The request key: what makes two requests the same question."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from operator import itemgetter

import msgpack  # type: ignore[import-untyped]

from gh_p2pcache.records.message import Headers

FORMAT = 1

HANDLED = frozenset({b"authorization", b"accept-encoding"})
"""Ignored by the key, although GitHub's `Vary` names them: principal and coding are kept apart
by the scope of a record and by decoding its body."""

IGNORED = HANDLED | frozenset(
    {
        # conditions and caching wishes concern the answer's transfer, not its content
        b"cache-control",
        b"if-modified-since",
        b"if-none-match",
        b"pragma",
        # one connection's own (RFC 9110 section 7.6.1)
        b"connection",
        b"keep-alive",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        # framing and routing
        b"content-length",
        b"expect",
        b"forwarded",
        b"host",
        b"via",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        # who asks, and from where
        b"dnt",
        b"from",
        b"priority",
        b"referer",
        b"time-zone",
        b"traceparent",
        b"tracestate",
        b"user-agent",
        b"x-gh-cache-ttl",
        b"x-request-id",
    }
)

_IGNORED_WITHOUT_BODY = IGNORED | {b"content-type"}
"""gh 2.103 sends Content-Type on GETs, 2.23 does not; it describes a body that is not there."""

OUR_PREFIX = b"x-p2pcache-"

_PRETTY = re.compile(rb"curl|wget|safari|firefox", re.IGNORECASE)
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
MALFORMED = re.compile("%(?![0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_BODILESS = frozenset({"GET", "HEAD"})


def request_key(
    method: str, host: str, path: str, query: str, headers: Headers, *, extra: bytes = b""
) -> bytes:
    """Return the 32-byte key of a request: SHA-256 of `canonical`."""
    return hashlib.sha256(canonical(method, host, path, query, headers, extra=extra)).digest()


def canonical(
    method: str, host: str, path: str, query: str, headers: Headers, *, extra: bytes = b""
) -> bytes:
    """Encode what the key depends on, so that different questions never share bytes.

    `path` is the whole path after `normalised_path`; `extra` stands for a body. Every header
    counts but those of IGNORED: a header GitHub invents next year separates answers.
    """
    packed: bytes = msgpack.packb(
        (
            FORMAT,
            method,
            host,
            path,
            normalised_query(query),
            key_headers(method, headers),
            pretty(headers),
            extra,
        ),
        unicode_errors="surrogatepass",
    )
    return packed


def key_headers(method: str, headers: Headers) -> list[tuple[bytes, bytes]]:
    """Return the header fields that count, by name; those of one name in the order they came."""
    ignored = _IGNORED_WITHOUT_BODY if method in _BODILESS else IGNORED
    kept = [
        field
        for field in headers
        if field[0] not in ignored and not field[0].startswith(OUR_PREFIX)
    ]
    kept.sort(key=itemgetter(0))
    return kept


def pretty(headers: Headers) -> bool:
    """Say whether GitHub pretty-prints JSON for this User-Agent, which makes another body.

    Measured on github.com, undocumented: it does for curl, Wget, Safari and Firefox.
    """
    for name, value in headers:
        if name == b"user-agent":
            return _prints_pretty(value)
    return False


@lru_cache(maxsize=64)
def _prints_pretty(user_agent: bytes) -> bool:
    return _PRETTY.search(user_agent) is not None


def normalised_query(query: str) -> str:
    """Sort the parameters by name, those of one name in the order they came."""
    if "%" in query:
        query = normalised_escapes(query)
    if "&" not in query:
        return query
    return "&".join(sorted(query.split("&"), key=_parameter))


def _parameter(item: str) -> str:
    return item.partition("=")[0]


def normalised_escapes(text: str) -> str:
    """Decode escapes of unreserved characters, others in upper case (RFC 3986 section 6.2.2).

    A text with a % that escapes nothing is left alone: decoding could make an escape of it.
    """
    return text if MALFORMED.search(text) else _ESCAPE.sub(_unescape, text)


def _unescape(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()
