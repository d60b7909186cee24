"""The man pages: what --help says, as man and groff understand it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from gh_p2pcache.cli.entry import HandedOver
from gh_p2pcache.cli.main import COMMANDS, commands
from gh_p2pcache.cli.man import pages
from support.machine import COMMAND, Machine
from support.shells import terminal

PAGES = dict(pages(click.Context(commands, info_name="gh p2pcache")))
MAN = shutil.which("man")
needs_man = pytest.mark.skipif(MAN is None, reason="no man")


def test_there_is_a_page_for_each_command_of_the_engine() -> None:
    ctx = click.Context(commands)
    own = {name for name in COMMANDS if not isinstance(commands.get_command(ctx, name), HandedOver)}

    assert {f"gh-p2pcache-{name}" for name in own} <= set(PAGES)
    assert {"gh-p2pcache", "gh-p2pcache-config-set", "gh-p2pcache-team-join"} <= set(PAGES)


@needs_man
def test_groff_has_nothing_to_complain_of(tmp_path: Path) -> None:
    for name, text in PAGES.items():
        (tmp_path / f"{name}.1").write_text(text)
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("no groff")

    said = subprocess.run(
        [groff, "-man", "-ww", "-z", "-K", "utf8", *sorted(tmp_path.glob("*.1"))],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (said.returncode, said.stderr) == (0, "")


@needs_man
def test_a_page_says_what_help_says(machine: Machine) -> None:
    with terminal([*COMMAND, "help", "config", "set"], machine.env | _PLAIN) as screen:
        seen = screen.until("from a pipe: a secret never need be")
        seen += screen.until("gh p2pcache config set p2p_shared_secret")

    said = machine.run("help", "config", "set").stdout
    assert "GH-P2PCACHE-CONFIG-SET(1)" in seen
    assert "Write a setting to config.toml; comments and everything else in it stay." in seen
    assert said.startswith("Usage: gh p2pcache config set")
    assert said == machine.run("config", "set", "--help").stdout


_PLAIN = {"TERM": "dumb", "PAGER": "cat", "MANPAGER": "cat", "MANWIDTH": "120", "COLUMNS": "120"}


def test_without_man_it_is_the_text(machine: Machine, tmp_path: Path) -> None:
    with terminal([*COMMAND, "help", "stats"], machine.env | {"PATH": str(tmp_path)}) as screen:
        assert screen.until("Usage: gh p2pcache stats")


@needs_man
def test_man_finds_them_where_the_shim_is_in_path(machine: Machine) -> None:
    data = machine.root / "data/gh-p2pcache"
    (data / "shim").mkdir(parents=True)
    write = [sys.executable, "-m", "gh_p2pcache.cli.man", str(data / "engine/man/man1")]
    subprocess.run(write, env=machine.env, check=True)
    (data / "man").symlink_to("engine/man")
    env = machine.env | {"PATH": f"{data / 'shim'}:{os.defpath}"}

    said = subprocess.run(
        [str(MAN), "-w", "gh-p2pcache-stats"], env=env, capture_output=True, text=True, check=False
    )

    assert said.stdout.strip().endswith("man1/gh-p2pcache-stats.1"), said.stderr
