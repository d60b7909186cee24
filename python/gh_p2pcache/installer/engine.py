"""The engine: its own environment, a copy of the package in it, and the link that selects it."""

from __future__ import annotations

import compileall
import hashlib
import shutil
import subprocess
from pathlib import Path

import gh_p2pcache
from gh_p2pcache.installer import environment
from gh_p2pcache.installer.progress import InstallError, Progress

LINK = "engine"
ENGINES = "engines"

_PACKAGE, _LOCK = "python/gh_p2pcache", "requirements.lock"

# Everything is imported once before an engine is selected: a missing wheel shows here. The peer
# process has packages of its own, which come later (see peers).
_CHECK = """
import importlib, pkgutil, gh_p2pcache
for module in pkgutil.walk_packages(gh_p2pcache.__path__, "gh_p2pcache."):
    if not module.name.endswith("__main__") and not module.name.startswith("gh_p2pcache.peer."):
        importlib.import_module(module.name)
"""


def set_up(data: Path, checkout: Path, progress: Progress, *, wait: bool = True) -> None:
    """Make the engine of this checkout the one in use; nothing happens if it is already.

    Raises InstallError if it can't be built: the engine in use stays then. Raises Busy if somebody
    else is at it and `wait` is false.
    """
    with environment.locked(data, progress, wait=wait) as descriptor:
        package = checkout / _PACKAGE
        lock_file = checkout / _LOCK
        path = folder(data, checkout)
        name = path.name
        line = f"{gh_p2pcache.__version__} {_commit(checkout)}"
        if environment.is_complete(path) and not _broken(path):
            if (path / environment.MARKER).read_text(encoding="utf-8") != line + "\n":
                environment.mark(path, line)
            progress.say(f"  engine {gh_p2pcache.__version__} is in order")
        else:
            if _selected(data) == name:
                (data / LINK).unlink()
            environment.build(
                path,
                lock_file,
                descriptor,
                progress,
                lambda site: _add_package(site, package, line),
            )
        _select(data, name)
        _remove_old(data, name)


def folder(data: Path, checkout: Path) -> Path:
    """Return where this checkout's engine is, or will be: another code or Python, another one."""
    parts = ((checkout / _LOCK).read_bytes(), _tree_digest(checkout / _PACKAGE))
    return data / ENGINES / environment.identity(*parts)


def _add_package(site: Path, package: Path, line: str) -> str:
    """Copy and compile the package: no build step, so nothing but the lock file is downloaded."""
    copy = site / "gh_p2pcache"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(copy, quiet=1)
    path = site.parents[2]
    if broken := _broken(path):
        raise InstallError(f"the engine does not import; please report this:\n{broken}")
    # Without them `gh p2pcache help` says the same.
    write = [str(path / "bin/python"), "-I", "-m", "gh_p2pcache.cli.man", str(path / "man/man1")]
    subprocess.run(write, check=False, capture_output=True)
    return line


def _broken(path: Path) -> str:
    """Return why this engine can't be used, "" if it can."""
    check = [str(path / "bin/python"), "-I", "-c", _CHECK]
    try:
        said = subprocess.run(check, check=False, capture_output=True, text=True, errors="replace")
    except OSError as error:
        return str(error)
    return said.stderr if said.returncode else ""


def _tree_digest(package: Path) -> bytes:
    whole = hashlib.sha256()
    for file in sorted(p for p in package.rglob("*") if p.is_file() and p.suffix != ".pyc"):
        whole.update(f"{file.relative_to(package)}\0{file.stat().st_size}\0".encode())
        whole.update(file.read_bytes())
    return whole.digest()


def _commit(checkout: Path) -> str:
    git = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
    try:
        said = subprocess.run(git, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        return "-"
    return said.stdout.strip() if said.returncode == 0 else "-"


def _selected(data: Path) -> str:
    link = data / LINK
    return link.readlink().name if link.is_symlink() else ""


def _select(data: Path, name: str) -> None:
    if _selected(data) == name:
        return
    temporary = data / f"{LINK}.new"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(f"{ENGINES}/{name}")
    temporary.replace(data / LINK)


def _remove_old(data: Path, name: str) -> None:
    """Keep the engine that was in use before: a running daemon has it until it starts again."""
    others = [p for p in (data / ENGINES).iterdir() if p.name != name]
    whole = sorted(filter(environment.is_complete, others), key=lambda p: p.stat().st_mtime)
    for path in others:
        if path not in whole[-1:]:
            shutil.rmtree(path, ignore_errors=True)
