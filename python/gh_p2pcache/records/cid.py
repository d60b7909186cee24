"""Content identifiers: the name of a sealed blob in `explain`, on disk and among peers.

Always CIDv1, codec raw, sha2-256, base32 (https://github.com/multiformats/cid), so 32 bytes of
digest are the whole of it. Digests are compared where it must be fast; the text is made and read
by multiformats, whose import costs 56 ms and a call 0.2 ms.
"""

from __future__ import annotations

import hashlib

from gh_p2pcache.errors import RejectedError

_TEXT_LENGTH = 59
"""Length of every CIDv1 raw sha2-256 in base32: `b` and 58 digits for 36 bytes."""


def digest(blob: bytes) -> bytes:
    """Return the sha2-256 digest of `blob`, 32 bytes."""
    return hashlib.sha256(blob).digest()


def cid_text(sha256: bytes) -> str:
    """Return the CID of a blob whose sha2-256 digest (32 bytes) is `sha256`."""
    from multiformats import CID

    return str(CID("base32", 1, "raw", ("sha2-256", sha256)))


def parse_cid(text: str) -> bytes:
    """Return the digest inside `text`; raises RejectedError for any other kind of CID or text."""
    from multiformats import CID

    if len(text) == _TEXT_LENGTH:
        try:
            cid = CID.decode(text)
        except (ValueError, LookupError) as error:
            raise RejectedError(f"not a CID: {text!r}") from error
        if (cid.version, cid.codec.name, cid.hashfun.name) == (1, "raw", "sha2-256"):
            sha256 = bytes(cid.raw_digest)
            if cid_text(sha256) == text:
                return sha256
    raise RejectedError(f"not a CIDv1 of raw sha2-256 in base32: {text[:80]!r}")
