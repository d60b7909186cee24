"""Restart and upgrade: the sockets stay, whoever uses them notices nothing."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gh_p2pcache.errors import DaemonError
from gh_p2pcache.supervisor import client
from support.daemon import Daemon, get, make_engine
from support.wait import until


@contextmanager
def calls_in_a_loop(daemon: Daemon) -> Iterator[list[bytes]]:
    """Calls the daemon without a pause on four threads; yields the answers so far."""
    answers: list[bytes] = []
    failures: list[Exception] = []
    over = threading.Event()

    def loop() -> None:
        while not over.is_set():
            try:
                answers.append(get(daemon.run / "exact.sock", timeout=20))
            except (OSError, AssertionError) as error:
                failures.append(error)

    threads = [threading.Thread(target=loop) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not failures


def test_no_call_fails_while_the_daemon_restarts(daemon: Daemon) -> None:
    daemon.start()
    before = daemon.status()
    with calls_in_a_loop(daemon) as answers:
        until(lambda: len(answers) > 20)
        client.restart(daemon.state, daemon.env)
        seen = len(answers)
        until(lambda: len(answers) > seen + 20)

    after = daemon.status()
    assert after["pid"] == before["pid"]
    assert after["since"] == before["since"]
    assert after["gateway"] != before["gateway"]


def test_restart_brings_the_new_environment_and_no_token(daemon: Daemon) -> None:
    daemon.start()

    client.restart(daemon.state, daemon.env | {"CACHE_SHARE": "acme/*", "GH_TOKEN": "gho_secret"})

    for pid in (daemon.status()["pid"], daemon.status()["gateway"]):
        environment = Path(f"/proc/{pid}/environ").read_text()
        assert "CACHE_SHARE=acme/*" in environment
        assert "gho_secret" not in environment
    assert "acme/*" in (daemon.run / "settings").read_text()


def test_a_restart_outdates_the_overlays(daemon: Daemon) -> None:
    daemon.start()
    settings = daemon.run / "settings"
    os.utime(settings, (1, 1))

    client.restart(daemon.state, daemon.env)

    assert settings.stat().st_mtime > 1


@pytest.fixture
def linked(daemon: Daemon, tmp_path: Path) -> Path:
    """Put the daemon's engine behind a link, as install.sh does; returns the link."""
    link = tmp_path / "engine"
    link.symlink_to(daemon.python.parents[1])
    daemon.python = link / "bin/python"
    return link


def switch(link: Path, engine: Path) -> None:
    new = link.with_name("engine.new")
    new.symlink_to(engine)
    new.replace(link)


def test_an_upgrade_is_picked_up_without_a_failed_call(
    daemon: Daemon, linked: Path, tmp_path: Path
) -> None:
    daemon.start()
    before = daemon.status()
    newer = make_engine(tmp_path / "newer").parents[1]
    with calls_in_a_loop(daemon):
        switch(linked, newer)
        until(lambda: daemon.status()["engine"] == str(newer) and daemon.status()["ready"])

    assert daemon.status()["pid"] == before["pid"]
    assert str(newer) in Path(f"/proc/{daemon.status()['gateway']}/cmdline").read_text()


def test_an_idle_daemon_wakes_up_as_the_new_engine(
    daemon: Daemon, linked: Path, tmp_path: Path
) -> None:
    daemon.behave("idle")
    daemon.start()
    get(daemon.run / "ttl.sock")
    until(lambda: daemon.status()["gateway"] is None)
    newer = make_engine(tmp_path / "newer").parents[1]
    switch(linked, newer)

    get(daemon.run / "ttl.sock", timeout=20)

    assert daemon.status()["engine"] == str(newer)


def test_an_engine_that_cannot_be_started_is_passed_over(
    daemon: Daemon, linked: Path, tmp_path: Path
) -> None:
    daemon.start()
    broken = make_engine(tmp_path / "broken").parents[1]
    (broken / "bin/python").unlink()
    (broken / "bin/python").write_bytes(b"\x7fELF is not enough")
    (broken / "bin/python").chmod(0o700)
    old = daemon.status()["engine"]
    switch(linked, broken)

    until(lambda: "going on as before" in daemon.log())
    assert get(daemon.run / "ttl.sock")
    assert daemon.status()["engine"] == old
    assert daemon.log().count("going on as before") == 1


def test_an_engine_that_is_gone_leaves_the_daemon_as_it_is(daemon: Daemon, linked: Path) -> None:
    daemon.start()
    before = daemon.status()["gateway"]

    linked.unlink()

    os.utime(daemon.state / "log/daemon.log")
    assert get(daemon.run / "ttl.sock")
    assert daemon.status()["gateway"] == before


def test_start_stop_and_status_for_the_command_line(daemon: Daemon) -> None:
    assert client.status(daemon.state) is None
    assert client.stop(daemon.state) is False

    daemon.start()
    known = client.status(daemon.state)
    assert known is not None
    assert known["gateway"] == daemon.status()["gateway"]

    assert client.stop(daemon.state) is True
    assert client.status(daemon.state) is None
    until(lambda: not Path(f"/proc/{known['pid']}").exists())


def test_a_start_that_fails_says_why(daemon: Daemon) -> None:
    with pytest.raises(DaemonError, match="/dev/null/state: Not a directory"):
        client.restart(Path("/dev/null/state"), daemon.env)
