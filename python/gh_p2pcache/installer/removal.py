"""`install.sh --uninstall`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gh_p2pcache import paths
from gh_p2pcache.errors import DaemonError
from gh_p2pcache.installer import credential, register
from gh_p2pcache.installer.progress import Progress
from gh_p2pcache.shell import profile
from gh_p2pcache.shell.replace import replace
from gh_p2pcache.supervisor import client

TRIED = "set-up-tried"
"""The entry point notes there that it tried a set-up of its own."""

_LOCK = "lock"
_MADE = (
    *("engine", "engine.new", "engines", "peers", "dev", "gh"),
    *("shim", "shell", "man", "man.new", "git-credential-before.json", TRIED, _LOCK),
)
"""What is made in the data directory; the lock comes first there, and so goes last."""


def remove(data: Path, checkout: Path, *, keep_cache: bool, progress: Progress) -> None:
    """Stop the daemon and take back what install.sh and the daemon made.

    `keep_cache` leaves the cache, the state and config.toml.
    """
    usual = paths.data_dir(os.environ)
    _stop(progress)
    _leave_profiles(progress)
    credential.restore(data, progress)
    register.remove_alias(progress)
    register.remove_extension(usual.parent, checkout, progress)
    _remove_data(data, progress)
    if usual.is_symlink() and usual.resolve() == data:
        usual.unlink()
    if not keep_cache:
        _remove_own(progress)


def _leave_profiles(progress: Progress) -> None:
    for file in profile.where_on(os.environ):
        try:
            replace(file, profile.removed(profile.read(file)))
        except OSError as error:
            # Home Manager's are in a read-only store; the line does nothing once the shim is gone.
            line = f"the line with '{profile.MARK}'"
            progress.say(f"  take {line} out of {file} yourself: {error.strerror}")
        else:
            progress.say(f"  {file} no longer puts gh behind the cache")


def _stop(progress: Progress) -> None:
    state = paths.state_dir(os.environ)
    try:
        if client.stop(state):
            progress.say("  the daemon has stopped")
    except (DaemonError, OSError) as error:
        # It leaves by itself once its files are gone.
        progress.say(f"  the daemon was not stopped: {error}")
    run = state / "run"
    if run.is_symlink():
        sockets = run.resolve()
        shutil.rmtree(sockets, ignore_errors=True)
        with suppress(OSError):  # another daemon of this user's has its sockets beside
            sockets.parent.rmdir()
        run.unlink()


def _remove_data(data: Path, progress: Progress) -> None:
    """Remove our own names from the data directory, and it too if nothing else is there.

    Where no set-up ever held its lock (--prefix may name any directory) those are somebody else's.
    """
    if not data.is_dir():
        return
    for name in _MADE if (data / _LOCK).is_file() else (TRIED,):
        _discard(data / name, progress)
    left = ", ".join(sorted(path.name for path in data.iterdir()))
    if left:
        progress.say(f"  {data} stays, for what is not of the set-up: {left}")
        return
    data.rmdir()
    progress.say(f"  removed {data}")


def _discard(path: Path, progress: Progress) -> None:
    if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(path.parent):
        _unlink(path, progress)
    elif path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _remove_own(progress: Progress) -> None:
    """Remove what lies in the usual places; a place that the user named may hold more than ours."""
    usual = {name: value for name, value in os.environ.items() if not name.startswith("CACHE_")}
    for path in (paths.state_dir(usual), paths.cache_dir(usual), paths.config_file(usual).parent):
        _remove(path, progress)
    for named in _named():
        progress.say(f"  {named} is yours to remove: you named it")


def _named() -> Iterator[str]:
    for name in ("CACHE_STATE_DIR", "CACHE_DIR", "IPFS_ACCELERATE_CACHE_DIR"):
        if (path := os.environ.get(name)) and Path(path).exists():
            yield path


def _remove(path: Path, progress: Progress) -> None:
    if path.is_symlink():
        _unlink(path, progress)
    elif path.exists():
        shutil.rmtree(path)
        progress.say(f"  removed {path}")


def _unlink(path: Path, progress: Progress) -> None:
    """Remove a link of the user's own making alone: where it leads there may be more than ours."""
    led = os.path.realpath(path)
    path.unlink()
    progress.say(f"  {led} is yours to remove: {path} led there")
