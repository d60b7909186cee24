"""purge: by pattern, by repository, all; with and without a daemon."""

import os
import pty
import subprocess

import pytest

from support.machine import COMMAND, Machine
from support.wait import until

PATHS = ("user", "repos/acme/widgets", "repos/acme/widgets/issues/1", "repos/octo/hello")


@pytest.fixture
def full(running: Machine) -> Machine:
    """A machine that keeps a record of each of PATHS and nothing else."""
    running.do("purge", "--all", "--yes")

    def fill() -> bool:
        # What GitHub says in the very second of a purge is not kept.
        for path in PATHS:
            running.api(path)
        return len(running.records()) == len(PATHS)

    until(fill, what="the records to be written")
    return running


@pytest.mark.parametrize(
    ("arguments", "removed", "left"),
    [
        (["/user"], "1 record removed.\n", 3),
        (["user"], "1 record removed.\n", 3),
        (["/repos/acme/*"], "2 records removed.\n", 2),
        (["/nothing/*"], "0 records removed.\n", 4),
        (["--repo", "acme/widgets"], "2 records removed.\n", 2),
        (["--repo", "github.com/Acme/Widgets"], "2 records removed.\n", 2),
        (["--repo", "ghe.example/acme/widgets"], "0 records removed.\n", 4),
        (["--all", "--yes"], "4 records removed.\n", 0),
    ],
)
def test_what_is_named_goes(full: Machine, arguments: list[str], removed: str, left: int) -> None:
    said = full.do("purge", *arguments)

    assert (said.exit_code, said.stdout) == (0, removed), said.stderr
    assert len(full.records()) == left


def test_another_tokens_records_are_out_of_a_patterns_reach_but_not_of_all(full: Machine) -> None:
    full.do("restart")  # forgets alice's key
    bob = {"GH_TOKEN": "ghp_bob-not-a-secret"}

    assert full.do("purge", "*", env=bob).stdout == "0 records removed.\n"
    assert full.do("purge", "*").stdout == "4 records removed.\n"


def test_all_needs_no_daemon_and_starts_none(full: Machine) -> None:
    full.do("stop")
    try:
        assert full.do("purge", "--all", "--yes").stdout == "4 records removed.\n"
        assert full.records() == []
        assert full.do("status").exit_code == 6
    finally:
        full.do("start")


def test_all_takes_nothing_where_nobody_can_be_asked(full: Machine) -> None:
    refused = full.do("purge", "--all")

    assert refused.exit_code == 2
    assert "no terminal to ask at (--yes)" in refused.stderr
    assert len(full.records()) == 4


@pytest.mark.parametrize(("answer", "left"), [("y\n", 0), ("n\n", 4), ("\n", 4)])
def test_all_asks_on_a_terminal(full: Machine, answer: str, left: int) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, "purge", "--all"],
        env=full.env,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.write(ours, answer.encode())
        said, asked = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)

    assert "Remove every record?" in asked
    assert process.returncode == (0 if left == 0 else 1), said
    assert len(full.records()) == left


@pytest.mark.parametrize(
    "arguments",
    [[], ["/user", "--all"], ["--repo", "acme"], ["--repo", "a/b", "--all"], ["--repo", "a/b/c/d"]],
)
def test_what_is_not_clear_is_refused(machine: Machine, arguments: list[str]) -> None:
    said = machine.do("purge", *arguments)

    assert said.exit_code == 2
    assert said.stderr.startswith("gh-p2pcache: ")
    assert not machine.state.exists()
