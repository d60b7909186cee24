"""monitor: once, as JSON, as lines in a pipe or on a dumb terminal, drawn on a real one."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gh_p2pcache.cli.main import commands
from gh_p2pcache.cli.screen import drawn, plain
from support.sim import ROOT
from support.small_daemon import SmallDaemon, small_daemon

CALL = {
    "n": 7, "at": 1_800_000_000.0, "method": "GET", "host": "api.github.com",
    "target": "/repos/acme/widgets?page=2", "route": "GET /repos/{owner}/{repo}", "source": "hit",
    "status": 200, "seconds": 0.00002, "bytes": 2048, "caller": "nightly.sh", "profile": "ttl",
}  # fmt: skip
OTHER = CALL | {"n": 8, "source": "miss", "host": "ghe.acme.dev", "status": 404, "seconds": 0.25}
TOLD: dict[str, dict[str, Any]] = {
    "/stats": {
        "totals": {"hit": 1500, "miss": 500, "bytes_served": 3 << 20},
        "calls_saved": 1500,
        "routes": {},
        "store": {"records": 12, "bytes": 5 << 20},
    },
    "/status": {
        "budgets": [
            {"resource": "core", "site": "github.com", "remaining": 300, "limit": 5000,
             "reset": 9e9, "token": "abcd1234"},
        ],
    },
    "/peers": {"state": "off", "why": "no team", "members": 0, "peers": []},
    "/history?days=1": {
        "days": [{"day": "2027-01-15", "hours": {},
                  "rows": [{"route": "GET /user", "caller": "make", "hit": 4, "miss": 1}]}],
    },
    "/activity?after=0": {
        "last": 8, "calls": [CALL, OTHER],
        "latency": {"hit": {"timed": 9, "p50": 0.00002, "p90": 0.0001, "p99": 0.0004}},
    },
    "/activity?after=8": {"last": 8, "calls": [], "latency": {}},
}  # fmt: skip
LINE = "GET /repos/acme/widgets?page=2"


@pytest.fixture
def daemon() -> Iterator[SmallDaemon]:
    with small_daemon() as small:
        small.told.update(TOLD)
        yield small


def do(daemon: SmallDaemon, *arguments: str) -> Result:
    env: dict[str, str | None] = {**dict.fromkeys(os.environ), **daemon.env}
    return CliRunner().invoke(commands, arguments, env=env, prog_name="gh p2pcache")


def test_once_in_a_pipe(daemon: SmallDaemon) -> None:
    said = do(daemon, "monitor", "--once")

    assert (said.exit_code, said.stderr) == (0, "")
    lines = said.stdout.splitlines()
    assert lines[0] == (
        "75 % of calls saved: 1,500 of 2,000, 3.0 MiB served, 12 records kept (5.0 MiB)"
    )
    (hit,) = [line.split() for line in lines if line.startswith("hit ")]
    assert hit[:7] == ["hit", "1,500", "75", "%", "0.02", "ms", "0.40"]
    assert any(line.split()[-3:] == ["make", "5", "4"] for line in lines)
    assert any(line.startswith("core (github.com)   300  5,000 ") for line in lines)
    assert "peers: off: no team" in lines
    assert lines[-2].split()[:7] == ["08:00:00", "hit", "0.02", "ms", "2.0", "KiB", "nightly.sh"]
    assert lines[-1].endswith("GET ghe.acme.dev/repos/acme/widgets?page=2 (404)")
    assert "\x1b" not in said.stdout


def test_once_as_json(daemon: SmallDaemon) -> None:
    (line,) = do(daemon, "monitor", "--once", "--json").stdout.splitlines()
    told = json.loads(line)
    assert told["stats"] == TOLD["/stats"]
    assert told["activity"] == TOLD["/activity?after=0"]
    assert told.keys() == {"at", "stats", "status", "peers", "history", "activity"}


def test_without_a_daemon(daemon: SmallDaemon) -> None:
    (daemon.state / "run/alive").unlink()
    said = do(daemon, "monitor", "--once")
    assert (said.exit_code, said.stdout) == (6, "")
    assert "no daemon runs (gh p2pcache start)" in said.stderr


def test_as_many_calls_as_fit() -> None:
    seen = {path.strip("/").partition("?")[0]: told for path, told in TOLD.items()}
    for width, height in ((120, 24), (120, 50), (80, 30), (80, 50)):
        view = plain(drawn(seen, [CALL] * 99, width, height), width).splitlines()
        assert len(view) == height


def test_the_newest_calls_are_on_the_smallest_screen_whoever_asks() -> None:
    seen = {path.strip("/").partition("?")[0]: told for path, told in TOLD.items()}
    (day,) = seen["history"]["days"]
    callers = [{**day["rows"][0], "caller": f"{'x' * 40}{n}.sh"} for n in range(5)]
    seen["history"] = {"days": [{**day, "rows": callers}]}
    seen["status"] = {**seen["status"], "budgets": seen["status"]["budgets"] * 2}
    totals = dict.fromkeys(("hit", "miss", "stale", "peer", "revalidated", "coalesced"), 9)
    seen["stats"] = {**seen["stats"], "totals": totals | {"bytes_served": 0}}
    for width in (80, 120):
        view = plain(drawn(seen, [*[CALL] * 99, OTHER], width, 24), width).splitlines()
        assert len(view) == 24
        assert "ghe.acme.dev" in view[-1]


def test_nothing_of_the_tables_is_cut_on_a_narrow_terminal() -> None:
    seen = {path.strip("/").partition("?")[0]: told for path, told in TOLD.items()}

    view = plain(drawn(seen, [CALL], 80, 40), 80).partition("last calls")[0]

    assert "…" not in view
    assert "99 % within" in view
    assert "asked today by" in view


def start(daemon: SmallDaemon, stdout: int, **env: str) -> subprocess.Popen[bytes]:
    whole = daemon.env | {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "python")} | env
    command = [sys.executable, "-m", "gh_p2pcache", "monitor", "--interval", "0.2"]
    return subprocess.Popen(command, env=whole, stdout=stdout, stderr=subprocess.PIPE)


def read_until(descriptor: int, wanted: bytes, seconds: float = 20.0) -> bytes:
    said, deadline = b"", time.monotonic() + seconds
    while wanted not in said and time.monotonic() < deadline:
        with suppress(OSError):  # Linux says so when the other end of a terminal is closed
            part = os.read(descriptor, 65536)
            said += part
            if not part:
                break
    assert wanted in said
    return said


def end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert (process.wait(20), process.stderr.read()) == (130, b"")
    process.stderr.close()


def test_calls_as_they_happen_in_a_pipe(daemon: SmallDaemon) -> None:
    reading, writing = os.pipe()
    process = start(daemon, writing, TERM="xterm")
    os.close(writing)
    first = read_until(reading, b"75 % of calls saved").decode()
    assert [line.split()[1] for line in first.splitlines()[:2]] == ["hit", "miss"]
    later = CALL | {"n": 9, "target": "/zen"}
    daemon.told["/activity?after=8"] = {"last": 9, "calls": [later], "latency": {}}
    daemon.told["/activity?after=9"] = {"last": 9, "calls": [], "latency": {}}
    assert b"\x1b" not in read_until(reading, b"GET /zen")
    end(process)
    os.close(reading)


def test_a_dumb_terminal_gets_lines(daemon: SmallDaemon) -> None:
    ours, theirs = pty.openpty()
    process = start(daemon, theirs, TERM="dumb")
    os.close(theirs)
    assert b"\x1b" not in read_until(ours, b"of calls saved")
    end(process)
    os.close(ours)


def test_a_terminal_is_drawn_on_and_given_back(daemon: SmallDaemon) -> None:
    ours, theirs = pty.openpty()
    process = start(daemon, theirs, TERM="xterm-256color", COLUMNS="120", LINES="40")
    os.close(theirs)
    assert b"\x1b[?1049h" in read_until(ours, LINE.encode())
    process.send_signal(signal.SIGINT)
    read_until(ours, b"\x1b[?1049l")
    assert process.wait(20) == 130
    assert process.stderr is not None
    with process.stderr as stderr:
        assert stderr.read() == b""
    os.close(ours)
