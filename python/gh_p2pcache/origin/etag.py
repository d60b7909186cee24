"""Predict the ETag that GitHub would send to a token, from a body that another token fetched.

Undocumented (seen on github.com by bored-engineer/github-conditional-http-transport, 2025), so it
calibrates itself: it is used only while the last comparison with a real answer matched. A wrong
prediction costs a 200 in place of a 304, never a wrong answer.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable

from gh_p2pcache.records.message import Headers, header

PLAIN_LIMIT = 1 << 27
"""Most bytes that a body is unpacked to: more than the 100 MB of GitHub's largest file."""

_HASHED = (b"accept", b"authorization", b"cookie")
_FORMULA = re.compile(rb'(?:W/)?"[0-9a-f]{64}"')
_GIT_NAME = re.compile(rb'(?:W/)?"[0-9a-f]{40}"')


def predict(sent: Headers, vary: bytes, plain_body: bytes, *, compressed: bool) -> bytes:
    """Return the ETag GitHub gives to a request with the header fields `sent` for this body.

    SHA-256 over the values of Accept, Authorization and Cookie, where sent and named in `vary`,
    each followed by a colon, then the uncompressed body; weak where the answer is compressed.
    """
    named = {name.strip().lower() for name in vary.split(b",")}
    hashed = hashlib.sha256()
    for name in _HASHED:
        value = header(sent, name)
        if name in named and value is not None:
            hashed.update(value + b":")
    hashed.update(plain_body)
    etag = b'"' + hashed.hexdigest().encode() + b'"'
    return b"W/" + etag if compressed else etag


def by_formula(etag: bytes) -> bool:
    """Tell whether an ETag may be of the formula: /contents has git's own names instead."""
    return _FORMULA.fullmatch(etag) is not None


def is_git_name(etag: bytes) -> bool:
    """Tell whether an ETag is git's name of the content, the same for every token (recorded)."""
    return _GIT_NAME.fullmatch(etag) is not None


def plain(headers: Headers, body: bytes) -> bytes:
    """Return `body` without its content coding; raises ValueError when the coding is broken."""
    coding = header(headers, b"content-encoding")
    if coding is None or not body:
        return body
    if coding.strip().lower() != b"gzip":
        raise ValueError(f"content coding {coding.decode('latin-1')} is not understood")
    inflate = zlib.decompressobj(wbits=31)
    try:
        text = inflate.decompress(body, PLAIN_LIMIT)
    except zlib.error as error:
        raise ValueError(f"broken gzip: {error}") from error
    if not inflate.eof:
        raise ValueError("gzip without an end, or of too much")
    return text


class Predictor:
    """Knows for which (site, kind of token) the formula held the last time it was compared."""

    def __init__(self, trusted: Iterable[tuple[str, str]] = ()) -> None:
        self._holds: dict[tuple[str, str], bool] = dict.fromkeys(trusted, True)
        self.mismatches = 0

    def trusts(self, site: str, kind: str) -> bool:
        """Tell whether the formula held, so that a client may be told a predicted ETag."""
        return self._holds.get((site, kind), False)

    def refuted(self, site: str, kind: str) -> bool:
        """Tell whether the formula failed, so that a prediction is not worth sending.

        Before the first comparison it is: a wrong one costs nothing but the 200 that is due
        anyway, and a new job's token has nothing else to prove itself with for free.
        """
        return not self._holds.get((site, kind), True)

    def compare(self, site: str, kind: str, predicted: bytes, actual: bytes | None) -> None:
        """Learn from a 200 whose ETag is `actual`."""
        if actual is None or not by_formula(actual):
            return
        matched = predicted.removeprefix(b"W/") == actual.removeprefix(b"W/")
        if not matched and self._holds.get((site, kind)):
            self.mismatches += 1
        self._holds[(site, kind)] = matched

    def trusted(self) -> list[tuple[str, str]]:
        """Return what holds now, to be remembered over a restart."""
        return [pair for pair, holds in self._holds.items() if holds]
