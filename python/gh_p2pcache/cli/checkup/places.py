"""The directories we write to, and the disk under them."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from gh_p2pcache import paths, settings
from gh_p2pcache.cli.checkup.finding import Env, Finding, broken, note, ok
from gh_p2pcache.cli.output import size

_LITTLE = 16 << 20
"""Bytes: with less free, records are soon not kept any more."""


def directories(env: Env) -> Iterator[Finding]:
    """Check that cache, state and runtime directory are ours, writable and closed to others."""
    state = paths.state_dir(env)
    yield _directory("cache directory", settings.in_force(env).cache_dir, "nothing is kept")
    yield _directory("state directory", state, "the daemon does not start")
    run = Path(os.path.realpath(state / "run"))
    if run.exists():
        yield _directory("runtime directory", run, "the sockets are not safe")


def disk(env: Env) -> Iterator[Finding]:
    """Compare what is free with what the store may take."""
    there = settings.in_force(env)
    free = shutil.disk_usage(_existing(there.cache_dir)).free
    room = f"{size(free)} free for the cache, which takes {size(there.max_size)} at most"
    if free < _LITTLE:
        yield broken(f"the disk is full: {room}", "free some, or set CACHE_DIR to another disk")
    elif free < there.max_size:
        yield note(f"little disk: {room}", "gh p2pcache config set max_size 64MiB, say")
    else:
        yield ok(room)


def _directory(called: str, path: Path, otherwise: str) -> Finding:
    there = _existing(path)
    info = there.stat()
    if not stat.S_ISDIR(info.st_mode):
        return broken(f"{called}: {there} is no directory: {otherwise}", f"move {there} away")
    if not os.access(there, os.W_OK | os.X_OK):
        return broken(f"{called}: {there} is not writable: {otherwise}", f"chmod u+rwx {there}")
    if there != path:
        return ok(f"{called}: {path} (made at the first call)")
    if info.st_uid != os.getuid():
        return broken(
            f"{called}: {path} is another user's: {otherwise}", "move it away, or set another"
        )
    if info.st_mode & 0o077:
        return note(
            f"{called}: {path} is open to others ({stat.filemode(info.st_mode)})",
            f"chmod 700 {path}",
        )
    return ok(f"{called}: {path}")


def _existing(path: Path) -> Path:
    """Return the path, or the nearest of its parents that exists."""
    return next(candidate for candidate in (path, *path.parents) if os.path.lexists(candidate))
