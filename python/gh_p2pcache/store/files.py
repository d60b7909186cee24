"""Files and directories that nobody else may read, whatever the umask."""

from __future__ import annotations

import errno
import itertools
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gh_p2pcache.errors import RejectedError

TEMPORARY = "."
"""What the name of an unfinished file begins with."""

SAFE = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""Flags of every open: a link, pipe or device in our place is neither followed nor waited for."""
_UNIQUE = secrets.token_hex(8)
_NUMBERS = itertools.count()
_BAD_FILE = frozenset({errno.EIO, errno.EACCES, errno.ELOOP, errno.EISDIR, errno.ENXIO})
"""What the system answers where the file itself is bad; other errors (no descriptors left, …) are
of the moment."""


def make_private_dir(path: Path) -> None:
    """Make `path` and what is missing above it, 0700; an existing `path` is made 0700 too."""
    missing = [path, *(parent for parent in path.parents if not parent.exists())]
    for directory in reversed(missing):
        directory.mkdir(mode=0o700, exist_ok=True)
        if directory.stat().st_mode & 0o777 != 0o700:
            directory.chmod(0o700)


def open_private(path: str | Path, flags: int) -> int:
    """Open `path`, making it 0600 where it is missing; returns the descriptor."""
    try:
        return os.open(path, flags | SAFE)
    except FileNotFoundError:
        pass
    try:
        return create_private(path, flags)
    except FileExistsError:
        return os.open(path, flags | SAFE)


def create_private(path: str | Path, flags: int) -> int:
    """Create `path` 0600; returns the descriptor, raises FileExistsError when it is there."""
    descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL | SAFE, 0o600)
    # The umask can only take bits away, but without those not even we could read the file again.
    os.fchmod(descriptor, 0o600)
    return descriptor


def replace_text(path: Path, text: str) -> None:
    """Write a small file of state (0600) in place of the one before, whole or not at all.

    Raises OSError.
    """
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.chmod(0o600)
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`; a full disk may take a part first and refuse the rest then."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def temporary_in(directory: str | Path) -> str:
    """Return a path in `directory` that no process, in any container, uses yet.

    A forked child goes on with the same numbers, under a process id of its own.
    """
    return f"{directory}/{TEMPORARY}{_UNIQUE}-{os.getpid()}-{next(_NUMBERS)}"


def disk_size(status: os.stat_result) -> int:
    """Return what a file takes on disk, in bytes; never less than its length.

    Some file systems (ZFS) count blocks only after a while, or keep small files in the inode.
    """
    return max(status.st_blocks * 512, status.st_size)


@contextmanager
def opened(path: str, flags: int = os.O_RDONLY) -> Iterator[tuple[int, os.stat_result]]:
    """Open a regular file that exists; yields its descriptor and status.

    Raises FileNotFoundError when there is none, RejectedError when what is there can't be read or
    is no file, OSError when the system can't say now.
    """
    try:
        descriptor = os.open(path, flags | SAFE)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise RejectedError(f"{path}: not a file")
            yield descriptor, status
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in _BAD_FILE:
            raise RejectedError(str(error)) from error
        raise


def read_file(path: str, limit: int) -> tuple[bytes, os.stat_result]:
    """Return the bytes and status of a file of at most `limit` bytes; raises as `opened` does."""
    with opened(path) as (descriptor, status):
        if status.st_size > limit:
            raise RejectedError(f"{path}: {status.st_size} bytes")
        # The very size: for a larger one Python would make room first (16 us for 1 MiB).
        return os.read(descriptor, status.st_size), status


class Draft:
    """A new file with `data` in `directory`, for `move` to put where it belongs.

    `size` is what it takes on disk, in bytes. Makes the directory where it is missing; a draft that
    was not moved goes at the end of the block. Raises OSError.
    """

    __slots__ = ("_path", "size")

    def __init__(self, directory: str, data: bytes) -> None:
        self._path = temporary_in(directory)
        try:
            descriptor = create_private(self._path, os.O_WRONLY)
        except FileNotFoundError:
            make_private_dir(Path(directory))
            descriptor = create_private(self._path, os.O_WRONLY)
        try:
            write_all(descriptor, data)
            self.size = disk_size(os.fstat(descriptor))
        except BaseException:
            self._remove()
            raise
        finally:
            os.close(descriptor)

    def move(self, path: str) -> None:
        """Give the file its name, in place of the one that has it."""
        os.replace(self._path, path)  # noqa: PTH105 - each miss comes here
        self._path = ""

    def __enter__(self) -> Draft:  # noqa: PYI034 - Self came with Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        if self._path:
            self._remove()

    def _remove(self) -> None:
        Path(self._path).unlink(missing_ok=True)
