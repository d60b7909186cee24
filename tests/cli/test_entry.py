"""What the entry script does itself reaches it word for word."""

import subprocess
from pathlib import Path

import pytest

from gh_p2pcache.cli import entry
from gh_p2pcache.errors import P2PCacheError
from support.machine import Machine

WORDS = ["-H", "X: y", "--help", "--", "--ttl=5m", "two words", "", "--json"]


@pytest.fixture
def script(machine: Machine) -> Path:
    """A stand-in for the entry script that prints what it was called with."""
    path = machine.root / "bin/gh-p2pcache"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\nprintf '<%s>' \"$@\"\nexit 7\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("command", ["api", "exec", "setup", "shellenv"])
def test_arguments_and_exit_code_pass_through(machine: Machine, script: Path, command: str) -> None:
    said = machine.run(command, *WORDS, env={"GH_P2PCACHE_ENTRY": str(script)})

    assert said.stdout == "".join(f"<{word}>" for word in [command, *WORDS])
    assert said.returncode == 7


def test_the_shims_target_is_found(machine: Machine, script: Path) -> None:
    shim = machine.root / "data/gh-p2pcache/shim/gh"
    shim.parent.mkdir(parents=True)
    shim.symlink_to(script)

    said = machine.run("api", "user")

    assert said.stdout == "<api><user>"


def test_a_checkouts_own_is_found(tmp_path: Path) -> None:
    assert entry.find({"HOME": str(tmp_path)}) == Path(entry.__file__).parents[3] / "gh-p2pcache"


def test_its_absence_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "NAME", "gh-elsewhere")

    with pytest.raises(P2PCacheError, match=r"run \./install.sh"):
        entry.find({"HOME": str(tmp_path)})


def test_the_real_one_answers_as_the_module(running: Machine) -> None:
    plain = subprocess.run(
        ["gh", "api", "user"], env=running.env, capture_output=True, text=True, check=True
    )

    assert running.run("api", "user").stdout == plain.stdout
