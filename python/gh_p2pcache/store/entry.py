"""What a record's file holds, judged: the head, then the sealed blob with the record."""

from __future__ import annotations

from collections.abc import Sequence

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.records.cid import digest
from gh_p2pcache.records.record import Record, Validation, unpack
from gh_p2pcache.records.seal import ScopeKeys, key_id
from gh_p2pcache.store import head

Entry = tuple[Record, Validation]


def unpack_entry(tag: str, keys: ScopeKeys, data: bytes) -> Entry:
    """Return what a file holds; raises RejectedError unless every bit is right and in its place."""
    validation, size = head.unpack_head(keys, tag, data)
    record = unpack(keys.open(_blob(data, validation, size)))
    if record.scope != keys.id or keys.tag(record.key) != tag:
        raise RejectedError("a record of another request or scope")
    return record, validation


def unpack_any(tag: str, ring: Sequence[ScopeKeys], data: bytes) -> Entry | None:
    """Return what a file holds by the keys it names; None where `ring` lacks them.

    Raises RejectedError; without the keys for what can be told: that the blob is not the one that
    the head names.
    """
    validation, size = head.peek_head(data)
    named = key_id(_blob(data, validation, size))
    for keys in ring:
        if keys.id == named:
            return unpack_entry(tag, keys, data)
    return None


def _blob(data: bytes, validation: Validation, size: int) -> bytes:
    blob = data[head.SIZE :]
    if len(blob) != size or digest(blob) != validation.digest:
        raise RejectedError("the sealed blob is torn or another one")
    return blob
