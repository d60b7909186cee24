"""One kept answer, and its form as bytes: a coding byte, then a msgpack map."""

from __future__ import annotations

import math
import re
import zlib
from dataclasses import dataclass
from typing import Any

import msgpack  # type: ignore[import-untyped]

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.records.message import Headers, header

MAX_PACKED = 64 << 20
"""Largest packed record, in bytes: far above CACHE_MAX_ENTRY's default, so that only a bomb
(a few kB that inflate without end) meets it."""
_BESIDES = 4096
"""Bytes that most records need besides their body."""
_MAX_ITEMS = 1 << 16
_PLAIN, _DEFLATED = b"\x01", b"\x02"
_VERSION = 1

_FIELDS: dict[str, type | tuple[type, ...]] = {
    "key": bytes,
    "method": str,
    "host": str,
    "target": str,
    "status": int,
    "headers": tuple,
    "body": bytes,
    "github_date": int,
    "fetched_at": (float, int),
    "scope": bytes,
    "tags": tuple,
    "publisher": bytes,
    "signer": bytes,
    "signature": bytes,
}
_NOT_A_NAME = re.compile(rb"[^!#$%&'*+.^_`|~0-9a-z-]")
_NOT_A_VALUE = re.compile(rb"[\r\n\0]")


@dataclass(frozen=True, slots=True)
class Record:
    """An answer of GitHub, with all that is needed to judge and give it again.

    `body` is as GitHub sent it (gzip where the headers say so), `headers` are those worth keeping.
    `github_date` is GitHub's `Date` in unix seconds; `fetched_at` this machine's wall clock.
    `scope` is the id of the ScopeKeys it belongs to, `publisher` the pseudonym of the principal
    that fetched it; `access` is "host/owner/repo class" of a member record, None: private.
    `signer` (Ed25519 public key) and `signature` are those of the machine that fetched a member
    record (records/sign.py), empty in a private one.
    """

    key: bytes
    method: str
    host: str
    target: str
    status: int
    headers: Headers
    body: bytes
    github_date: int
    fetched_at: float
    scope: bytes
    tags: tuple[str, ...]
    publisher: bytes
    access: str | None
    signer: bytes = b""
    signature: bytes = b""


@dataclass(frozen=True, slots=True)
class Validation:
    """When GitHub last said that a sealed blob is current; a 304 makes a new one.

    `digest` is the blob's sha2-256; `github_date` (unix seconds of GitHub's `Date`) orders answers;
    `validated_at` is wall clock; `ttl` the longest the response lets it be fresh, in seconds
    (0: always revalidate). `signer` and `signature` are those of the machine that got the answer,
    empty where the record is private.
    """

    digest: bytes
    github_date: int
    validated_at: float
    ttl: float
    signer: bytes = b""
    signature: bytes = b""


def pack(record: Record) -> bytes:
    """Return `record` as bytes, deflated unless its body has a content coding already.

    Raises RejectedError for what `unpack` would refuse.
    """
    _check(record)
    fields: dict[str, Any] = {name: getattr(record, name) for name in _FIELDS}
    try:
        plain: bytes = msgpack.packb(
            {"v": _VERSION, "access": record.access, **fields},
            buf_size=len(record.body) + _BESIDES,  # it would make room for 256 kB
        )
    except (ValueError, OverflowError) as error:
        raise RejectedError(f"not a record that can be kept: {error}") from error
    if len(plain) > MAX_PACKED:
        raise RejectedError(f"a record of {len(plain)} bytes is too large to keep")
    if header(record.headers, b"content-encoding") is None:
        return _DEFLATED + zlib.compress(plain)
    return _PLAIN + plain


def unpack(data: bytes) -> Record:
    """Return the record inside `data`; raises RejectedError for anything `pack` does not make."""
    try:
        fields = msgpack.unpackb(
            _expanded(data), use_list=False, max_array_len=_MAX_ITEMS, max_map_len=_MAX_ITEMS
        )
    except (ValueError, msgpack.UnpackException, zlib.error) as error:
        raise RejectedError(f"not a record: {error}") from error
    if not isinstance(fields, dict) or fields.pop("v", None) != _VERSION:
        raise RejectedError("not a record of this format's version")
    try:
        record = Record(**fields)
    except TypeError as error:
        raise RejectedError("not the fields of a record") from error
    _check(record)
    return record


def _expanded(data: bytes) -> bytes:
    coding, rest = data[:1], data[1:]
    if coding == _PLAIN:
        return rest
    if coding != _DEFLATED:
        raise RejectedError("a record of another format")
    inflate = zlib.decompressobj()
    plain = inflate.decompress(rest, MAX_PACKED)
    if not inflate.eof or inflate.unused_data:
        raise RejectedError("a deflated record that is cut off, too long or followed by more")
    return plain


def _check(record: Record) -> None:
    """Refuse what would break an answer: other types, header injection, times that are no times."""
    for name, kind in _FIELDS.items():
        if not isinstance(getattr(record, name), kind):
            raise RejectedError(f"a record whose {name} is of another type")
    sound = (
        (record.access is None or isinstance(record.access, str))
        and all(isinstance(tag, str) for tag in record.tags)
        and max(len(record.headers), len(record.tags)) <= _MAX_ITEMS
        and 100 <= record.status <= 599
        and record.github_date >= 0
        and math.isfinite(record.fetched_at)
        and _are_headers(record.headers)
    )
    if not sound:
        raise RejectedError("a record with values that no answer has")


def _are_headers(headers: Headers) -> bool:
    if not (set(map(type, headers)) <= {tuple} and set(map(len, headers)) <= {2}):
        return False
    names, values = [n for n, _ in headers], [v for _, v in headers]
    try:
        return (
            all(names)
            and not _NOT_A_NAME.search(b"".join(names))
            and not _NOT_A_VALUE.search(b"".join(values))
        )
    except TypeError:  # neither text nor a number can be joined
        return False
