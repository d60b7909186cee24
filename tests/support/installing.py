"""A small checkout that install.sh can set up in seconds without a network, and a home for it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]

_ENTRY = """#!/bin/sh
printf '%s|' "$PWD" "$@"
"""


_MAN = """import pathlib, sys
if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True)
    (folder / "gh-p2pcache.1").touch()
"""


class Machine:
    """A home directory, a checkout in a path with spaces, and the commands a user gives there."""

    def __init__(self, top: Path) -> None:
        self.home = top / "home"
        self.checkout = top / "my tools" / "gh-p2pcache"
        self.home.mkdir()
        self.env = {
            "HOME": str(self.home),
            "PATH": f"{Path(sys.executable).parent}:{os.defpath}:/usr/local/bin",
            "LC_ALL": "C.UTF-8",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(top / "wheels"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        self._lay_checkout(top / "wheels")

    def _lay_checkout(self, wheels: Path) -> None:
        package = self.checkout / "python/gh_p2pcache"
        package.mkdir(parents=True)
        source = ROOT / "python/gh_p2pcache"
        shutil.copy(ROOT / "install.sh", self.checkout)
        for name in ("__init__.py", "errors.py", "paths.py"):
            shutil.copy(source / name, package)
        for room in ("installer", "shell", "supervisor"):
            shutil.copytree(
                source / room, package / room, ignore=shutil.ignore_patterns("__pycache__")
            )
        (package / "leaf.py").write_text("import gh_p2pcache_leaf\n")
        (package / "cli").mkdir()
        (package / "cli/man.py").write_text(_MAN)
        (package / "peer").mkdir()
        for name in ("__init__.py", "packages.py"):
            shutil.copy(source / "peer" / name, package / "peer")
        (package / "peer/node.py").write_text("import libp2p\n")
        (self.checkout / "gh-p2pcache").write_text(_ENTRY)
        (self.checkout / "gh-p2pcache").chmod(0o755)
        wheels.mkdir()
        self.lock_file.write_text(_pin(_wheel(wheels, "gh-p2pcache-leaf", "gh_p2pcache_leaf.py")))
        self.peer_lock_file.write_text(
            _pin(_wheel(wheels, "gh-p2pcache-peer-leaf", "libp2p/__init__.py"))
        )
        self.git("init", "--quiet")
        self.commit("the first")

    @property
    def lock_file(self) -> Path:
        return self.checkout / "requirements.lock"

    @property
    def peer_lock_file(self) -> Path:
        return self.checkout / "requirements-peer.lock"

    @property
    def data(self) -> Path:
        return self.home / ".local/share/gh-p2pcache"

    @property
    def engine(self) -> Path:
        return self.data / "engine"

    def git(self, *arguments: str) -> str:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        return self.run("git", *who, *arguments, cwd=self.checkout).stdout.strip()

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def run(
        self, *command: str, cwd: Path | None = None, check: bool = True, **env: str
    ) -> subprocess.CompletedProcess[str]:
        said = subprocess.run(
            command,
            cwd=cwd or self.home,
            env=self.env | env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == 0 or not check, said.stdout + said.stderr
        return said

    def install(
        self, *options: str, check: bool = True, **env: str
    ) -> subprocess.CompletedProcess[str]:
        return self.run(str(self.checkout / "install.sh"), *options, check=check, **env)

    def start_install(self, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.checkout / "install.sh", *options],
            cwd=self.home,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def engine_runs(self) -> bool:
        return self._runs("import gh_p2pcache.leaf")

    def peers_run(self) -> bool:
        return self._runs(
            "from gh_p2pcache.peer import packages; packages.reach(); import gh_p2pcache.peer.node"
        )

    def _runs(self, script: str) -> bool:
        python = self.engine / "bin/python"
        return (
            python.exists()
            and not self.run(str(python), "-I", "-c", script, check=False).returncode
        )


def _pin(wheel: Path) -> str:
    name = wheel.name.split("-")[0].replace("_", "-")
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def _wheel(folder: Path, name: str, content: str) -> Path:
    escaped = name.replace("-", "_")
    path = folder / f"{escaped}-1.0-py3-none-any.whl"
    about = f"{escaped}-1.0.dist-info"
    files = {
        content: "",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(zipfile.ZipInfo(file), text)  # dated 1980: the same hash each time
    return path


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.005)


def snapshot(top: Path) -> dict[str, tuple[int, int]]:
    """Return every file and link below `top` with its inode and time of change.

    Less what any `gh --version` leaves.
    """
    return {
        str(path.relative_to(top)): (path.lstat().st_ino, path.lstat().st_mtime_ns)
        for path in top.rglob("*")
        if (path.is_symlink() or not path.is_dir()) and path.name != "device-id"
    }
