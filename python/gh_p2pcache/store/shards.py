"""The files of a store by shard: `records/ab/<tag>`, what they take, and who goes first."""

from __future__ import annotations

import os
import re
import stat
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

from gh_p2pcache.store.files import TEMPORARY, disk_size
from gh_p2pcache.store.locks import Locks
from gh_p2pcache.store.usage import SHARDS, UsageTable

_TAG = re.compile(r"[0-9a-f]{32}")
_ABANDONED = 60.0
"""Seconds after which the unfinished file of a writer is taken for that of a killed one."""


class Shards:
    """Counts and evicts; `locks` and `table` are the store's. Raises OSError."""

    def __init__(self, root: str, locks: Locks, table: UsageTable) -> None:
        self._root = root
        self._locks = locks
        self._table = table

    def directory(self, shard: str) -> str:
        """Return where a shard's files lie."""
        return f"{self._root}/{shard}"

    def tags(self) -> Iterator[str]:
        """Yield the tag of every record, in no order."""
        for shard in SHARDS:
            for entry in _entries(self.directory(shard)):
                if _TAG.fullmatch(entry.name) and entry.name.startswith(shard):
                    yield entry.name

    def recount(self) -> tuple[array[int], array[int]]:
        """Count every file and set the table right; returns (mtime in ns, bytes) of each.

        Clears away what killed writers left.
        """
        times, sizes = array("q"), array("q")
        for shard in SHARDS:
            with self._locks.held(shard):
                before = len(sizes)
                for _, status in _files(self.directory(shard)):
                    times.append(status.st_mtime_ns)
                    sizes.append(disk_size(status))
                self._table.put(shard, len(sizes) - before, sum(sizes[before:]))
        self._table.counted(time.time())
        return times, sizes

    def evict(self, target: int) -> int:
        """Remove the files used longest ago until at most `target` bytes are left.

        Returns how many went. Each is looked at again under its lock before it goes: one that was
        used meanwhile stays.
        """
        times, sizes = self.recount()
        excess = sum(sizes) - target
        newest = _cutoff(times, sizes, excess)
        removed = 0
        for shard in SHARDS:
            if excess <= 0:
                break
            count, freed = self._remove(shard, newest)
            removed += count
            excess -= freed
        return removed

    def clear(self) -> int:
        """Remove every file; returns how many there were."""
        return sum(self._remove(shard, None)[0] for shard in SHARDS)

    def _remove(self, shard: str, newest: int | None) -> tuple[int, int]:
        count = freed = 0
        directory = self.directory(shard)
        if Path(directory).is_dir():
            with self._locks.held(shard):
                for path, status in _files(directory):
                    if newest is None or status.st_mtime_ns <= newest:
                        Path(path).unlink()
                        count += 1
                        freed += disk_size(status)
                if count:
                    self._table.add(shard, -count, -freed)
        return count, freed


def _cutoff(times: array[int], sizes: array[int], excess: int) -> int:
    """Return the mtime up to which files must go to free `excess` bytes."""
    cutoff = -1
    for index in sorted(range(len(times)), key=times.__getitem__):
        if excess <= 0:
            break
        cutoff = times[index]
        excess -= sizes[index]
    return cutoff


def _entries(directory: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            yield from entries
    except (FileNotFoundError, NotADirectoryError):
        return


def _files(directory: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the regular files of a directory, but for unfinished ones; old ones of these go."""
    now = time.time()
    for entry in _entries(directory):
        try:
            status = entry.stat(follow_symlinks=False)
            if not stat.S_ISREG(status.st_mode):
                continue
            if not entry.name.startswith(TEMPORARY):
                yield entry.path, status
            elif abs(now - status.st_mtime) > _ABANDONED:
                Path(entry.path).unlink()
        except FileNotFoundError:
            continue  # removed by another process between the listing and the look at it
