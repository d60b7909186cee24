"""peers, peers add: what the daemon says, for people, for pipes and for programs."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from gh_p2pcache.cli import status
from gh_p2pcache.cli.main import commands
from gh_p2pcache.cli.peers import line, settled, text
from support.machine import Machine
from support.sim import ROOT
from support.small_daemon import SmallDaemon, small_daemon

ONE = "12D3KooW9pP4Seg3kZYhySpuVjn1RPdQBsUFZKiFxGMGQN5MeL6A"
TWO = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"
ADDR = f"/ip4/192.168.1.20/tcp/9100/p2p/{ONE}"
FULL = {
    "id": ONE,
    "addrs": [f"/ip4/127.0.0.1/tcp/9100/p2p/{ONE}", ADDR],
    "since": 1_800_000_000.0,
    "scopes": ["acme", "web"],
    "rtt": 0.00042,
    "records_in": 1200,
    "records_out": 3,
    "bytes_in": 2_500_000,
    "bytes_out": 999,
    "score": -2.5,
    "banned": False,
    "why": "",
    "accepting": True,
}
ON = {
    "state": "on",
    "why": "",
    "id": TWO,
    "port": 9101,
    "addrs": [f"/ip6/::1/tcp/9101/p2p/{TWO}", f"/ip4/192.168.1.7/tcp/9101/p2p/{TWO}"],
    "members": 1,
    "teams": [{"name": "acme", "share": ["acme/*", "octo/hello"], "members": 1}],
    "peers": [FULL],
}
BANNED = FULL | {"id": TWO, "banned": True, "why": "signed what GitHub never said"}
DIALLED_IN = FULL | {"id": TWO, "addrs": [], "rtt": 0.0, "accepting": False}
NONE = {"id": None, "port": None, "addrs": [], "members": 0, "teams": [], "peers": []}


def without(state: str, why: str = "") -> dict[str, Any]:
    return {"state": state, "why": why} | NONE


@pytest.fixture
def daemon() -> Iterator[SmallDaemon]:
    with small_daemon() as small:
        yield small


def do(daemon: SmallDaemon, *arguments: str) -> Result:
    env: dict[str, str | None] = {**dict.fromkeys(os.environ), **daemon.env}
    return CliRunner().invoke(commands, arguments, env=env, prog_name="gh p2pcache")


def on_a_terminal(daemon: SmallDaemon, *arguments: str) -> str:
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    env = daemon.env | {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "python")}
    command = [sys.executable, "-m", "gh_p2pcache", *arguments]
    with subprocess.Popen(command, env=env, stdout=theirs) as process:
        os.close(theirs)
        said = b""
        with suppress(OSError):  # Linux says so when the other end is closed
            while part := os.read(ours, 65536):
                said += part
        os.close(ours)
        assert process.wait(timeout=60) == 0
    return click.unstyle(said.decode())


def test_a_table_for_people(daemon: SmallDaemon) -> None:
    daemon.told["/peers"] = ON

    said = on_a_terminal(daemon, "peers")

    assert re.search(r"^peers +on: 1 member, port 9101\r$", said, re.MULTILINE)
    assert re.search(rf"^this machine +{TWO}\r$", said, re.MULTILINE)
    assert "127.0.0.1" not in said
    assert re.search(r"^team acme +acme/\*, octo/hello \(1 connected\)\r$", said, re.MULTILINE)
    row = next(row for row in said.splitlines() if row.startswith(ONE))
    assert re.split(r"  +", row)[1:] == [
        "192.168.1.20:9100", "2027-01-15 08:00", "acme, web", "0.4 ms",
        "1,200 (2.4 MiB)", "3 (999 B)", "-2.5",
    ]  # fmt: skip


def test_a_line_a_peer_in_a_pipe(daemon: SmallDaemon) -> None:
    daemon.told["/peers"] = ON | {"peers": [FULL, BANNED]}

    said = do(daemon, "peers")

    first, second = said.stdout.splitlines()
    assert first.split("\t") == [
        ONE, ADDR, "1800000000", "acme,web", "0.4", "1200", "3", "2500000", "999", "-2.5", "",
    ]  # fmt: skip
    assert second.split("\t")[-1] == "signed what GitHub never said"


def test_json_is_what_the_daemon_says(daemon: SmallDaemon) -> None:
    daemon.told["/peers"] = ON
    assert json.loads(do(daemon, "peers", "--json").stdout) == ON


def test_who_dialled_in_and_who_is_banned() -> None:
    said = click.unstyle(text(ON | {"peers": [DIALLED_IN]}))
    row = next(row for row in said.splitlines() if row.startswith(TWO))
    assert re.split(r"  +", row)[1:5] == ["dialled in", "2027-01-15 08:00", "acme, web", "·"]

    said = click.unstyle(text(ON | {"peers": [BANNED], "members": 0}))
    assert "No member is connected." in said
    assert re.search(rf"^{TWO} +signed what GitHub never said$", said, re.MULTILINE)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (ON, "on: 1 member, port 9101"),
        (ON | {"members": 3, "port": None}, "on: 3 members"),
        (ON | {"why": "port 9100 was taken"}, "on: 1 member, port 9101 (port 9100 was taken)"),
        (without("off", "CACHE_ENABLE_P2P is false"), "off: CACHE_ENABLE_P2P is false"),
        (without("not installed"), "not installed: gh p2pcache setup"),
        (without("failed", "it died"), "failed: it died"),
        (without("starting"), "starting"),
    ],
)
def test_the_state_in_a_line(daemon: SmallDaemon, told: dict[str, Any], said: str) -> None:
    assert line(told) == said
    daemon.told["/peers"] = told | {"peers": []}
    verb = "have" if said.startswith("failed") else "are"
    assert do(daemon, "peers").stderr == f"peers {verb} {said}\n"
    assert said in click.unstyle(text(told))


@pytest.mark.parametrize(
    ("gateway", "supervisor", "state"),
    [
        ("starting", "not installed", "not installed"),
        ("failed", "not installed", "not installed"),
        ("starting", "failed", "failed"),
        ("starting", "running", "starting"),
        ("on", "failed", "on"),
        ("off", "not installed", "off"),
    ],
)
def test_the_supervisor_knows_better_why_nobody_answers(
    gateway: str, supervisor: str, state: str
) -> None:
    assert settled(without(gateway, "reset"), {"peers": supervisor})["state"] == state


def test_status_has_that_line(daemon: SmallDaemon) -> None:
    part = {name: ON[name] for name in ("state", "why", "members", "port")}
    daemon.told["/status"] = {
        "version": "1.0", "pid": 2, "since": 1_800_000_000.0, "cache_dir": "/c",
        "state_dir": "/s", "upstream": None, "team": True, "http_url": None, "budgets": [],
        "limited_until": None, "notice": "", "warnings": [], "store": {"records": 0, "bytes": 0},
        "peers": part,
    }  # fmt: skip
    said = click.unstyle(status.text(status.read(daemon.state)))
    assert re.search(r"^peers +on: 1 member, port 9101$", said, re.MULTILINE)


def test_a_member_is_dialled(daemon: SmallDaemon) -> None:
    daemon.told["/peers/add"] = {"ok": True, "why": ""}

    said = do(daemon, "peers", "add", ADDR)

    assert daemon.asked == [("/peers/add", {"addr": ADDR})]
    assert said.stdout.startswith("Connected.")
    assert f"config set bootstrap_peers {ADDR}" in said.stdout


def test_a_member_that_is_not_reached_is_exit_code_1(daemon: SmallDaemon) -> None:
    daemon.told["/peers/add"] = {"ok": False, "why": "it is in none of our teams"}

    said = do(daemon, "peers", "add", ADDR)

    assert said.exit_code == 1
    assert said.stderr == (f"gh-p2pcache: {ADDR} is not connected: it is in none of our teams\n")


def test_the_address_is_said_once(daemon: SmallDaemon) -> None:
    daemon.told["/peers/add"] = {"ok": False, "why": f"{ADDR}: Connection refused"}

    said = do(daemon, "peers", "add", ADDR)

    assert said.stderr == f"gh-p2pcache: {ADDR} is not connected: Connection refused\n"


def test_a_team_of_two_secrets_is_named_once(daemon: SmallDaemon) -> None:
    both = FULL | {"scopes": ["acme", "acme", "web"]}
    daemon.told["/peers"] = ON | {"peers": [both]}

    assert do(daemon, "peers").stdout.split("\t")[3] == "acme,web"
    assert "  acme, web  " in click.unstyle(text(daemon.told["/peers"]))


def test_what_is_no_peer_id_is_not_unbanned(daemon: SmallDaemon) -> None:
    daemon.told["/peers/unban"] = {"was_banned": True}

    said = do(daemon, "peers", "unban", "foo")

    assert (said.exit_code, daemon.asked) == (2, [])
    assert said.stderr == ("gh-p2pcache: not a peer id: 'foo' (gh p2pcache peers)\n")
    assert do(daemon, "peers", "unban", ONE).stdout == "It is taken back.\n"


@pytest.mark.parametrize("address", ["cache.acme.dev:9100", "", f"{ADDR},{ADDR}"])
def test_what_is_no_address_is_not_dialled(daemon: SmallDaemon, address: str) -> None:
    said = do(daemon, "peers", "add", address)
    assert (said.exit_code, daemon.asked) == (2, [])
    assert "an address is /ip4/" in said.stderr


def test_without_a_daemon(machine: Machine) -> None:
    for arguments in (["peers"], ["peers", "add", ADDR]):
        said = machine.do(*arguments)
        assert (said.exit_code, said.stderr) == (
            6,
            "gh-p2pcache: no daemon runs (gh p2pcache start)\n",
        )
