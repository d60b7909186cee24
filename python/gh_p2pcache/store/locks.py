"""One lock a shard for all who write to a store, in this process and in others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from gh_p2pcache.store.files import make_private_dir

_TIMEOUT = 1.0
"""Seconds to wait: a holder needs a tenth of a millisecond, unless it was stopped."""
_POLL = 0.001


class Locks:
    """Named locks in `directory`; readers take none.

    The lock files stay: unlinking one that is held would let two in. Their objects are kept since
    making one costs as much as taking it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._locks: dict[str, FileLock] = {}

    @contextmanager
    def held(self, name: str, timeout: float = _TIMEOUT) -> Iterator[None]:
        """Hold the lock `name`; raises OSError, of which filelock.Timeout is one."""
        lock = self._locks.get(name)
        if lock is None:
            path = self._directory / f"{name}.lock"
            lock = self._locks.setdefault(name, FileLock(path, mode=0o600, poll_interval=_POLL))
        try:
            lock.acquire(timeout=timeout)
        except FileNotFoundError:
            make_private_dir(self._directory)
            lock.acquire(timeout=timeout)
        try:
            yield
        finally:
            lock.release()
