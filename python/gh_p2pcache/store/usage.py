"""What a store holds, counted as it changes: a small table that all processes share.

A scan of 100,000 files takes 0.3 s; this table answers in microseconds from the first call on, and
holds the bound however many processes write.
"""

from __future__ import annotations

import os
import struct
import sys
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gh_p2pcache.store.files import SAFE, open_private

SHARDS = tuple(f"{n:02x}" for n in range(256))
_STAMP = struct.Struct(">d")
_SLOT = struct.Struct(">QQ")
_MOST = (1 << 64) - 1
_TABLE_SIZE = _STAMP.size + len(SHARDS) * _SLOT.size


@dataclass(frozen=True, slots=True)
class Usage:
    """How many records there are and what they take on disk, in bytes of whole blocks."""

    records: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Count:
    """The sum over all shards, and when (wall clock) all of them were last counted file by file."""

    usage: Usage
    counted_at: float


class UsageTable:
    """A file with the time of the last recount and one slot (records, bytes) a shard.

    A slot is changed by whoever holds its shard's lock. A writer that is killed between a change
    and the rename it announces leaves it a little too high; a recount mends that. All methods
    raise OSError.
    """

    def __init__(self, path: Path) -> None:
        self._path = str(path)

    def add(self, shard: str, records: int, size: int) -> Count:
        """Change a shard's slot by so much; returns the new sum."""
        return self._change(shard, lambda slot: (slot[0] + records, slot[1] + size))

    def put(self, shard: str, records: int, size: int) -> Count:
        """Set a shard's slot to what was counted; returns the new sum."""
        return self._change(shard, lambda _: (records, size))

    def counted(self, now: float) -> None:
        """Note that all shards were counted at `now`."""
        descriptor = open_private(self._path, os.O_RDWR)
        try:
            os.pwrite(descriptor, _STAMP.pack(now), 0)
        finally:
            os.close(descriptor)

    def read(self) -> Count:
        """Return the sum; `counted_at` is 0 where nothing was ever counted."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | SAFE)
        except FileNotFoundError:
            return Count(Usage(0, 0), 0.0)
        try:
            return _sum(descriptor)
        finally:
            os.close(descriptor)

    def _change(self, shard: str, change: Callable[[tuple[int, int]], tuple[int, int]]) -> Count:
        offset = _STAMP.size + int(shard, 16) * _SLOT.size
        descriptor = open_private(self._path, os.O_RDWR)
        try:
            slot = os.pread(descriptor, _SLOT.size, offset).ljust(_SLOT.size, b"\0")
            records, size = change(_SLOT.unpack(slot))
            changed = _SLOT.pack(min(max(records, 0), _MOST), min(max(size, 0), _MOST))
            os.pwrite(descriptor, changed, offset)
            # Read after the write: of two writers at least one sees what both have added.
            return _sum(descriptor)
        finally:
            os.close(descriptor)


def _sum(descriptor: int) -> Count:
    table = os.pread(descriptor, _TABLE_SIZE, 0).ljust(_TABLE_SIZE, b"\0")
    slots = array("Q", table[_STAMP.size :])
    if sys.byteorder == "little":
        slots.byteswap()
    return Count(Usage(sum(slots[::2]), sum(slots[1::2])), _STAMP.unpack_from(table)[0])
