"""What a store may hand to members of a scope: sealed blobs whose validation somebody signed.

Needs no key: a private record carries no signature in its head, and a blob names the scope that it
is sealed under.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.records.cid import digest
from gh_p2pcache.records.record import MAX_PACKED, Validation
from gh_p2pcache.records.seal import key_id
from gh_p2pcache.store import head
from gh_p2pcache.store.files import opened, read_file

_MAX_FILE = MAX_PACKED + (1 << 20)


@dataclass(frozen=True, slots=True)
class Shared:
    """A sealed blob and what was signed about it."""

    validation: Validation
    blob: bytes


def read_shared(records: Path, scope: bytes, tag: str) -> Shared | None:
    """Return what the store under `records` (CACHE_DIR/records) shares of this tag in this scope.

    None for what is not there, private, of another scope, or not whole.
    """
    try:
        data, _ = read_file(f"{records}/{tag[:2]}/{tag}", _MAX_FILE)
        validation, size = head.peek_head(data)
    except (RejectedError, OSError):
        return None
    blob = data[head.SIZE :]
    sound = (
        validation.signature
        and len(blob) == size
        and key_id(blob) == scope
        and digest(blob) == validation.digest
    )
    return Shared(validation, blob) if sound else None


def still_kept(records: Path, tag: str, sha256: bytes) -> bool:
    """Tell whether the store keeps this very blob; True where the disk does not say."""
    try:
        with opened(f"{records}/{tag[:2]}/{tag}") as (descriptor, _):
            validation, _ = head.peek_head(os.read(descriptor, head.SIZE))
    except (RejectedError, FileNotFoundError):
        return False
    except OSError:
        return True
    return validation.digest == sha256
