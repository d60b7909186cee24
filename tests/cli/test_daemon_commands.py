"""start, stop, restart, status, serve."""

import json
import os
import re
import signal
import subprocess
from datetime import datetime, timezone

import click
import pytest

from gh_p2pcache.cli.status import text
from gh_p2pcache.supervisor import client
from support.machine import COMMAND, Machine
from support.wait import until

NOW = 1_800_000_000.0
SUPERVISOR = {
    "pid": 10,
    "since": NOW,
    "gateway": 11,
    "ready": True,
    "restarts": 0,
    "engine": "/engine",
    "run": "/run/x",
}
GATEWAY = {
    "version": "1.0",
    "pid": 11,
    "since": NOW,
    "cache_dir": "/cache",
    "state_dir": "/state",
    "upstream": None,
    "team": True,
    "http_url": "http://127.0.0.1:8080/secret",
    "budgets": [
        {
            "token": "ab12cd34",
            "site": "github.com",
            "resource": "core",
            "limit": 5000,
            "remaining": 4990,
            "used": 10,
            "reset": NOW,
        }
    ],
    "limited_until": None,
    "notice": "",
    "warnings": ["CACHE_TRUST takes one of proof, team"],
    "store": {"records": 12, "bytes": 49152},
}


def told(**changed: object) -> dict[str, object]:
    whole = {"running": True, "state_dir": "/state", "supervisor": SUPERVISOR, "gateway": GATEWAY}
    whole["shell"] = {"on": False, "disabled": False, "profiles": []}
    return whole | {"problem": None} | changed


def test_a_life(machine: Machine) -> None:
    assert machine.do("status").exit_code == 6

    started = machine.do("start")
    pid = re.fullmatch(r"The daemon runs \(pid (\d+)\)\.\n", started.stdout)
    assert pid, started.output
    assert machine.do("start").stdout == f"The daemon runs already (pid {pid[1]}).\n"

    status = json.loads(machine.do("status", "--json").stdout)
    assert status["running"] is True
    assert status["supervisor"]["pid"] == int(pid[1])
    assert status["gateway"]["cache_dir"] == str(machine.cache)
    first = status["gateway"]["pid"]

    machine.config.parent.mkdir()
    machine.config.write_text("no TOML")
    env = {"CACHE_MAX_SIZE": "much"}
    said = machine.do("restart", env=env)
    assert said.stdout == "The daemon has restarted.\n"
    warned = said.stderr.splitlines()
    status = json.loads(machine.do("status", "--json").stdout)
    assert status["supervisor"]["pid"] == int(pid[1])
    assert status["gateway"]["pid"] != first
    no_toml, bad_size = status["gateway"]["warnings"]
    assert str(machine.config) in no_toml
    assert "CACHE_MAX_SIZE takes a size" in bad_size
    assert warned == [f"gh-p2pcache: {no_toml}", f"gh-p2pcache: {bad_size}"]

    assert machine.do("stop").stdout == "The daemon has stopped.\n"
    assert machine.do("stop").stdout == "No daemon runs.\n"
    said = machine.do("status")
    assert said.exit_code == 6
    assert said.stdout.startswith("No daemon runs.")


def test_restart_starts_what_does_not_run(machine: Machine) -> None:
    assert machine.do("restart").exit_code == 0
    assert machine.do("status").exit_code == 0


def test_a_start_names_what_it_could_not_use(machine: Machine) -> None:
    said = machine.do("start", env={"CACHE_UPSTREAM": "foo"})

    assert said.exit_code == 0
    assert said.stderr.startswith("gh-p2pcache: CACHE_UPSTREAM takes ")
    assert said.stderr.endswith("('foo' was given); the default is used\n")


def test_status_says_where_no_daemon_can_start(machine: Machine) -> None:
    machine.state.parent.mkdir(parents=True)
    machine.state.touch()

    said = machine.do("status", env={"CACHE_STATE_DIR": f"{machine.state}/x"})

    assert said.exit_code == 7
    assert said.stdout.startswith(
        "No daemon runs, and none can start: the state directory"
        f" {machine.state}/x can't be made: Not a directory\n"
    )


def test_every_process_logs_in_utc(machine: Machine) -> None:
    machine.config.parent.mkdir()
    machine.config.write_text("no TOML")
    began = datetime.now(timezone.utc).replace(microsecond=0)
    assert machine.do("start", env={"TZ": "America/New_York"}).exit_code == 0
    machine.do("stop")

    rows = (machine.state / "log/daemon.log").read_text().splitlines()

    stamps = [re.match(r"(\S+Z) (supervisor:|peer:|WARNING|INFO)", row) for row in rows]
    assert all(stamps), rows
    found = [(datetime.fromisoformat(s[1].replace("Z", "+00:00")), s[2]) for s in stamps if s]
    assert {"supervisor:", "WARNING"} <= {who for _, who in found}
    assert all(began <= at <= datetime.now(timezone.utc) for at, _ in found)


@pytest.mark.parametrize(
    "command",
    ["start", "restart", "serve --bootstrap", "logs", "stats", "peers", "explain user",
     "team create acme --share acme/*"],
)  # fmt: skip
def test_what_needs_the_state_directory_says_that_there_can_be_none(
    machine: Machine, command: str
) -> None:
    machine.state.parent.mkdir()
    machine.state.touch()

    said = machine.do(*command.split())

    assert (said.exit_code, said.stderr) == (
        7,
        f"gh-p2pcache: the state directory {machine.state} can't be made: File exists\n",
    )


def test_status_does_not_wake_a_gateway_that_sleeps(machine: Machine) -> None:
    machine.do("start", env={"CACHE_IDLE_EXIT": "1"})

    def gateway() -> object:
        supervisor = client.status(machine.state)
        assert supervisor is not None
        return supervisor["gateway"]

    until(lambda: gateway() is None)
    said = machine.do("status")
    assert (said.exit_code, "sleeps; the next call wakes it" in said.stdout) == (0, True)
    assert gateway() is None


def test_serve_stays_in_the_foreground_until_it_is_told_to_end(machine: Machine) -> None:
    with subprocess.Popen(
        [*COMMAND, "serve"], env=machine.env, stderr=subprocess.PIPE, text=True
    ) as process:
        until(lambda: machine.do("status").exit_code == 0)
        status = json.loads(machine.do("status", "--json").stdout)
        assert status["supervisor"]["pid"] == process.pid

        for arguments in (["serve"], ["serve", "--bootstrap"]):
            second = machine.run(*arguments, env={"CACHE_P2P_SHARED_SECRET": "hunter2"})
            assert (second.returncode, second.stdout) == (6, "")
            assert second.stderr == (
                "gh-p2pcache: a daemon is running already (gh p2pcache status);"
                " gh p2pcache stop first\n"
            )

        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert process.stderr is not None
        assert "stopping: a signal" in process.stderr.read()


def test_for_people() -> None:
    said = click.unstyle(text(told()))

    assert re.search(r"^daemon +runs since .*pid 10$", said, re.MULTILINE)
    assert re.search(r"^gateway +runs since .*pid 11, version 1\.0$", said, re.MULTILINE)
    assert "/cache (12 records, 48.0 KiB)" in said
    assert "under the team's secret" in said
    assert "http://127.0.0.1:8080/secret" in said
    assert "core: 4,990 of 5,000 left until" in said
    assert "CACHE_TRUST takes one of" in said
    for absent in ("upstream", "restarts", "notice"):
        assert absent not in said


def test_for_people_who_have_switched_it_off_for_now() -> None:
    shell = {"on": True, "disabled": True, "profiles": ["/home/mona/.bashrc"]}
    assert "CACHE_DISABLE is set in this one: gh asks GitHub itself" in text(told(shell=shell))


def test_for_people_while_github_is_down() -> None:
    line = "GitHub could not be reached at 12:03: its answers may be up to 15 min old"
    down = told(gateway={**GATEWAY, "notice": line})
    assert re.search(rf"^notice +{line}$", click.unstyle(text(down)), re.MULTILINE)


def test_for_people_when_the_gateway_is_not_up() -> None:
    asleep = {**SUPERVISOR, "gateway": None, "ready": False, "restarts": 3}

    assert "is starting" in text(told(gateway=None, supervisor={**SUPERVISOR, "ready": False}))
    assert "sleeps" in text(told(gateway=None, supervisor=asleep))
    assert "3 after a crash" in text(told(gateway=None, supervisor=asleep))
    assert "does not answer" in text(told(gateway=None, problem="the daemon does not answer"))


def test_for_people_after_a_start_that_failed(machine: Machine) -> None:
    machine.state.mkdir(parents=True)
    (machine.state / "failed").write_text("1000000000 the gateway does not come up\n")

    said = machine.do("status").stdout

    assert "The last start failed at 2001-09-09" in said
    assert "the gateway does not come up\n" in said
