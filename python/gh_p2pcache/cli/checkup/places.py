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
    cache = settings.in_force(env).cache_dir
    yield _directory("cache directory", cache, "nothing is kept", "CACHE_DIR")
    yield _directory("state directory", state, "the daemon does not start", "CACHE_STATE_DIR")
    run = Path(os.path.realpath(state / "run"))
    if run.exists():
        yield _directory("runtime directory", run, "the sockets are not safe", "XDG_RUNTIME_DIR")


def disk(env: Env) -> Iterator[Finding]:
    """Compare what is free with what the store may take."""
    there = settings.in_force(env)
    if paths.unusable("cache directory", there.cache_dir):
        return
    free = shutil.disk_usage(there.cache_dir).free
    room = f"{size(free)} free for the cache, which takes {size(there.max_size)} at most"
    if free < _LITTLE:
        yield broken(f"the disk is full: {room}", "free some, or set CACHE_DIR to another disk")
    elif free < there.max_size:
        yield note(f"little disk: {room}", "gh p2pcache config set max_size 64MiB, say")
    else:
        yield ok(room)


def _directory(called: str, path: Path, otherwise: str, setting: str) -> Finding:
    if problem := paths.unusable(called, path):
        return broken(f"{problem}: {otherwise}", _way_out(path, setting))
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        what = f"{called}: {path} is on a read-only file system: {otherwise}"
        return broken(what, f"set {setting} to another place")
    if not os.access(path, os.W_OK | os.X_OK):
        return broken(f"{called}: {path} is not writable: {otherwise}", f"chmod u+rwx {path}")
    info = path.stat()
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


def _way_out(path: Path, setting: str) -> str:
    there = next(candidate for candidate in (path, *path.parents) if os.path.lexists(candidate))
    elsewhere = f"set {setting} to another place"
    return elsewhere if there.is_dir() else f"move {there} away, or {elsewhere}"
