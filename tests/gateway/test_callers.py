"""Which program asks: what is made of the processes above gh."""

import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from gh_p2pcache.gateway.callers import UNKNOWN, Callers, name_of
from gh_p2pcache.gateway.processes import Process, look, of_bsd_info

GH = Process("gh", 2)
SCRIPT = "/home/me/nightly.sh"


def chain(*above: Process) -> str:
    """The name for a gh that the first of `above` started, which the second started, …"""
    everyone = {1: Process("init", 0)}
    for number, process in enumerate((GH, *above), start=10):
        everyone[number] = Process(process.name, number + 1, process.line)
    last = 10 + len(above)
    everyone[last] = Process(everyone[last].name, 1, everyone[last].line)
    return name_of(everyone[10], everyone.get)


def process(name: str, *arguments: str) -> Process:
    return Process(name, 0, lambda: (name, *arguments))


TERMINAL = process("bash")
RUNNER = process("Runner.Worker")
OURS = process("gh-p2pcache", "/data/gh-p2pcache", "api", "user")


@pytest.mark.parametrize(
    ("above", "name"),
    [
        ([TERMINAL], "bash"),
        ([process("-zsh")], "zsh"),
        ([process("bash", SCRIPT, "--token", "ghp_x")], "nightly.sh"),
        ([process("bash", "-euo", "pipefail", SCRIPT)], "nightly.sh"),
        ([process("nightly.sh", "/bin/sh", SCRIPT)], "nightly.sh"),
        ([process("bash", "/dev/fd/63"), process("make")], "bash"),
        ([process("python3", "/proc/self/fd/3")], "python3"),
        ([process("sh", "-c", "gh api user # ghp_x"), process("make", "all")], "make"),
        ([process("bash", "-lc", "gh pr list"), process("claude")], "claude"),
        ([process("sh", "-c", "gh api user")], "sh"),
        ([process("python3.12", "-u", "/srv/build.py", "x")], "build.py"),
        ([process("python3", "-m", "pytest", "-q")], "pytest"),
        ([process("python3", "-c", "import os; token='ghp_x'")], "python3"),
        ([process("node", "--eval", "run('ghp_x')")], "node"),
        ([process("php", "-d", "key=ghp_x")], "php"),
        ([process("MainThread", "bot.js")], "MainThread"),
        ([Process("MainThread", 0, lambda: ("node", "/srv/bot.js"))], "bot.js"),
        ([process("timeout", "10", "gh"), process("make")], "make"),
        ([OURS, process("gh", "p2pcache", "api"), TERMINAL], "bash"),
        ([process("git-ghapi"), process("git", "ghapi"), process("bash", SCRIPT)], "nightly.sh"),
        ([process("sh", "/x/gh-p2pcache", "api"), process("make")], "make"),
        ([process("bash", "-e", "/t/01234567-89ab-cdef-0123-456789abcdef.sh"), RUNNER],
         "Runner.Worker"),
        ([Process("release-manager", 0, lambda: ("/opt/x/release-managers",))], "release-managers"),
        ([process("a\x1b[31m|b\n" + "x" * 80)], "a__31m_b_" + "x" * 31),
        ([], "gh"),
    ],
)  # fmt: skip
def test_the_program_that_started_gh(above: list[Process], name: str) -> None:
    assert chain(*above) == name


def test_who_is_no_gh_asks_for_itself() -> None:
    assert name_of(process("octokit-daemon"), {}.get) == "octokit-daemon"


def test_a_loop_of_parents_ends() -> None:
    everyone = {number: Process("gh", number % 3 + 2) for number in range(2, 5)}
    assert name_of(everyone[2], everyone.get) == "gh"


def test_a_real_process_is_found_and_remembered(tmp_path: Path) -> None:
    """By the socket of a gh that a shell script started; a second one is not looked up again."""
    script, gh = tmp_path / "nightly.sh", tmp_path / "gh"
    path = tmp_path / "s"
    gh.write_text(
        f"#!{sys.executable}\nimport socket\ns = socket.socket(socket.AF_UNIX)\n"
        f"s.connect({str(path)!r})\ns.recv(1)\n"
    )
    gh.chmod(0o700)
    script.write_text(f"{gh}\n{gh}\n")
    looked: list[int] = []

    def watched(pid: int) -> Process | None:
        looked.append(pid)
        return look(pid)

    callers = Callers(watched)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with subprocess.Popen(["/bin/sh", str(script)]) as started:
            for times in (2, 3):
                connection, _ = listener.accept()
                with connection:
                    assert callers.of(connection) == "nightly.sh"
                assert len(looked) == times
            assert len({*looked}) == 3
        assert started.returncode == 0


def test_a_process_that_is_gone_is_unknown() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert Callers(lambda _pid: None).of(ours) == UNKNOWN
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert look(ended.pid) is None


def test_a_process_may_have_any_name() -> None:
    me = look(os.getpid())
    assert me is not None
    assert me.parent == os.getppid()
    assert me.line()[0]


def test_what_macos_tells() -> None:
    info = bytearray(136)
    struct.pack_into("I", info, 16, 4711)
    struct.pack_into("16s32s", info, 48, b"release-manager\0", b"release-manager-of-ours\0")
    told = of_bsd_info(bytes(info))
    assert (told.name, told.parent, told.line()) == ("release-manager-of-ours", 4711, ())
