"""logs: the last lines, and those that come."""

import signal
import subprocess
from pathlib import Path

import pytest

from support.machine import COMMAND, Machine


@pytest.fixture
def log(machine: Machine) -> Path:
    """A log of ten lines."""
    path = machine.state / "log/daemon.log"
    path.parent.mkdir(parents=True)
    path.write_text("".join(f"line {n}\n" for n in range(10)))
    return path


def test_the_last_lines(machine: Machine, log: Path) -> None:
    assert machine.do("logs").stdout == log.read_text()
    assert machine.do("logs", "-n", "2").stdout == "line 8\nline 9\n"
    assert machine.do("logs", "-n", "0").stdout == ""


def test_no_log_yet(machine: Machine) -> None:
    said = machine.do("logs")

    assert (said.exit_code, said.stdout) == (0, "")
    assert str(machine.state) in said.stderr


def test_following_goes_on_after_the_log_was_cut(machine: Machine, log: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "logs", "-f", "-n", "1"], env=machine.env, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "line 9\n"
        with log.open("a") as more:
            more.write("line 10\n")
        assert process.stdout.readline() == "line 10\n"
        log.write_text("anew\n")
        assert process.stdout.readline() == "anew\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


def test_following_waits_for_the_first_log(machine: Machine) -> None:
    with subprocess.Popen(
        [*COMMAND, "logs", "-f"], env=machine.env, stdout=subprocess.PIPE, text=True
    ) as process:
        path = machine.state / "log/daemon.log"
        path.parent.mkdir(parents=True)
        path.write_text("first\n")
        assert process.stdout is not None
        assert process.stdout.readline() == "first\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
