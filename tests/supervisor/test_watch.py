"""A gateway that is killed, hung, crashing or idle."""

import os
import shutil
import signal
import threading
import time
from pathlib import Path

from support.daemon import Daemon, get
from support.wait import until


def test_a_killed_gateway_is_started_again_and_waiting_calls_are_answered(daemon: Daemon) -> None:
    daemon.start()
    first = daemon.status()["gateway"]

    os.kill(first, signal.SIGKILL)

    assert f'"pid": {first},' not in get(daemon.run / "ttl.sock").decode()
    assert daemon.status()["restarts"] == 1
    assert daemon.is_alive()


def test_a_hung_gateway_is_killed_after_three_seconds_and_the_call_answered(
    daemon: Daemon,
) -> None:
    daemon.start()
    hung = daemon.status()["gateway"]
    os.kill(hung, signal.SIGSTOP)
    began = time.monotonic()

    answer = get(daemon.run / "exact.sock", timeout=20)

    assert f'"pid": {hung},' not in answer.decode()
    assert time.monotonic() - began > 2, "killed too early: a busy machine is no hung gateway"
    assert "is silent: killed" in daemon.log()


def test_a_supervisor_that_was_stopped_itself_does_not_blame_the_gateway(daemon: Daemon) -> None:
    daemon.start()
    known = daemon.status()
    for pid in (known["gateway"], known["pid"]):
        os.kill(pid, signal.SIGSTOP)
    resumed = threading.Event()
    threading.Timer(3.5, resumed.set).start()
    resumed.wait()
    for pid in (known["pid"], known["gateway"]):
        os.kill(pid, signal.SIGCONT)

    get(daemon.run / "ttl.sock")
    assert daemon.status()["gateway"] == known["gateway"]


def test_a_gateway_that_never_comes_up_takes_the_sockets_away_and_is_remembered(
    daemon: Daemon,
) -> None:
    daemon.behave("crash")

    said = daemon.start()

    assert said.returncode == 6
    assert said.stdout == "the gateway does not come up (exit code 3; gh p2pcache logs)\n"
    when, _, why = (daemon.state / "failed").read_text().partition(" ")
    assert abs(int(when) - time.time()) < 60
    assert why == said.stdout
    until(lambda: not list(daemon.run.readlink().glob("*.sock")))
    assert not daemon.is_alive()
    assert daemon.log().count("did not come up") == 2


def test_losers_of_the_race_do_not_repeat_a_start_that_failed(daemon: Daemon) -> None:
    daemon.behave("crash")
    said: list[str] = []
    threads = [
        threading.Thread(target=lambda: said.append(daemon.start(30).stdout)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all("does not come up" in line for line in said)
    assert daemon.log().count("started: pid") <= 2


def test_a_start_that_works_forgets_the_failure(daemon: Daemon) -> None:
    daemon.behave("crash")
    daemon.start()
    daemon.behave("")

    assert daemon.start().returncode == 0
    assert not (daemon.state / "failed").exists()


def test_a_gateway_that_crashes_after_a_restart_of_its_own_makes_the_supervisor_leave(
    daemon: Daemon,
) -> None:
    daemon.start()
    daemon.behave("crash")

    os.kill(daemon.status()["gateway"], signal.SIGKILL)

    until(lambda: not daemon.is_alive())
    until((daemon.state / "failed").exists)


def test_an_idle_gateway_leaves_and_the_next_call_brings_it_back(daemon: Daemon) -> None:
    daemon.behave("idle")
    daemon.start()
    first = daemon.status()["gateway"]
    get(daemon.run / "ttl.sock")
    until(lambda: daemon.status()["gateway"] is None)
    assert daemon.is_alive()

    daemon.behave("")
    answer = get(daemon.run / "exact.sock").decode()

    assert f'"pid": {first},' not in answer
    assert daemon.status()["restarts"] == 0, "leaving idle is no crash"


def test_a_killed_supervisor_reads_as_dead_at_once_and_its_gateway_leaves(daemon: Daemon) -> None:
    daemon.start()
    known = daemon.status()

    os.kill(known["pid"], signal.SIGKILL)

    until(lambda: not daemon.is_alive())
    until(lambda: not Path(f"/proc/{known['gateway']}").exists())


def test_sigterm_lets_the_gateway_finish(daemon: Daemon) -> None:
    daemon.start()
    known = daemon.status()

    os.kill(known["pid"], signal.SIGTERM)

    until(lambda: not Path(f"/proc/{known['pid']}").exists())
    assert f"gateway {known['gateway']} left" in daemon.log()
    assert not list(Path(known["run"]).glob("*.sock"))


def test_it_leaves_when_the_runtime_directory_goes_with_a_logout(daemon: Daemon) -> None:
    daemon.start()
    known = daemon.status()

    shutil.rmtree(known["run"])

    until(lambda: not Path(f"/proc/{known['pid']}").exists())


def test_it_leaves_when_its_state_directory_is_deleted_without_touching_a_successor(
    daemon: Daemon,
) -> None:
    daemon.start()
    old = daemon.status()
    shutil.rmtree(daemon.state)
    daemon.start()

    until(lambda: not Path(f"/proc/{old['pid']}").exists())
    assert daemon.status()["pid"] != old["pid"]
    assert get(daemon.run / "ttl.sock")


def test_the_log_is_cut_at_a_mebibyte_and_one_old_one_kept(daemon: Daemon) -> None:
    daemon.start()
    log = daemon.state / "log/daemon.log"
    with log.open("a") as file:
        file.write("x" * (1 << 20) + "\nlast line\n")

    until(lambda: log.stat().st_size < 1 << 20)
    old = (daemon.state / "log/daemon.log.1").read_text()
    assert old.endswith("last line\n")
    assert len(old) <= 1 << 20


def test_rubbish_on_its_socket_does_not_hurt_it(daemon: Daemon) -> None:
    import socket

    daemon.start()
    for rubbish in (b"\n", b"[]\n", b'{"command": "dance"}\n', b"\xff" * 100_000, b""):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(daemon.run / "supervisor.sock"))
            connection.sendall(rubbish)

    assert daemon.status()["ready"]
