"""Who vouches for what peers hand on: Ed25519 signatures (RFC 8032) by a machine's peer identity.

Two things are signed: a record, by the machine that fetched it, and a validation, by the one that
GitHub told that the blob is current. Both are bound to their scope and lookup tag.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace
from functools import lru_cache

import msgpack  # type: ignore[import-untyped]
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.records.record import Record, Validation

SEED_SIZE = 32
KEY_SIZE = 32
SIGNATURE_SIZE = 64

_RECORD = b"gh-p2pcache record\0"
_VALIDATION = b"gh-p2pcache validation\0"
_TIMES = struct.Struct(">Qd")
_IDENTITY_MULTIHASH = bytes.fromhex("002408011220")
"""Before the 32 bytes of the key: multihash `identity` of 36 bytes, which are a protobuf of key
type 1 (Ed25519) and the key (https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md)."""


class Signer:
    """An identity that signs; `public` is its key, 32 bytes."""

    __slots__ = ("_key", "public")

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        """Return the signature of `data`, 64 bytes."""
        return self._key.sign(data)


def verify(public: bytes, data: bytes, signature: bytes) -> bool:
    """Tell whether `signature` is that of `data` by the key `public`."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (ValueError, InvalidSignature):
        return False
    return True


def sign_record(signer: Signer, record: Record) -> Record:
    """Return `record` signed by the machine that fetched it."""
    signed = replace(record, signer=signer.public, signature=b"")
    return replace(signed, signature=signer.sign(_record_text(signed)))


def check_record(record: Record) -> None:
    """Raise RejectedError unless a record is signed by whom it names."""
    if not verify(record.signer, _record_text(record), record.signature):
        raise RejectedError("a record whose signature is wrong")


def sign_validation(signer: Signer, scope: bytes, tag: str, validation: Validation) -> Validation:
    """Return `validation` signed by the machine that GitHub gave it to."""
    signed = replace(validation, signer=signer.public, signature=b"")
    return replace(signed, signature=signer.sign(_validation_text(scope, tag, signed)))


def check_validation(scope: bytes, tag: str, validation: Validation) -> None:
    """Raise RejectedError unless a validation of this tag is signed by whom it names."""
    text = _validation_text(scope, tag, validation)
    if not verify(validation.signer, text, validation.signature):
        raise RejectedError("a validation whose signature is wrong")


@lru_cache(1024)
def peer_id(public: bytes) -> str:
    """Return the libp2p peer id (`12D3KooW…`) of an Ed25519 key of 32 bytes."""
    from multiformats import multibase

    return multibase.get("base58btc").encode(_IDENTITY_MULTIHASH + public)[1:]


def public_of(text: str) -> bytes:
    """Return the key inside a peer id; raises RejectedError for any other text."""
    from multiformats import multibase

    try:
        data = multibase.decode("z" + text)
    except (ValueError, LookupError) as error:
        raise RejectedError(f"not a peer id: {text[:80]!r}") from error
    if len(data) != len(_IDENTITY_MULTIHASH) + KEY_SIZE or not data.startswith(_IDENTITY_MULTIHASH):
        raise RejectedError(f"not a peer id: {text[:80]!r}")
    return bytes(data[len(_IDENTITY_MULTIHASH) :])


def _record_text(record: Record) -> bytes:
    fields = (
        record.key,
        record.method,
        record.host,
        record.target,
        record.status,
        record.headers,
        hashlib.sha256(record.body).digest(),
        record.github_date,
        float(record.fetched_at),
        record.scope,
        record.tags,
        record.publisher,
        record.access,
        record.signer,
    )
    return _RECORD + bytes(msgpack.packb(fields))


def _validation_text(scope: bytes, tag: str, validation: Validation) -> bytes:
    times = _TIMES.pack(validation.github_date, validation.ttl)
    return b"".join((_VALIDATION, scope, tag.encode(), validation.digest, times, validation.signer))
