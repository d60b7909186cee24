"""Where files go that are not what they claim: out of the way, but there to be looked at."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from gh_p2pcache.store.files import disk_size, make_private_dir, temporary_in

_KEPT = 16
"""Files kept: enough to see what happened, little enough to forget about."""


class Quarantine:
    """A directory bounded to 16 files and `max_size` bytes of disk. Raises OSError."""

    def __init__(self, directory: Path, max_size: int) -> None:
        self._directory = directory
        self._max_size = max_size

    def take(self, path: Path) -> None:
        """Move the file, link or directory `path` here; the oldest go when there are many."""
        make_private_dir(self._directory)
        moved = path.rename(f"{temporary_in(self._directory)}-{path.name}")
        os.utime(moved, follow_symlinks=False)
        self._trim()

    def clear(self) -> None:
        """Drop everything."""
        _drop(self._directory)

    def _trim(self) -> None:
        with os.scandir(self._directory) as entries:
            found = [(Path(entry), entry.stat(follow_symlinks=False)) for entry in entries]
        found.sort(key=lambda item: item[1].st_mtime_ns, reverse=True)
        room = self._max_size
        for position, (path, status) in enumerate(found):
            room -= disk_size(status)
            if position >= _KEPT or room < 0:
                _drop(path)


def _drop(path: Path) -> None:
    # rmtree would open whatever it is given, and wait at a pipe.
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
