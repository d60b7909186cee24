"""ETags as GitHub was seen to make them, and another way to try calibration with.

Observed, undocumented: SHA-256 over the values of Accept, Authorization and Cookie, each followed
by a colon, then the uncompressed body; weak when the answer is compressed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from gh_p2pcache.records.message import Headers

VARIED = (b"accept", b"authorization", b"cookie")


def github(headers: Headers, body: bytes) -> str:
    """Return the opaque part of the ETag for a request's headers and an uncompressed body."""
    digest = hashlib.sha256()
    for name in VARIED:
        for field, value in headers:
            if field == name:
                digest.update(value + b":")
    digest.update(body)
    return digest.hexdigest()


def other(headers: Headers, body: bytes) -> str:
    """Return an ETag by a formula that nobody can know."""
    return hashlib.sha256(b"salt" + github(headers, body).encode()).hexdigest()


FORMULAS: dict[str, Callable[[Headers, bytes], str]] = {"github": github, "other": other}


def matches(condition: bytes, opaque: str) -> bool:
    """Say whether an If-None-Match value names this ETag (weak comparison, RFC 9110 13.1.2)."""
    if condition.strip() == b"*":
        return True
    wanted = opaque.encode()
    return any(
        candidate.strip().removeprefix(b"W/").strip(b'"') == wanted
        for candidate in condition.split(b",")
    )
