"""`install.sh --demo`: the engine and a gh, then the story that `gh_p2pcache.sim.demo` tells."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

from gh_p2pcache.installer import engine, environment, peers, register
from gh_p2pcache.installer.progress import Progress

_OLDEST_GH = (2, 23)


def run(data: Path, checkout: Path, progress: Progress) -> NoReturn:
    """Become the story, which exits with 0 if every step showed what it claims."""
    progress.say("Setting up the engine")
    engine.set_up(data, checkout, progress)
    register.add_shim(data, checkout)
    peers.set_up(data, checkout, progress)
    gh = _gh_of_this_machine(data) or _pinned_gh(data, checkout, progress)
    python = str(data / engine.LINK / "bin/python")
    places = [f"--gh={gh}", f"--checkout={checkout}", f"--data={data}"]
    os.execv(python, [python, "-I", "-m", "gh_p2pcache.sim.demo", *places])  # noqa: S606


def _gh_of_this_machine(data: Path) -> Path | None:
    """Return a gh that is recent enough and not our own shim."""
    places = os.environ.get("PATH", os.defpath).split(":")
    found = shutil.which("gh", path=":".join(p for p in places if p != str(data / "shim")))
    if found is None:
        return None
    said = subprocess.run([found, "--version"], check=False, capture_output=True, text=True)
    version = re.match(r"gh version (\d+)\.(\d+)", said.stdout)
    recent = version is not None and (int(version[1]), int(version[2])) >= _OLDEST_GH
    return Path(found) if recent else None


def _pinned_gh(data: Path, checkout: Path, progress: Progress) -> Path:
    """Install the gh of the lock file below the data directory, once."""
    lock_file = checkout / "requirements-gh.lock"
    with environment.locked(data, progress) as descriptor:
        path = data / "gh" / environment.identity(lock_file.read_bytes())
        if not environment.is_complete(path):
            shutil.rmtree(path.parent, ignore_errors=True)
            python = data / engine.LINK / "bin/python"
            target = [f"--target={path}"]
            environment.pip_install(
                python, lock_file, descriptor, progress, extra=target, what="a gh"
            )
            environment.mark(path, lock_file.name)
    return path / "bin/gh"
