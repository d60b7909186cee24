"""The group: help, errors, speed, terminals and pipes."""

import json
import os
import pty
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from gh_p2pcache import errors
from gh_p2pcache.cli.main import COMMANDS, commands
from support.machine import COMMAND, Machine
from support.wait import until

HANDED_OVER = ("api", "exec", "setup", "shellenv")
HEAVY = ("aiohttp", "cryptography", "graphql", "http.client", "rich", "tomlkit", "uvicorn")


def test_without_a_command_help_is_printed() -> None:
    said = CliRunner().invoke(commands, [], prog_name="gh p2pcache")

    assert said.exit_code == 0
    assert all(f"\n  {name} " in said.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in HANDED_OVER])
def test_every_command_has_help_with_examples(name: str) -> None:
    said = CliRunner().invoke(commands, ["help", name], prog_name="gh p2pcache")

    assert said.exit_code == 0, said.output
    assert said.stdout.startswith(f"Usage: gh p2pcache {name}")
    _, found, examples = said.stdout.partition("Examples:\n")
    assert found
    assert 2 <= len(examples.strip().splitlines()) <= 3


@pytest.mark.parametrize("name", HANDED_OVER)
def test_the_entry_scripts_own_commands_have_its_help(machine: Machine, name: str) -> None:
    said = machine.run("help", name)

    assert said.returncode == 0, said.stderr
    assert "examples" in said.stdout.lower()
    assert said.stdout == machine.run(name, "--help").stdout


@pytest.mark.parametrize("name", ["get", "set", "unset", "list"])
def test_help_and_its_flag_say_the_same(name: str) -> None:
    by_flag = CliRunner().invoke(commands, ["config", name, "--help"], prog_name="gh p2pcache")
    by_command = CliRunner().invoke(commands, ["help", "config", name], prog_name="gh p2pcache")

    assert by_flag.stdout == by_command.stdout
    assert "Examples:" in by_flag.stdout


@pytest.mark.parametrize("arguments", [["nonsense"], ["help", "nonsense"], ["stats", "--nonsense"]])
def test_what_is_unknown_is_a_usage_error(arguments: list[str]) -> None:
    said = CliRunner().invoke(commands, arguments, prog_name="gh p2pcache")

    assert said.exit_code == 2
    assert "nonsense" in said.stderr
    assert not said.stdout


def test_an_error_of_ours_is_one_line_and_its_exit_code(machine: Machine) -> None:
    said = machine.do("config", "set", "max_size", "much")

    assert said.exit_code == errors.ConfigError.exit_code
    assert said.stderr == (
        "gh-p2pcache: max_size takes a size such as 256MiB or 1G ('much' was given)\n"
    )


def test_an_error_of_the_disk_is_one_line_too(machine: Machine) -> None:
    machine.state.mkdir(parents=True)
    (machine.state / "stats.json").mkdir()

    said = machine.do("stats")

    assert said.exit_code == 1
    assert said.stderr == f"gh-p2pcache: {machine.state}/stats.json: Is a directory\n"


@pytest.mark.parametrize("command", ["version", "stats"])
def test_a_light_command_imports_nothing_heavy(machine: Machine, command: str) -> None:
    code = (
        "import sys, json; from gh_p2pcache.cli.main import commands;"
        f" commands([{command!r}], standalone_mode=False); print(json.dumps(list(sys.modules)))"
    )

    said = subprocess.run(
        [sys.executable, "-c", code], env=machine.env, capture_output=True, text=True, check=True
    )

    imported = json.loads(said.stdout.splitlines()[-1])
    assert [name for name in HEAVY if name in imported] == []


def test_a_reader_that_leaves_early_is_no_error(machine: Machine) -> None:
    log = machine.state / "log/daemon.log"
    log.parent.mkdir(parents=True)
    log.write_text("a line of the log\n" * 100_000)
    reader, writer = os.pipe()

    with subprocess.Popen(
        [*COMMAND, "logs", "-n", "100000"],
        env=machine.env,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.close(writer)
        os.read(reader, 10)
        os.close(reader)
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_terminal_without_our_characters_still_gets_the_text(machine: Machine) -> None:
    said = machine.run("doctor", env={"PYTHONIOENCODING": "latin-1", "PATH": "/nowhere"})

    assert "? gh is not found in PATH" in said.stdout


@pytest.mark.parametrize(
    ("no_color", "term", "coloured"),
    [("", "xterm", True), ("1", "xterm", False), ("", "dumb", False)],
)
def test_colours_on_a_terminal_unless_refused(
    machine: Machine, no_color: str, term: str, *, coloured: bool
) -> None:
    said = _on_a_terminal(machine, {"NO_COLOR": no_color, "TERM": term}, "config", "list")

    assert ("\x1b[1msetting" in said) is coloured
    assert "setting" in click.unstyle(said)


def test_no_colours_in_a_pipe(machine: Machine) -> None:
    assert "\x1b" not in machine.run("config", "list").stdout


def _on_a_terminal(machine: Machine, env: dict[str, str], *arguments: str) -> str:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *arguments], env=machine.env | env, stdin=theirs, stdout=theirs, stderr=theirs
    ):
        os.close(theirs)
        said = bytearray()
        until(lambda: _exhausted(ours, said), what="the terminal's end")
    os.close(ours)
    return said.decode()


def _exhausted(terminal: int, said: bytearray) -> bool:
    """Take in what there is; a terminal whose other end is closed says EIO on Linux."""
    try:
        more = os.read(terminal, 65536)
    except OSError:
        return True
    said += more
    return not more
