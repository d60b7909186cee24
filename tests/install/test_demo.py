"""`install.sh --demo` on this checkout as it is: the whole of the product in one command."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from support.installing import ROOT, snapshot


def test_every_step_shows_what_it_claims_and_only_the_engine_is_left(tmp_path: Path) -> None:
    home = tmp_path / "home"
    temporary = Path(tempfile.mkdtemp())  # short: sockets lie there
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("XDG_")},
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PIP_CACHE_DIR": _pip_cache(),
        "GH_TOKEN": "ghp_must-not-be-used",
        "CACHE_UPSTREAM": "http://127.0.0.1:9",
    }
    home.mkdir()

    said = subprocess.run(
        [ROOT / "install.sh", "--demo"], env=env, capture_output=True, text=True, check=False
    )

    assert said.returncode == 0, said.stdout + said.stderr
    assert "✗" not in said.stdout
    assert said.stdout.splitlines()[-1].strip() == "./install.sh && gh p2pcache api user"
    assert "\033[" not in said.stdout
    # pip asks rustc for its version, and a rustup makes itself at home.
    ours = (".local/share/gh-p2pcache/", ".rustup/")
    assert [path for path in snapshot(home) if not path.startswith(ours)] == []
    temporary.rmdir()
    assert _processes_of(home) == []


def _pip_cache() -> str:
    told = subprocess.run(
        [sys.executable, "-m", "pip", "cache", "dir"], capture_output=True, text=True, check=True
    )
    return told.stdout.strip()


def _processes_of(home: Path) -> list[str]:
    """Return the command lines of processes that run from below `home`."""
    own = Path("/proc").glob("[0-9]*/cmdline")
    return [line for line in map(_read, own) if str(home) in line]


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
