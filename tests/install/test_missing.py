"""install.sh on a machine that lacks something: all of it is named at once, nothing is touched."""

import shutil
from pathlib import Path

import pytest

from support.installing import Machine, snapshot

_OLD_GH = 'echo "gh version 2.20.2 (2022-11-15)"'
_GOOD_GH = 'echo "gh version 2.23.0 (2023-02-27 Debian 2.23.0+dfsg1-1)"'
_PYTHON = "exit 0"
_OLD_PYTHON = "exit 1"
_PYTHON_WITHOUT_VENV = "case $* in *ensurepip*) exit 1 ;; esac"


class Tools:
    """A PATH of its own: what any system has, and the stubs a test adds."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        folder.mkdir()
        for name in ("sh", "sed", "cat", "dirname"):
            (folder / name).symlink_to(str(shutil.which(name)))

    def add(self, **scripts: str) -> str:
        for name, script in scripts.items():
            (self.path / name.replace("_", "-")).write_text(f"#!/bin/sh\n{script}\n")
            (self.path / name.replace("_", "-")).chmod(0o755)
        return str(self.path)


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    return Tools(tmp_path / "tools")


def _refused(machine: Machine, path: str, *options: str, **env: str) -> str:
    before = snapshot(machine.home)
    said = machine.install(*options, check=False, PATH=path, **env)
    assert said.returncode == 1
    assert snapshot(machine.home) == before
    return said.stderr


def test_everything_missing_is_named_in_one_go(machine: Machine, tools: Tools) -> None:
    said = _refused(machine, tools.add())
    assert [line for line in said.splitlines() if "missing" in line] == [
        "install.sh: missing: git",
        "install.sh: missing: gh 2.23 or newer (https://cli.github.com)",
        "install.sh: missing: Python 3.10 to 3.14",
    ]
    assert "sudo apt-get install python3 python3-venv" in said
    assert "sudo dnf install gh" in said
    assert "brew install git" in said
    assert "conda install -c conda-forge gh" in said


@pytest.mark.parametrize(
    ("manager", "way"),
    [("apt_get", "sudo apt-get install gh"), ("dnf", "sudo dnf install gh"),
     ("brew", "brew install gh"), ("conda", "conda install -c conda-forge gh")],
)  # fmt: skip
def test_the_way_is_this_machines(machine: Machine, tools: Tools, manager: str, way: str) -> None:
    path = tools.add(git="", python3=_PYTHON, **{manager: ""})
    assert _refused(machine, path).splitlines()[1:] == [f"    {way}"]


def test_an_old_gh_is_named_with_its_version(machine: Machine, tools: Tools) -> None:
    said = _refused(machine, tools.add(git="", gh=_OLD_GH, python3=_PYTHON))
    assert "gh 2.23 or newer, this one is 2.20" in said


def test_a_python_without_venv_is_told_from_no_python(machine: Machine, tools: Tools) -> None:
    path = tools.add(git="", gh=_GOOD_GH, python3=_PYTHON_WITHOUT_VENV, apt_get="")
    assert _refused(machine, path).splitlines() == [
        f"install.sh: missing: the venv module of {path}/python3",
        "    sudo apt-get install python3-venv",
    ]


def test_a_numbered_python_does_where_python3_is_too_old(machine: Machine, tools: Tools) -> None:
    path = tools.add(
        git="", gh=_GOOD_GH, python3=_OLD_PYTHON, python3_12=_PYTHON.replace("exit 0", "echo taken")
    )
    (tools.path / "python3-12").rename(tools.path / "python3.12")
    assert machine.install(PATH=path).stdout.splitlines()[-1] == "taken"


def test_only_the_whole_set_up_wants_gh_and_git(machine: Machine, tools: Tools) -> None:
    path = tools.add()
    assert _refused(machine, path, "--setup").splitlines()[0] == (
        "install.sh: missing: Python 3.10 to 3.14"
    )


def test_without_a_home_nothing_begins(machine: Machine, tools: Tools) -> None:
    assert "HOME is not set" in _refused(machine, tools.add(git="", gh=_GOOD_GH), HOME="")


def test_an_unknown_option_is_a_usage_error_and_help_shows_examples(machine: Machine) -> None:
    said = machine.install("--prefixx", check=False)
    assert said.returncode == 2
    assert "--prefixx" in said.stderr
    assert "./install.sh --demo" in machine.install("--help").stdout
