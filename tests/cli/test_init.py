"""`gh p2pcache init`: files of a project, merged and agreed to."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from gh_p2pcache.cli import jsonc
from support.machine import COMMAND, Machine
from support.shells import terminal


@pytest.fixture
def project(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where the user stands."""
    monkeypatch.chdir(machine.root)
    machine.env["TERM"] = "dumb"
    return machine.root


def test_vscode_asks_with_a_diff_and_writes(machine: Machine, project: Path) -> None:
    with terminal([*COMMAND, "init", "vscode"], machine.env) as screen:
        seen = screen.until("[y/N]")
        assert not (project / ".vscode").exists()
        screen.type("y\n")
        screen.until("written.")

    assert '+    "terminal.integrated.env.linux": {' in seen
    settings = json.loads((project / ".vscode/settings.json").read_text())
    shim = f"{project}/data/gh-p2pcache/shim"
    assert settings["terminal.integrated.env.linux"]["PATH"] == f"{shim}:${{env:PATH}}"
    assert settings["terminal.integrated.env.osx"]["PATH"] == f"{shim}:${{env:PATH}}"
    assert settings["terminal.integrated.env.windows"]["PATH"].endswith("\\shim;${env:PATH}")
    tasks = json.loads((project / ".vscode/tasks.json").read_text())
    assert [task["args"] for task in tasks["tasks"]] == [
        ["p2pcache", "status"],
        ["p2pcache", "stats"],
        ["p2pcache", "monitor"],
        ["p2pcache", "purge", "--all"],
    ]
    assert machine.do("init", "vscode").stdout == "Everything is there already.\n"


def test_vscode_keeps_what_is_there(machine: Machine, project: Path) -> None:
    folder = project / ".vscode"
    folder.mkdir()
    linux = '"terminal.integrated.env.linux": {"PATH": "/x:${env:PATH}"}'
    mine = f'{{\n  // mine\n  "editor.tabSize": 2,\n  {linux} // too\n}}\n'
    (folder / "settings.json").write_text(mine)
    (folder / "tasks.json").write_text(
        '{"version": "2.0.0", "tasks": [ // all\n'
        '  {"label": "gh p2pcache stats", "command": "mine"}\n]}\n'
    )

    assert machine.do("init", "vscode", "--yes", env={"XDG_DATA_HOME": ""}).exit_code == 0

    text = (folder / "settings.json").read_text()
    assert text.startswith('{\n  // mine\n  "editor.tabSize": 2,\n')
    assert "}, // too" in text
    first = "${env:HOME}/.local/share/gh-p2pcache/shim"
    assert jsonc.read(text)["terminal.integrated.env.linux"] == {
        "PATH": f"{first}:/x:${{env:PATH}}"
    }
    tasks = jsonc.read((folder / "tasks.json").read_text())["tasks"]
    assert tasks[0] == {"label": "gh p2pcache stats", "command": "mine"}
    assert [task["label"] for task in tasks].count("gh p2pcache stats") == 1
    assert len(tasks) == 4


def test_a_file_that_cannot_be_read_is_named_and_left(machine: Machine, project: Path) -> None:
    (project / ".vscode").mkdir()
    (project / ".vscode/settings.json").write_text("{")

    said = machine.do("init", "vscode", "--yes")

    assert said.exit_code == 5
    assert ".vscode/settings.json: it is not JSON with comments: line 1" in said.stderr
    assert not (project / ".vscode/tasks.json").exists()


def test_actions_writes_a_workflow_that_is_one(machine: Machine, project: Path) -> None:
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    (project / "src").mkdir()

    said = machine.do("init", "actions", "--yes")

    assert said.exit_code == 0, said.stderr
    file = project / ".github/workflows/gh-p2pcache.yml"
    assert "/.github/actions/setup@" in file.read_text()
    if shutil.which("actionlint", path=machine.env["PATH"]):
        checked = subprocess.run(
            ["actionlint", str(file)], env=machine.env, capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stdout


PUT_IN = (
    "gh-p2pcache: put the owner of gh-p2pcache on GitHub in place of OWNER in the workflow:"
    " the clone that is installed here has no origin on GitHub to tell it\n"
)


@pytest.mark.parametrize(
    ("origin", "owner"),
    [
        ("https://github.com/acme/gh-p2pcache.git", "acme"),
        ("https://x:secret@github.com/acme/gh-p2pcache", "acme"),
        ("ssh://git@github.com:22/acme/gh-p2pcache.git", "acme"),
        ("git@github.com:acme/gh-p2pcache.git", "acme"),
        ("https://gitlab.com/acme/gh-p2pcache.git", "OWNER"),
        ("/srv/git/gh-p2pcache", "OWNER"),
    ],
)
def test_an_owner_that_is_to_be_put_in_is_asked_for(
    machine: Machine, project: Path, origin: str, owner: str
) -> None:
    clone = project / "clone"
    subprocess.run(["git", "init", "-q", str(clone)], check=True)
    subprocess.run(["git", "-C", str(clone), "remote", "add", "origin", origin], check=True)
    env = {"GH_P2PCACHE_ENTRY": str(clone / "gh-p2pcache")}

    said = machine.do("init", "actions", "--yes", env=env)

    assert said.stderr.startswith(PUT_IN) is (owner == "OWNER")
    text = (project / ".github/workflows/gh-p2pcache.yml").read_text()
    assert f"uses: {owner}/gh-p2pcache/.github/actions/setup@" in text
