"""What the demo plays on: two machines' homes, the small GitHub, the real gh and the cache."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gh_p2pcache import paths
from gh_p2pcache.cli.control import UnixConnection, get, socket_path
from gh_p2pcache.records.sign import peer_id
from gh_p2pcache.sim.tokens import seed_tokens
from gh_p2pcache.store.identity import load_identity

_PATIENCE = 30.0
"""Seconds after which a command of the demo is ended: it hangs."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One command and what came of it; `calls` and `billed` are the small GitHub's own counts.

    `answers` counts what the cache did, by the names of `gh p2pcache stats`.
    """

    command: str
    stdout: str
    stderr: str
    code: int
    seconds: float
    calls: int
    billed: int
    answers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Home:
    """One machine of the story: the environment of its user, and where members dial it."""

    env: Mapping[str, str]
    port: int

    @property
    def state(self) -> Path:
        """The daemon's state directory."""
        return paths.state_dir(self.env)

    @property
    def address(self) -> str:
        """The machine's multiaddr; its identity is made where it has none yet."""
        return f"/ip4/127.0.0.1/tcp/{self.port}/p2p/{peer_id(load_identity(self.state).public)}"


class Stage:
    """Everything lies below one temporary directory and ends with `close`."""

    def __init__(self, gh: Path, checkout: Path, data: Path) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="p2pcache-", dir=_short_folder()))
        self._socket = self.top / "github.sock"
        self._gh, self._checkout, self._data = gh, checkout, data
        (self.top / "bin").mkdir()
        (self.top / "bin/gh").symlink_to(gh)
        self.first = self._lay_home("first")
        self.second = self._lay_home("second")
        self._github = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-m",
                "gh_p2pcache.sim",
                "--with-parent",
                f"--unix={self._socket}",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.top / "github.log").open("wb"),
        )

    def open(self) -> None:
        """Start what the story needs. Raises RuntimeError."""
        if not (self._github.stdout and self._github.stdout.readline()):
            log = (self.top / "github.log").read_text(errors="replace")
            raise RuntimeError(f"the small GitHub did not start: {log}")
        # The first call would start it too, or go without it where this machine is busy.
        self.start(self.first)

    def start(self, home: Home) -> None:
        """Start a machine's daemon. Raises RuntimeError."""
        started = self._run("gh p2pcache start", home)
        if started.returncode:
            raise RuntimeError(f"the cache did not start: {started.stderr}")

    def close(self) -> None:
        """End the daemons and the small GitHub and remove everything."""
        for home in (self.first, self.second):
            self._run("gh p2pcache stop", home)
        self._github.terminate()
        self._github.communicate()
        shutil.rmtree(self.top)

    def run(self, command: str, home: Home, given: str = "") -> Shown:
        """Run a command line of the story on a machine and measure what it cost."""
        before, counted = self.github_state(), self._answers(home)
        started = time.monotonic()
        said = self._run(command, home, given)
        seconds = time.monotonic() - started
        after, answers = self.github_state(), self._answers(home)
        return Shown(
            command,
            said.stdout,
            said.stderr,
            said.returncode,
            seconds,
            after["total"] - before["total"],
            after["billed"] - before["billed"],
            {k: n - counted.get(k, 0) for k, n in answers.items() if n != counted.get(k, 0)},
        )

    def github(self, **wanted: Any) -> None:
        """Turn a switch of the small GitHub (see sim.control)."""
        _http(self._socket, "POST", "/_sim/control", json.dumps(wanted))

    def github_state(self) -> dict[str, Any]:
        """Return what the small GitHub has counted since it started."""
        state: dict[str, Any] = _http(self._socket, "GET", "/_sim/state")
        return state

    def counted(self, home: Home, name: str) -> int:
        """Return a counter of a machine's `gh p2pcache stats`."""
        return self._answers(home).get(name, 0)

    def peers(self, home: Home) -> dict[str, Any]:
        """Return what a machine's `gh p2pcache peers --json` shows."""
        told: dict[str, Any] = get(home.state, "/peers")
        return told

    @staticmethod
    def wait(condition: Callable[[], object]) -> bool:
        """Wait for a condition; returns whether it came true in time."""
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    @staticmethod
    def _answers(home: Home) -> dict[str, int]:
        if not socket_path(home.state, "control").exists():
            return {}
        totals: dict[str, int] = get(home.state, "/stats")["totals"]
        return totals

    def _run(self, command: str, home: Home, given: str = "") -> subprocess.CompletedProcess[str]:
        with subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=self.top,
            env=home.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            # A time-out of communicate() polls and would spoil the timings.
            watch = threading.Timer(_PATIENCE, process.kill)
            watch.start()
            stdout, stderr = process.communicate(given)
            watch.cancel()
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)

    def _lay_home(self, name: str) -> Home:
        """Make a user who is logged in to the small GitHub and has the extension."""
        home = self.top / name
        config = home / ".config/gh"
        config.mkdir(parents=True)
        (config / "config.yml").write_text(f'version: "1"\nhttp_unix_socket: {self._socket}\n')
        token = seed_tokens()["alice"].secret
        (config / "hosts.yml").write_text(
            f"github.com:\n    user: alice\n    oauth_token: {token}\n    git_protocol: https\n"
        )
        share = home / ".local/share"
        (share / "gh/extensions").mkdir(parents=True)
        (share / "gh/extensions/gh-p2pcache").symlink_to(self._checkout)
        (share / "gh-p2pcache").symlink_to(self._data)
        (home / "run").mkdir(mode=0o700)
        port = _free_port()
        env = {
            "HOME": str(home),
            "PATH": f"{self.top / 'bin'}:{os.environ.get('PATH', os.defpath)}",
            "GH_P2PCACHE_ENGINE": sys.executable,
            "XDG_RUNTIME_DIR": str(home / "run"),
            "CACHE_LOG": "info",
            "CACHE_LISTEN_PORT": str(port),
            "CACHE_MDNS": "false",
            "CACHE_PEER_DEADLINE": "2s",  # a machine that is busy takes 150 ms for less
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "GH_NO_UPDATE_NOTIFIER": "1",
            "GH_PROMPT_DISABLED": "1",
            "LC_ALL": os.environ.get("LC_ALL", "C.UTF-8"),
        }
        return Home(env, port)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _short_folder() -> str:
    """Return where sockets' paths stay short enough: macOS has a long TMPDIR."""
    usual = tempfile.gettempdir()
    return usual if len(usual) <= 40 else "/tmp"  # noqa: S108  mkdtemp's directory is private


def _http(path: Path, method: str, target: str, body: str | None = None) -> Any:
    connection = UnixConnection(path)
    connection.request(method, target, body)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status >= 400:
        raise RuntimeError(f"{method} {target}: {answer.status} {text!r}")
    return json.loads(text) if text else None
