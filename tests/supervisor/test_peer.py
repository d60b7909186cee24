"""The peer process: brought by a connection, kept alive, and never the gateway's trouble."""

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from gh_p2pcache.supervisor import client
from support.daemon import Daemon, get, make_engine
from support.wait import until


@contextmanager
def connected(daemon: Daemon) -> Iterator[socket.socket]:
    """Connect to the peer's socket as a gateway does."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(daemon.run.resolve() / "peer.sock"))
        yield connection


def pid_behind(connection: socket.socket) -> int:
    """Return the pid that the stand-in tells."""
    said = b""
    while not said.endswith(b"\n"):
        part = connection.recv(64)
        assert part, "it hung up"
        said += part
    return int(said)


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def life(daemon: Daemon) -> list[str]:
    """Return what peer processes noted, `start PID` and `end PID`, in order."""
    there = daemon.state / "peer-life"
    return there.read_text().splitlines() if there.exists() else []


def starts(daemon: Daemon) -> int:
    return sum(line.startswith("start") for line in life(daemon))


def peer_behaves(daemon: Daemon, how: str) -> None:
    daemon.behave(how, "peer-behave")


@pytest.fixture
def gateway_is_untouched(daemon: Daemon) -> Iterator[None]:
    """Around a test of what a peer process does: the gateway of before still answers after."""
    daemon.start()
    before = daemon.status()["gateway"]
    yield
    assert f'"pid": {before},' in get(daemon.run / "ttl.sock").decode()
    assert daemon.status()["restarts"] == 0


untouched = pytest.mark.usefixtures("gateway_is_untouched")


@untouched
def test_nothing_runs_until_a_connection_comes_and_then_one_process_answers(
    daemon: Daemon,
) -> None:
    assert daemon.status()["peer"] is None
    assert daemon.status()["peers"] == "asleep"

    with connected(daemon) as one, connected(daemon) as two:
        first, second = pid_behind(one), pid_behind(two)

        assert daemon.status()["peers"] == "running"

    assert first == second
    assert starts(daemon) == 1


@untouched
def test_it_leaves_by_itself_and_the_next_connection_brings_another(daemon: Daemon) -> None:
    with connected(daemon) as connection:
        first = pid_behind(connection)
    until(lambda: daemon.status()["peer"] is None)
    assert f"peer {first} left" in daemon.log()

    with connected(daemon) as connection:
        assert pid_behind(connection) != first


@untouched
def test_it_is_restarted_when_it_dies(daemon: Daemon) -> None:
    with connected(daemon) as connection:
        first = pid_behind(connection)
        os.kill(first, signal.SIGKILL)
        second = until(lambda: (pid := daemon.status()["peer"]) != first and pid)
        with connected(daemon) as another:
            assert pid_behind(another) == second


@untouched
def test_one_that_dies_again_and_again_gets_a_pause_and_who_waits_for_it_is_told(
    daemon: Daemon,
) -> None:
    peer_behaves(daemon, "crash")
    for _ in range(2):
        with connected(daemon) as connection, suppress(ConnectionResetError):
            assert connection.recv(1) == b""

    assert "no peers for 60 s" in daemon.log()
    assert starts(daemon) == 3
    assert daemon.status()["peer"] is None
    assert daemon.status()["peers"] == "failed"


@untouched
def test_one_that_is_silent_for_ten_seconds_is_killed_and_replaced(daemon: Daemon) -> None:
    with connected(daemon) as connection:
        hung = pid_behind(connection)
        os.kill(hung, signal.SIGSTOP)
        until(lambda: f"peer {hung} is silent: killed" in daemon.log(), seconds=20)
        with connected(daemon) as another:
            assert pid_behind(another) != hung
    assert is_gone(hung)


@untouched
def test_where_peers_are_not_installed_it_is_tried_once_and_the_socket_is_gone(
    daemon: Daemon,
) -> None:
    peer_behaves(daemon, "missing")
    with connected(daemon):
        until(lambda: not (daemon.run / "peer.sock").exists())

    assert "peers are not installed" in daemon.log()
    assert daemon.status()["peers"] == "not installed"
    assert starts(daemon) == 1
    with pytest.raises(FileNotFoundError), connected(daemon):
        pass


def test_a_set_up_that_brings_the_packages_later_is_noticed(daemon: Daemon, tmp_path: Path) -> None:
    daemon.python = make_engine(tmp_path / "bare")
    peer_behaves(daemon, "missing")
    daemon.start()
    with connected(daemon):
        until(lambda: not (daemon.run / "peer.sock").exists())

    peer_behaves(daemon, "")
    (daemon.python.parents[1] / "peer-site").mkdir()

    until((daemon.run / "peer.sock").exists)
    with connected(daemon) as connection:
        assert pid_behind(connection)


def test_without_peers_there_is_no_socket(daemon: Daemon) -> None:
    daemon.env["CACHE_ENABLE_P2P"] = "false"
    daemon.start()
    assert get(daemon.run / "ttl.sock")
    assert not (daemon.run / "peer.sock").exists()
    assert daemon.status()["peers"] == "off"

    client.restart(daemon.state, daemon.env | {"CACHE_ENABLE_P2P": "true"})
    with connected(daemon) as connection:
        peer = pid_behind(connection)

        client.restart(daemon.state, daemon.env)

        assert not (daemon.run / "peer.sock").exists()
        until(lambda: is_gone(peer))


def test_a_restart_keeps_the_socket_and_the_next_process_waits_for_the_last_one_to_end(
    daemon: Daemon,
) -> None:
    peer_behaves(daemon, "stays")
    daemon.start()
    socket_of_before = (daemon.run / "peer.sock").stat().st_ino
    with connected(daemon) as first:
        old = pid_behind(first)
        client.restart(daemon.state, daemon.env | {"CACHE_SHARE": "acme/*"})
        with connected(daemon) as connection:
            new = pid_behind(connection)
            assert "CACHE_SHARE=acme/*" in Path(f"/proc/{new}/environ").read_text()

    assert (daemon.run / "peer.sock").stat().st_ino == socket_of_before
    assert life(daemon)[:3] == [f"start {old}", f"end {old}", f"start {new}"]


def test_it_ends_with_the_daemon(daemon: Daemon) -> None:
    daemon.start()
    with connected(daemon) as connection:
        peer = pid_behind(connection)
        client.stop(daemon.state)

    assert is_gone(peer)
    assert f"peer {peer} left" in daemon.log()


def test_it_ends_where_the_supervisor_is_killed(daemon: Daemon) -> None:
    daemon.start()
    with connected(daemon) as connection:
        peer = pid_behind(connection)
        os.kill(daemon.status()["pid"], signal.SIGKILL)
        until(lambda: is_gone(peer))


def test_one_that_does_not_want_to_end_is_killed_with_the_daemon(daemon: Daemon) -> None:
    daemon.start()
    with connected(daemon) as connection:
        peer = pid_behind(connection)
        os.kill(peer, signal.SIGSTOP)
        client.stop(daemon.state, timeout=20)
        assert is_gone(peer)


def test_it_has_its_socket_its_heartbeat_and_no_secret(daemon: Daemon) -> None:
    peer_behaves(daemon, "leak")
    daemon.env |= {"CACHE_P2P_SHARED_SECRET": "correct horse", "CACHE_SHARE": "acme/*"}
    daemon.start()
    with connected(daemon) as connection:
        pid_behind(connection)

    descriptors, environment = json.loads((daemon.state / "peer-saw").read_text())

    named = re.findall(r"=(\d+)", environment["GH_P2PCACHE_FDS"])
    # 0, 1, 2, and 3 or so: the one that lists them and has ended with the list.
    assert set(descriptors) == {"0", "1", "2", *named}
    assert environment["CACHE_SHARE"] == "acme/*"
    assert "correct horse" not in str(environment)
