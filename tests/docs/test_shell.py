"""docs/shell.md: what it shows is what is seen, with a terminal to be asked at."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support.console import Reader, Step, steps
from support.messages import ROOT
from support.shells import terminal
from support.sim import SimProcess

STEPS = [step for step in steps(ROOT / "docs/shell.md") if "install.sh" not in step.command]
"""What install.sh says, tests/install compares."""


@pytest.fixture
def reader(sim: SimProcess) -> Iterator[Reader]:
    """Somebody in a clone of acme/widgets whose data lies in the usual place."""
    with TemporaryDirectory(prefix="t-", ignore_cleanup_errors=True) as folder:
        machine = Reader(Path(folder) / "a", sim)
        home = machine.root
        try:
            (home / ".local").mkdir()
            (home / ".local/share").symlink_to(home / "data")
            (home / ".bashrc").write_text("if x; then\n  if y; then\n    z\n  fi\nfi\n")
            shell = home / "data/gh-p2pcache/shell"
            shell.symlink_to(ROOT / "python/gh_p2pcache/shell")
            del machine.env["XDG_DATA_HOME"]
            machine.env |= {"SHELL": "/bin/bash", "TERM": "dumb"}
            subprocess.run(["git", "init", "-q", home / "widgets"], check=True)
            (home / "widgets/notes.md").write_text("Notes")
            origin = ["remote", "add", "origin", "https://github.com/acme/widgets.git"]
            subprocess.run(["git", "-C", home / "widgets", *origin], check=True)
            yield machine
        finally:
            machine.end()


def typed(reader: Reader, step: Step) -> str:
    """Type a command, agree to what it asks, and return what is on the screen."""
    asks = "[y/N]: "
    command = f"cd ~/widgets && {{ {step.command}; }}; echo =end="
    with terminal(["/bin/sh", "-c", command], reader.env) as screen:
        said = ""
        if any(asks in line for line in step.shown):
            said = screen.until(asks, 60)
            screen.type("y\n")
        return said + screen.until("=end=", 60).removesuffix("=end=")


def test_what_it_shows_is_seen(reader: Reader) -> None:
    assert len(STEPS) == 4
    said = [(step, typed(reader, step)) for step in STEPS]

    assert [(step.command, text) for step, text in said if not step.agrees(text)] == []
    env = reader.env | {"PATH": f"{reader.root}/nothing:{reader.env['PATH']}"}
    on = ["bash", "-i", "-c", "command -v gh"]
    found = subprocess.run(on, env=env, capture_output=True, text=True, check=True).stdout
    assert found.strip() == f"{reader.root}/.local/share/gh-p2pcache/shim/gh"
