"""A daemon of a test's own: an engine made of the checkout and a gateway, and a state directory."""

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

from gh_p2pcache.errors import DaemonError
from gh_p2pcache.supervisor import place, talk
from support.wait import until

PACKAGE = Path(__file__).parents[2] / "python/gh_p2pcache"
STAND_INS = {name: Path(__file__).with_name(f"stand_in_{name}.py") for name in ("gateway", "peer")}
_OF_THE_SUPERVISOR = ("supervisor", "overlay")
_MODULES = ("__init__", "errors", "paths", "parsers", "settings", "published")


def make_engine(home: Path) -> Path:
    """Make an environment with the stand-ins for gateway and peer; returns its Python."""
    site = home / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    package = site / "gh_p2pcache"
    package.mkdir(parents=True)
    for module in _MODULES:
        shutil.copy(PACKAGE / f"{module}.py", package)
    for folder in _OF_THE_SUPERVISOR:
        shutil.copytree(
            PACKAGE / folder, package / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name, stand_in in STAND_INS.items():
        (package / name).mkdir()
        (package / name / "__init__.py").touch()
        shutil.copy(stand_in, package / name / "__main__.py")
    # PyYAML and, before Python 3.11, tomli.
    (site / "more.pth").write_text(f"{Path(yaml.__file__).parents[1]}\n")
    if sys.version_info < (3, 11):
        # settings reads TOML, and this tomli has compiled modules beside its package.
        for file in {Path(f).parts[0] for f in metadata.files("tomli") or ()}:
            (site / file).symlink_to(metadata.distribution("tomli").locate_file(file))
    (home / "pyvenv.cfg").write_text(f"home = {sysconfig.get_config_var('BINDIR')}\n")
    (home / "bin").mkdir()
    python = home / "bin/python"
    python.symlink_to(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info[1]}")
    return python


def get(path: Path, timeout: float = 10.0) -> bytes:
    """Ask the gateway behind a socket something, as gh does; returns the body."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connection.connect(str(path))
        connection.sendall(b"GET /user HTTP/1.1\r\nHost: api.github.com\r\n\r\n")
        answer = b""
        while part := connection.recv(65536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 200"), answer
    return answer.partition(b"\r\n\r\n")[2]


class Daemon:
    """A state directory and the engine that serves it; `env` is what commands are run with."""

    def __init__(self, root: Path, python: Path) -> None:
        self.state = root / "state"
        self.python = python
        self.home = root / "home"
        self.home.mkdir()
        self.env = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "XDG_RUNTIME_DIR": str(root / "runtime"),
            "CACHE_STATE_DIR": str(self.state),
        }
        (root / "runtime").mkdir(mode=0o700)

    @property
    def run(self) -> Path:
        return self.state / "run"

    def command(self, *arguments: str) -> list[str]:
        main = next(self.python.parents[1].glob("lib/python3*/site-packages/gh_p2pcache"))
        return [str(self.python), "-I", "-S", str(main / "supervisor/__main__.py"), *arguments]

    def start(self, seconds: float = 10.0) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command("start", str(self.state), str(seconds)),
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )

    def status(self) -> dict[str, Any]:
        return talk.ask(str(self.run), "status", 20.0)

    def behave(self, how: str, who: str = "behave") -> None:
        self.state.mkdir(exist_ok=True)
        (self.state / who).write_text(how)

    def log(self) -> str:
        return (self.state / "log/daemon.log").read_text()

    def is_alive(self) -> bool:
        return (self.run / "alive").is_socket()

    def end(self) -> None:
        """End the daemon of this state directory, if there is one."""
        with suppress(DaemonError):
            known = talk.ask(str(self.run), "status", 2.0)
            talk.ask(str(self.run), "stop", 10.0, to_the_end=True)
            until(lambda: not _exists(known["pid"]))
        if self.state.exists():
            until(lambda: _free(self.state), what="the lock to be free")


def _exists(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _free(state: Path) -> bool:
    lock = place.take_lock(str(state))
    if lock is None:
        return False
    os.close(lock)
    return True


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an engine with the stand-in gateway."""
    return make_engine(tmp_path_factory.mktemp("engine") / "engine")


@pytest.fixture
def daemon(tmp_path: Path, engine: Path) -> Iterator[Daemon]:
    """A daemon that is not started yet; it is ended after the test."""
    one = Daemon(tmp_path, engine)
    yield one
    one.end()
