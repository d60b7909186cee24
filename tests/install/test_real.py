"""install.sh on this checkout as it is, from the demo to the last file removed."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.installing import ROOT, snapshot

# pip asks rustc for its version, and a rustup makes itself at home.
_NOT_OURS = (".rustup/", ".gitconfig")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield (home := tmp_path_factory.mktemp("home of one"))
    assert _processes_of(home) == []


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy: a commit in the original meanwhile would have its engine follow by itself."""
    copy = tmp_path_factory.mktemp("checkout") / "gh-p2pcache"
    aside = shutil.ignore_patterns(".*", "__pycache__", "tests", "node_modules")
    return shutil.copytree(ROOT, copy, ignore=aside) / "install.sh"


@pytest.fixture(scope="module")
def env(home: Path) -> dict[str, str]:
    strange = ("XDG_", "CACHE_", "GH_", "GITHUB_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(strange)},
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PIP_CACHE_DIR": _output(sys.executable, "-m", "pip", "cache", "dir").strip(),
    }


def test_each_step_of_the_demo_shows_what_it_claims_and_only_the_engine_is_left(
    home: Path, env: dict[str, str], script: Path
) -> None:
    temporary = Path(tempfile.mkdtemp())  # short: sockets lie there
    disturbing = {"GH_TOKEN": "ghp_must-not-be-used", "CACHE_UPSTREAM": "http://127.0.0.1:9"}

    said = _output(script, "--demo", env=env | disturbing | {"TMPDIR": str(temporary)})

    assert "✗" not in said
    assert "without peers" not in said
    assert said.splitlines()[-1].strip() == "./install.sh && gh p2pcache api user"
    assert "\033[" not in said
    assert _left(home, ".local/share/gh-p2pcache/") == []
    assert _processes_of(home) == []
    temporary.rmdir()


def test_after_the_set_up_a_daemon_runs_and_after_the_removal_nothing_does(
    home: Path, env: dict[str, str], script: Path
) -> None:
    _output(script, env=env)
    assert "pid" in _output("gh", "p2pcache", "start", env=env)
    runtime = (home / ".local/state/gh-p2pcache/run").resolve()
    assert (runtime / "exact.sock").is_socket()
    assert _processes_of(home)

    assert "the daemon has stopped" in _output(script, "--uninstall", env=env)
    assert not runtime.exists()
    assert _left(home) == []


def _left(home: Path, *known: str) -> list[str]:
    return [path for path in snapshot(home) if not path.startswith((*known, *_NOT_OURS))]


def _output(*command: str | Path, env: dict[str, str] | None = None) -> str:
    said = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


def _processes_of(home: Path) -> list[str]:
    """Return the command lines of processes that run from below `home`."""
    own = Path("/proc").glob("[0-9]*/cmdline")
    return [line for line in map(_read, own) if str(home) in line]


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
