"""The real gh, in the versions this machine has, each with a home of its own."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.sim import SECRETS


@dataclass(frozen=True)
class Run:
    """What a command gave."""

    code: int
    out: bytes
    err: str


def find_gh() -> dict[str, Path]:
    """Return the gh programs of this machine by version: beside Python, in PATH, in /usr/bin."""
    places = [Path(sys.executable).parent / "gh", Path("/usr/bin/gh")]
    first = shutil.which("gh")
    found: dict[str, Path] = {}
    for place in [*places, *([Path(first)] if first else [])]:
        if place.is_file():
            said = subprocess.run([place, "--version"], capture_output=True, text=True, check=True)
            version = re.search(r"\d+\.\d+\.\d+", said.stdout)
            if version:
                found.setdefault(version[0], place)
    return found


GH = find_gh()


@dataclass
class Gh:
    """A gh of one version with its own HOME and XDG directories, speaking to a Unix socket."""

    version: str
    home: Path
    socket: Path | None = None
    token: str | None = "alice"
    more: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("config/gh", "data", "state", "cache"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        self.configure()

    @property
    def config(self) -> Path:
        """The config directory: version 1, and the socket if there is one."""
        return self.home / "config" / "gh"

    def configure(self) -> None:
        """Write config.yml anew."""
        lines = ['version: "1"', "git_protocol: https", "prompt: disabled"]
        if self.socket is not None:
            lines.append(f"http_unix_socket: {self.socket}")
        (self.config / "config.yml").write_text("\n".join(lines) + "\n")

    @property
    def env(self) -> dict[str, str]:
        """The whole environment of the commands: nothing of the caller's but PATH."""
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "GH_CONFIG_DIR": str(self.config),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_DATA_HOME": str(self.home / "data"),
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "GH_PROMPT_DISABLED": "1",
            "GH_NO_UPDATE_NOTIFIER": "1",
            "GH_TELEMETRY": "false",
            "DO_NOT_TRACK": "1",
            "TZ": "UTC",
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        if self.token is not None:
            env["GH_TOKEN"] = SECRETS.get(self.token, self.token)
        return env | self.more

    def run(
        self, *arguments: str, stdin: bytes = b"", cwd: Path | None = None, timeout: float = 60
    ) -> Run:
        """Run `gh ARGUMENTS` in an empty directory of its own (or `cwd`)."""
        work = cwd or self.home / "work"
        work.mkdir(exist_ok=True)
        done = subprocess.run(
            [GH[self.version], *arguments],
            input=stdin,
            capture_output=True,
            env=self.env,
            cwd=work,
            timeout=timeout,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))


GhFactory = Callable[..., Gh]


@pytest.fixture
def ghs(tmp_path: Path) -> GhFactory:
    """Makes Gh values in fresh homes: ghs(version, socket=..., token="alice", more={...})."""
    made: list[Gh] = []

    def make(version: str, **options: object) -> Gh:
        home = tmp_path / f"home{len(made)}"
        made.append(Gh(version, home, **options))  # type: ignore[arg-type]
        return made[-1]

    return make


@pytest.fixture(params=sorted(GH))
def gh(request: pytest.FixtureRequest, ghs: GhFactory) -> Gh:
    """A gh of every version in turn; point it at a socket with `.socket = …; .configure()`."""
    return ghs(request.param)
