"""The keys of one scope, and the seal they put on what is kept.

A sealed blob is a format byte, the id of the key (8 bytes) and a Fernet token without its base64.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.records.fernet import RawFernet

Kind = Literal["token", "generated", "secret", "machine"]

_FORMAT = b"\x01"
_SALT = b"gh-p2pcache/1/"
ID_SIZE = 8
GENERATED_PREFIX = "p2pcache_"
"""Starts a secret that we generated from 256 random bits (PBKDF2 with 100,000 iterations)."""

_PREFIX = len(_FORMAT) + ID_SIZE
_ITERATIONS: dict[Kind, int] = {
    "token": 100_000,
    "generated": 100_000,
    "machine": 100_000,
    "secret": 600_000,
}
"""PBKDF2 rounds: 20 ms where the secret itself has the entropy, 120 ms where a person chose it
(OWASP's figure for PBKDF2-HMAC-SHA256)."""


class ScopeKeys:
    """What one scope key opens: everything is derived from its 32 bytes by HKDF (RFC 5869).

    `id` (8 bytes) names the key, tells nothing about it and may be written anywhere. `member_key`
    and `topic_key` (32 bytes) are what the peer process gets: the one proves membership, the other
    seals what members tell each other; neither opens a record.
    """

    __slots__ = ("_fernet", "_head_key", "_lookup_key", "_prefix", "id", "member_key", "topic_key")

    def __init__(self, scope_key: bytes) -> None:
        self.id = _expand(scope_key, b"id", ID_SIZE)
        self._fernet = RawFernet(_expand(scope_key, b"seal", 32))
        self._lookup_key = _expand(scope_key, b"lookup", 32)
        self._head_key = _expand(scope_key, b"head", 32)
        self.member_key = _expand(scope_key, b"member", 32)
        self.topic_key = _expand(scope_key, b"topic", 32)
        self._prefix = _FORMAT + self.id

    def seal(self, plain: bytes) -> bytes:
        """Return `plain` encrypted and authenticated."""
        return self._prefix + self._fernet.encrypt(plain)

    def open(self, blob: bytes) -> bytes:
        """Return what `seal` was given; raises RejectedError when a single bit is not ours."""
        if not blob.startswith(self._prefix):
            raise RejectedError("sealed in another format or with another key")
        return self._fernet.decrypt(blob[_PREFIX:])

    def tag(self, request_key: bytes) -> str:
        """Return the lookup tag of a request: 32 hex digits that tell nothing without the key."""
        return self._lookup(b"tag\0", request_key).hex()

    def pseudonym(self, what: bytes) -> bytes:
        """Return a name for a token or principal that tells nothing without the key, 16 bytes."""
        return self._lookup(b"pseudonym\0", what)

    def mac(self, data: bytes) -> bytes:
        """Return the HMAC-SHA256 of a record's head, 32 bytes."""
        return hmac.digest(self._head_key, data, "sha256")

    def _lookup(self, use: bytes, what: bytes) -> bytes:
        return hmac.digest(self._lookup_key, use + what, "sha256")[:16]


def derive(secret: bytes, kind: Kind) -> ScopeKeys:
    """Return the keys of the scope that `secret` opens, the same on every machine.

    Takes 20 ms (`secret`: 120 ms) during which other threads run: PBKDF2-HMAC-SHA256 (RFC 8018),
    its salt a constant of this format and the kind.
    """
    salt = _SALT + kind.encode()
    return ScopeKeys(hashlib.pbkdf2_hmac("sha256", secret, salt, _ITERATIONS[kind]))


def team_keys(secret: str) -> ScopeKeys:
    """Derive the scope of a shared secret; takes up to 120 ms."""
    generated = secret.startswith(GENERATED_PREFIX)
    return derive(secret.encode(), "generated" if generated else "secret")


def key_id(blob: bytes) -> bytes | None:
    """Return the id of the key a blob says it was sealed with; None in any other format."""
    return blob[1:_PREFIX] if blob.startswith(_FORMAT) and len(blob) > _PREFIX else None


def _expand(scope_key: bytes, use: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=_SALT + use).derive(scope_key)
