"""Python environments built from a lock file: whole or not at all.

An environment is complete once its `BUILD` file exists, which is written last; one without is
removed and built anew. Whoever builds holds the flock of the data directory, and so does every
process that writes there for it: a pip that outlives a killed installer still locks others out.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gh_p2pcache.installer.progress import InstallError, Progress

MARKER = "BUILD"

_STEERS_PIP_ELSEWHERE = (
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_USER",
    "PIP_REQUIRE_VIRTUALENV",
)


class BusyError(InstallError):
    """Somebody else holds the lock."""


@contextmanager
def locked(data: Path, progress: Progress, *, wait: bool = True) -> Iterator[int]:
    """Hold the data directory's lock; yields its descriptor, for the processes that write there.

    Raises BusyError if another set-up holds it and `wait` is false.
    """
    data.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise BusyError("another set-up is running") from None
            progress.say("  waiting for another set-up to end")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def identity(*parts: bytes) -> str:
    """Return a short name for an environment made of these parts and this Python."""
    python = f"{sys.implementation.cache_tag} {platform.machine()} {sys.base_prefix}"
    whole = hashlib.sha256()
    for part in (python.encode(), *parts):
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()[:16]


def build(
    path: Path,
    lock_file: Path,
    descriptor: int,
    progress: Progress,
    finish: Callable[[Path], str],
) -> None:
    """Make the environment `path`; `finish(site_packages)` completes it, returns BUILD's line."""
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with progress.step("environment"):
            _run([sys.executable, "-I", "-m", "venv", str(path)], descriptor)
        pip_install(path / "bin/python", lock_file, descriptor, progress)
        mark(path, finish(site_packages(path)))
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


def is_complete(path: Path) -> bool:
    """Say whether this environment was built to its end."""
    return (path / MARKER).is_file()


def mark(path: Path, line: str) -> None:
    """Write the BUILD file, or replace it, at once."""
    temporary = path / f"{MARKER}.new"
    temporary.write_text(line + "\n", encoding="utf-8")
    temporary.replace(path / MARKER)


def site_packages(path: Path) -> Path:
    """Return the folder where this environment's packages lie."""
    return path / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"


def pip_install(
    python: Path,
    lock_file: Path,
    descriptor: int,
    progress: Progress,
    *,
    extra: Iterable[str] = (),
    what: str = "pinned packages",
) -> None:
    """Install exactly what the lock file names, wheels only, each checked by its hash."""
    pip = [str(python), "-I", "-m", "pip", "install", "--no-input", "--progress-bar=off"]
    exact = ["--require-hashes", "--no-deps", "--only-binary=:all:", "--requirement"]
    with progress.step(what):
        _run(
            [*pip, "--disable-pip-version-check", *extra, *exact, str(lock_file)],
            descriptor,
            progress,
        )


def _run(command: list[str], descriptor: int, progress: Progress | None = None) -> None:
    env = {k: v for k, v in os.environ.items() if k not in _STEERS_PIP_ELSEWHERE}
    process = subprocess.Popen(
        command,
        env={**env, "PIP_USER": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(descriptor,),
        text=True,
        errors="replace",
    )
    tail: deque[str] = deque(maxlen=15)
    with process:
        try:
            for line in process.stdout or ():
                tail.append(line.rstrip())
                if progress and line.startswith("Collecting "):
                    progress.detail(line.split()[1])
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        shown = "\n    ".join(tail)
        raise InstallError(f"{' '.join(command[2:5])} failed:\n    {shown}")
