"""The head of a record's file: which sealed blob follows, and GitHub's last word on it.

A head has a fixed size, so that a 304 is one small write in place. Its MAC covers the file's name
(the tag) too: a head that is torn, or that belongs elsewhere, is no head.
"""

from __future__ import annotations

import hmac
import struct

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.records.record import Validation
from gh_p2pcache.records.seal import ScopeKeys

_FIELDS = struct.Struct(">4s32sQddQ32s64s")
_UNSIGNED = bytes(32)
_MAGIC = b"ghp\x02"
"""What every file of ours begins with; the last byte is the format's version."""
_MAC_SIZE = 32
SIZE = _FIELDS.size + _MAC_SIZE


def pack_head(keys: ScopeKeys, tag: str, validation: Validation, blob_size: int) -> bytes:
    """Return the head, SIZE bytes; raises RejectedError for numbers that don't fit."""
    try:
        fields = _FIELDS.pack(
            _MAGIC,
            validation.digest,
            validation.github_date,
            validation.validated_at,
            validation.ttl,
            blob_size,
            validation.signer,
            validation.signature,
        )
    except struct.error as error:
        raise RejectedError(f"a validation that no answer has: {error}") from error
    return fields + keys.mac(tag.encode() + fields)


def unpack_head(keys: ScopeKeys, tag: str, data: bytes) -> tuple[Validation, int]:
    """Return the validation and the blob's size, in bytes; raises RejectedError."""
    validation, blob_size = peek_head(data)
    mac = keys.mac(tag.encode() + data[: _FIELDS.size])
    if not hmac.compare_digest(mac, data[_FIELDS.size : SIZE]):
        raise RejectedError("the head is torn, foreign or of another record")
    return validation, blob_size


def peek_head(data: bytes) -> tuple[Validation, int]:
    """Return what a head says without a key to believe it; raises RejectedError."""
    if len(data) < SIZE or not data.startswith(_MAGIC):
        raise RejectedError("not a record's file, or one of another version")
    _, digest, github_date, validated_at, ttl, blob_size, signer, signature = _FIELDS.unpack_from(
        data
    )
    if signer == _UNSIGNED:
        signer = signature = b""
    return Validation(digest, github_date, validated_at, ttl, signer, signature), blob_size
