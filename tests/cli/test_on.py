"""`gh p2pcache on` and `off`: what is written is seen first."""

import json
from pathlib import Path

import pytest

from support.machine import COMMAND, Machine
from support.shells import terminal


@pytest.fixture
def bash(machine: Machine) -> Path:
    """The machine's .bashrc; gh's shim is there, and $SHELL is bash."""
    shim = machine.root / "data/gh-p2pcache/shim/gh"
    shim.parent.mkdir(parents=True)
    shim.symlink_to("/bin/true")
    machine.env |= {"SHELL": "/bin/bash", "TERM": "dumb"}
    file = machine.root / ".bashrc"
    file.write_text("alias l=ls\n")
    return file


def test_on_shows_it_asks_and_writes_it_once(machine: Machine, bash: Path) -> None:
    with terminal([*COMMAND, "on"], machine.env) as screen:
        seen = screen.until("[y/N]")
        assert bash.read_text() == "alias l=ls\n"
        screen.type("y\n")
        screen.until("On in every new bash by ~/.bashrc")

    (added,) = [row[1:] for row in seen.splitlines() if row.startswith("+[[")]
    assert bash.read_text() == f"alias l=ls\n{added}\n"
    again = machine.do("on")
    assert (again.exit_code, again.stdout) == (0, "~/.bashrc has it already.\n")


def test_a_no_writes_nothing(machine: Machine, bash: Path) -> None:
    with terminal([*COMMAND, "on"], machine.env) as screen:
        screen.until("[y/N]")
        screen.type("n\n")
        screen.until("Aborted!")

    assert bash.read_text() == "alias l=ls\n"


def test_with_nobody_to_ask_nothing_is_written(machine: Machine, bash: Path) -> None:
    said = machine.run("on")

    assert said.returncode == 2
    assert "there is no terminal to ask at (--yes)" in said.stderr
    assert bash.read_text() == "alias l=ls\n"


def test_off_takes_it_back_from_every_profile(machine: Machine, bash: Path) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert machine.do("on", "--shell", shell, "--yes").exit_code == 0
    on = json.loads(machine.do("status", "--json").stdout)["shell"]["profiles"]
    assert [Path(file).name for file in on] == [".bashrc", ".zshrc", "config.fish"]

    assert machine.do("off", "--shell", "zsh", "--yes").exit_code == 0
    assert len(json.loads(machine.do("status", "--json").stdout)["shell"]["profiles"]) == 2
    said = machine.do("off", "--yes")

    assert said.stdout.startswith("Off in every new shell (~/.bashrc, ")
    assert bash.read_text() == "alias l=ls\n"
    assert json.loads(machine.do("status", "--json").stdout)["shell"]["profiles"] == []
    assert machine.do("off", "--yes").stdout == "It is on in no profile.\n"


def test_status_tells_it_of_this_shell(machine: Machine, bash: Path) -> None:
    del bash
    assert "gh asks GitHub itself in this one; off in every profile" in machine.do("status").stdout

    machine.do("on", "--yes")
    env = {"PATH": f"{machine.root}/data/gh-p2pcache/shim:{machine.env['PATH']}"}
    said = machine.do("status", env=env)

    assert f"every gh goes through the cache in this one; {machine.root}/.bashrc: on" in said.stdout


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"SHELL": "/bin/tcsh"}, "SHELL is 'tcsh': choose one with --shell bash, zsh or fish"),
        ({"XDG_DATA_HOME": "/nowhere"}, "there is no shim for a shell to use yet"),
    ],
)
def test_what_cannot_be_is_said(
    machine: Machine, bash: Path, env: dict[str, str], message: str
) -> None:
    del bash
    said = machine.do("on", env=env)

    assert said.exit_code == 2
    assert message in said.stderr
