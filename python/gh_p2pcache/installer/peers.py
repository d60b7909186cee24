"""The peers' packages: beside the engine's, there whole or not at all, and never in its way.

They lie in `peers/<id>`, and an engine that may use them has the link `peer-site` to them (see
gh_p2pcache.peer.packages): engines of the same lock file share one set.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from gh_p2pcache.installer import engine, environment
from gh_p2pcache.installer.progress import InstallError, Progress

_FOLDER = "peers"
_LINK = "peer-site"
_LOCK = "requirements-peer.lock"

# All of the peer process is imported once with them: a missing wheel or library shows here.
_CHECK = """
import importlib, pathlib, pkgutil, sys
from gh_p2pcache import peer
from gh_p2pcache.peer import packages
packages.reach(pathlib.Path(sys.argv[1]))
importlib.import_module("libp2p")
for module in pkgutil.iter_modules(peer.__path__, "gh_p2pcache.peer."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""


def set_up(data: Path, checkout: Path, progress: Progress, *, wait: bool = True) -> None:
    """Give the engine in use the peers' packages; nothing happens if it has them already.

    A failure is one line to the user: without them the cache works, alone. Raises BusyError if
    somebody else is at it and `wait` is false.
    """
    lock_file = checkout / _LOCK
    with environment.locked(data, progress, wait=wait) as descriptor:
        path = folder(data, checkout)
        python = data / engine.LINK / "bin/python"
        link = data / engine.LINK / _LINK
        if environment.is_complete(path) and not _broken(python, path):
            progress.say("  peers are in order")
        else:
            link.unlink(missing_ok=True)
            try:
                _install(python, path, lock_file, descriptor, progress)
            except (InstallError, OSError) as error:
                said = _in_short(error)
                progress.say(f"  without peers (gh p2pcache setup tries again): {said}")
                return
        _lead(link, path)
        _remove_unused(data)


def folder(data: Path, checkout: Path) -> Path:
    """Return where the packages of this checkout's peers are, or will be."""
    return data / _FOLDER / environment.identity((checkout / _LOCK).read_bytes())


def _install(
    python: Path, path: Path, lock_file: Path, descriptor: int, progress: Progress
) -> None:
    shutil.rmtree(path, ignore_errors=True)
    try:
        environment.pip_install(
            python, lock_file, descriptor, progress, extra=[f"--target={path}"], what="peers"
        )
        _require_whole(python, path)
        environment.mark(path, lock_file.name)
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


def _require_whole(python: Path, path: Path) -> None:
    if broken := _broken(python, path):
        raise InstallError(f"they do not import; please report this:\n{broken}")


def _broken(python: Path, path: Path) -> str:
    """Return why the engine can't use these packages, "" if it can."""
    check = [str(python), "-I", "-c", _CHECK, str(path)]
    said = subprocess.run(check, check=False, capture_output=True, text=True, errors="replace")
    return said.stderr if said.returncode else ""


def _in_short(error: Exception) -> str:
    """Return the line of pip's output, or of a traceback, that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if line.startswith("ERROR: ")]
    return (named or lines or [type(error).__name__])[-1].removeprefix("ERROR: ")


def _lead(link: Path, path: Path) -> None:
    if link.resolve() == path.resolve():
        return
    temporary = link.with_name(f"{_LINK}.new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(f"../../{_FOLDER}/{path.name}")
    temporary.replace(link)


def _remove_unused(data: Path) -> None:
    """Keep what any engine that is still there may use."""
    used = {link.resolve().name for link in (data / engine.ENGINES).glob(f"*/{_LINK}")}
    for path in (data / _FOLDER).iterdir():
        if path.name not in used:
            shutil.rmtree(path, ignore_errors=True)
