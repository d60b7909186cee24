"""How a daemon comes up: one of many, in private places, with nothing of its starter's."""

import os
import select
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.daemon import Daemon, get
from support.wait import until


def test_of_fifty_simultaneous_starts_all_succeed_with_one_daemon(daemon: Daemon) -> None:
    command = daemon.command("start", str(daemon.state), "60")
    racing = [subprocess.Popen(command, env=daemon.env) for _ in range(50)]

    assert [process.wait() for process in racing] == [0] * 50
    assert daemon.log().count("started: pid") == 1
    assert daemon.status()["ready"]


def test_it_answers_on_each_socket_as_soon_as_start_returns(daemon: Daemon) -> None:
    assert daemon.start().returncode == 0

    assert b'"profile": "ttl"' in get(daemon.run / "ttl.sock")
    assert b'"profile": "exact"' in get(daemon.run / "exact.sock")


def test_a_second_start_finds_the_first(daemon: Daemon) -> None:
    daemon.start()
    first = daemon.status()["pid"]

    assert daemon.start().returncode == 0
    assert daemon.status()["pid"] == first


def test_a_command_substitution_around_the_start_does_not_wait_for_the_daemon(
    daemon: Daemon,
) -> None:
    reading, writing = os.pipe()
    done = subprocess.run(
        daemon.command("start", str(daemon.state), "10"),
        env=daemon.env,
        capture_output=True,
        pass_fds=(writing,),
        timeout=20,
        check=True,
    )
    os.close(writing)

    assert done.stdout == b""
    ended, _, _ = select.select([reading], [], [], 5)
    assert ended, "the daemon holds a descriptor of its starter"
    os.close(reading)


def test_the_gateway_has_the_sockets_and_its_heartbeat_and_nothing_else(daemon: Daemon) -> None:
    daemon.behave("leak")
    daemon.start()

    given, *there = (daemon.state / "descriptors").read_text().split()
    names = dict(pair.split("=") for pair in given.split(","))
    assert set(names) == {"ttl", "exact", "control", "heartbeat"}
    assert set(there) == {"0", "1", "2", *names.values()}


def test_the_environment_of_the_first_caller_is_not_kept(daemon: Daemon) -> None:
    daemon.env |= {"GH_TOKEN": "gho_secret", "AWS_SECRET_ACCESS_KEY": "aws", "CACHE_MAX_SIZE": "1G"}
    daemon.start()

    for pid in (daemon.status()["pid"], daemon.status()["gateway"]):
        text = Path(f"/proc/{pid}/environ").read_text()
        assert "gho_secret" not in text
        assert "aws" not in text
        assert "CACHE_MAX_SIZE=1G" in text
        assert f"CACHE_STATE_DIR={daemon.state}" in text


def test_who_has_its_pid_next_is_not_taken_for_it(daemon: Daemon) -> None:
    """After the restart of a container the same numbers are given out again."""
    assert daemon.start().returncode == 0
    sign = int((daemon.run / "alive").readlink().name)
    ours = [socket.socket() for _ in range(100)]
    try:
        assert not Path(f"/proc/self/fd/{sign}").exists()
        assert sign < 1024, "for select"
    finally:
        for one in ours:
            one.close()


def test_only_the_user_may_enter(daemon: Daemon) -> None:
    old = os.umask(0)
    try:
        daemon.start()
    finally:
        os.umask(old)

    run = Path(daemon.status()["run"])
    for directory in (run, run.parent, daemon.state, daemon.state / "log", run / "calls"):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700, directory
    for file in (*run.glob("*.sock"), run / "settings", daemon.state / "log/daemon.log"):
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


def test_without_a_usable_xdg_runtime_dir_the_sockets_lie_in_tmp(daemon: Daemon) -> None:
    daemon.env["XDG_RUNTIME_DIR"] = "/proc/nowhere"

    assert daemon.start().returncode == 0
    assert daemon.status()["run"].startswith(f"/tmp/gh-p2pcache-{os.getuid()}/")


def test_a_socket_path_that_is_too_long_is_not_used(daemon: Daemon, tmp_path: Path) -> None:
    long = tmp_path / ("r" * 80)
    long.mkdir(mode=0o700)
    daemon.env["XDG_RUNTIME_DIR"] = str(long)

    assert daemon.start().returncode == 0
    assert daemon.status()["run"].startswith("/tmp/")


@pytest.fixture
def short_runtime_dir(daemon: Daemon) -> Iterator[Path]:
    """An XDG_RUNTIME_DIR whose socket paths are not too long, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="run") as name:
        daemon.env["XDG_RUNTIME_DIR"] = name
        yield Path(name)
        daemon.end()


def test_the_sockets_lie_in_xdg_runtime_dir(daemon: Daemon, short_runtime_dir: Path) -> None:
    assert daemon.start().returncode == 0
    run = Path(daemon.status()["run"])
    assert run.parent == short_runtime_dir / "gh-p2pcache"

    daemon.end()
    assert not run.exists(), "nothing is left behind"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can plant another user's directory")
@pytest.mark.parametrize("planted", ["directory", "link"])
def test_a_directory_that_another_user_planted_is_refused(
    daemon: Daemon, short_runtime_dir: Path, tmp_path: Path, planted: str
) -> None:
    trap = short_runtime_dir / "gh-p2pcache"
    target = tmp_path / "target"
    target.mkdir()
    if planted == "link":
        trap.symlink_to(target)
    else:
        trap.mkdir()
    os.chown(trap, 12345, 12345, follow_symlinks=False)

    assert daemon.start().returncode == 0
    assert daemon.status()["run"].startswith("/tmp/"), "the planted directory was used"
    assert not list(target.iterdir())


def test_a_state_directory_that_cannot_be_made_is_said_in_a_line(daemon: Daemon) -> None:
    said = subprocess.run(
        daemon.command("start", "/dev/null/state", "5"),
        env=daemon.env,
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.returncode == 6
    assert said.stdout == "/dev/null/state: Not a directory\n"
    assert said.stderr == ""


def test_what_a_killed_daemon_left_behind_is_cleared_away(daemon: Daemon) -> None:
    daemon.start()
    run = Path(daemon.status()["run"])
    (run / "calls/old").write_text("info old")
    (run / "notice").write_text("old")
    killed = daemon.status()
    os.kill(killed["pid"], 9)
    until(lambda: not daemon.is_alive())

    assert daemon.start().returncode == 0
    assert daemon.status()["pid"] != killed["pid"]
    assert not list((run / "calls").iterdir())
    assert not (run / "notice").exists()


def test_serve_runs_in_the_foreground_and_logs_to_stderr(daemon: Daemon) -> None:
    serving = subprocess.Popen(
        daemon.command("serve", str(daemon.state)), env=daemon.env, stderr=subprocess.PIPE
    )
    until(daemon.is_alive)
    assert daemon.status()["pid"] == serving.pid
    again = subprocess.run(
        daemon.command("serve", str(daemon.state)),
        env=daemon.env,
        capture_output=True,
        text=True,
        check=False,
    )
    serving.terminate()
    _, logged = serving.communicate(timeout=20)

    assert again.returncode == 6
    assert "running already" in again.stderr
    assert serving.returncode == 0
    assert b"stopping: a signal" in logged
    assert not (daemon.state / "log").exists()
