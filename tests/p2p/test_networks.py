"""Machines on networks as they are: a LAN, NAT, links that fail, addresses that change."""

from __future__ import annotations

import itertools
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gh_p2pcache.supervisor import client
from support.clock_skew import Fast, Skewed, Slow
from support.lan import Network, Space, needs_namespaces, network
from support.sim import SimProcess
from support.team import PATIENT, Daemon, meet, wait
from support.wait import until

ISSUES = "/repos/acme/widgets/issues"
FOUND_AGAIN = 10.0
DEADLINE = "500ms"
"""For members on machines as busy as those of tests: 150 ms are often over before a word comes."""
NO_LONGER = 1.8
"""Seconds for a miss while members cannot be reached: DEADLINE is a part of it. Who waits for a
connection that is dead waits for 2 s at least."""
_NUMBERS = itertools.count()


def fresh() -> str:
    return f"{ISSUES}?per_page=5&fresh={next(_NUMBERS)}"


class Server(Daemon):
    """A member that runs as `serve --bootstrap`."""

    process: subprocess.Popen[bytes]

    def start(self) -> None:
        command = [*self.within, sys.executable, "-m", "gh_p2pcache", "serve", "--bootstrap"]
        log = (self.root / "log").open("wb")
        with log:
            self.process = subprocess.Popen(
                command, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until(lambda: client.status(self.state), what="the server to be up")
        self.wake()

    def stop(self) -> None:
        super().stop()
        self.process.wait(10)


class Place:
    """A network and the daemons on it."""

    def __init__(self, wires: Network, sim: SimProcess, folder: Path) -> None:
        self.wires, self.sim = wires, sim
        self._folder = folder
        self._started: list[Daemon] = []

    def daemon(
        self, space: Space | None, address: str, *, kind: type[Daemon] = Daemon, **env: str
    ) -> Daemon:
        """Start a daemon on a machine; only what `env` says it is told of the others."""
        root = self._folder / str(len(self._started))
        ours = {"CACHE_LISTEN_PORT": "9100", "CACHE_MDNS": "", "CACHE_PEER_DEADLINE": DEADLINE}
        env = {**ours, **env}
        made = kind(root, self.sim, env, address=address, within=space.within if space else ())
        self._started.append(made)
        made.start()
        return made

    def end(self) -> None:
        """Stop them all, at once: each takes its time to say goodbye."""
        with ThreadPoolExecutor(len(self._started) or 1) as pool:
            for stopped in [pool.submit(daemon.stop) for daemon in self._started]:
                stopped.result()


@pytest.fixture(scope="module")
def sim(sim_factory: Callable[[], SimProcess]) -> SimProcess:
    return sim_factory()


@pytest.fixture(scope="module")
def place(sim: SimProcess) -> Iterator[Place]:
    with (
        network() as wires,
        TemporaryDirectory(prefix="t-", ignore_cleanup_errors=True) as folder,
    ):
        made = Place(wires, sim, Path(folder))
        try:
            yield made
        finally:
            made.end()


def shared(giver: Daemon, taker: Daemon) -> None:
    """What `giver` asks GitHub, `taker` has from a member."""
    until(lambda: _shares(giver, taker), what=f"{giver.root.name} to share with {taker.root.name}")


def _shares(giver: Daemon, taker: Daemon) -> bool:
    target = fresh()
    first = giver.ask(target)
    second = taker.ask(target)
    assert first.plain == second.plain
    return second.source == "PEER"


def asks_without_delay(*daemons: Daemon) -> None:
    for daemon in daemons * 6:  # each key has another owner
        began = time.monotonic()
        assert daemon.ask(fresh()).status == 200
        assert time.monotonic() - began < NO_LONGER


# ---- a LAN


class Lan:
    """Three machines on a switch that know nothing but their team."""

    def __init__(self, place: Place) -> None:
        self.switch = place.wires.switch()
        self.spaces = [place.wires.space() for _ in range(3)]
        self.ports = [
            place.wires.plug(space, self.switch, f"192.168.7.{number}")
            for number, space in enumerate(self.spaces, 1)
        ]
        self.daemons = [
            place.daemon(space, f"192.168.7.{number}")
            for number, space in enumerate(self.spaces, 1)
        ]

    def apart(self) -> bool:
        """Tell whether the first two see only each other, and the third nobody."""
        return [daemon.members() for daemon in self.daemons] == [1, 1, 0]

    def together(self) -> None:
        meet(*self.daemons, seconds=FOUND_AGAIN)
        shared(self.daemons[0], self.daemons[2])
        shared(self.daemons[2], self.daemons[1])


@pytest.fixture(scope="module")
def lan(place: Place) -> Lan:
    return Lan(place)


@needs_namespaces
def test_machines_of_a_lan_find_each_other(lan: Lan) -> None:
    lan.together()
    report = lan.daemons[0].peers()
    assert report["mdns"]
    assert not report["problems"]


@needs_namespaces
def test_a_cable_that_is_pulled_and_plugged_in_again(lan: Lan) -> None:
    lan.spaces[2].ip("link", "set", "eth0", "down")
    asks_without_delay(*lan.daemons)
    until(lan.apart)
    asks_without_delay(*lan.daemons)
    lan.spaces[2].ip("link", "set", "eth0", "up")
    lan.together()


@needs_namespaces
def test_a_partition_that_no_machine_is_told_of(lan: Lan) -> None:
    lan.switch.ip("link", "set", lan.ports[2], "nomaster")
    asks_without_delay(*lan.daemons)
    until(lan.apart)
    asks_without_delay(*lan.daemons)
    lan.switch.ip("link", "set", lan.ports[2], "master", "br0")
    lan.together()


@needs_namespaces
def test_another_address(lan: Lan) -> None:
    lan.spaces[2].move("192.168.7.3", "192.168.7.33")
    asks_without_delay(*lan.daemons)
    until(lambda: _is_at(lan.daemons[0], lan.daemons[2].id, "192.168.7.33"), seconds=FOUND_AGAIN)
    lan.together()


def _is_at(daemon: Daemon, peer: str, address: str) -> bool:
    return any(
        one["id"] == peer and any(address in addr for addr in one["addrs"]) and one["since"]
        for one in daemon.peers()["peers"]
    )


@needs_namespaces
def test_without_mdns_a_machine_finds_whom_it_is_told_of(place: Place, lan: Lan) -> None:
    space = place.wires.space()
    place.wires.plug(space, lan.switch, "192.168.7.4")
    quiet = place.daemon(space, "192.168.7.4", CACHE_MDNS="false")
    try:
        wait(lambda: quiet.peers()["state"] == "on", 30, quiet)
        assert not quiet.peers()["mdns"]
        assert quiet.members() == 0
        assert quiet.control("POST", "/peers/add", {"addr": lan.daemons[1].addr})["ok"]
        wait(lambda: quiet.members() == 3, FOUND_AGAIN, quiet)
        shared(lan.daemons[0], quiet)
    finally:
        quiet.stop()


# ---- NAT


class Internet:
    """A bootstrap member that everybody can dial, and two machines that nobody can."""

    def __init__(self, place: Place) -> None:
        self.place = place
        wires, self.outside = place.wires, place.wires.switch()
        public = wires.space()
        wires.plug(public, self.outside, "198.51.100.10")
        self.server = place.daemon(public, "198.51.100.10", kind=Server, **PATIENT)
        self.machines = []
        for number in (1, 2):
            router = f"198.51.100.{number}"
            machine = wires.behind_nat(self.outside, f"10.{number}.0", router)
            public.ip("route", "add", f"10.{number}.0.0/24", "via", router)
            self.machines.append(machine)
        self.daemons = [self.daemon(number) for number in (1, 2)]

    def daemon(self, number: int) -> Daemon:
        where = self.server.addr
        space = self.machines[number - 1]
        env = {"CACHE_BOOTSTRAP_PEERS": where, **PATIENT}
        return self.place.daemon(space, f"10.{number}.0.2", **env)


@pytest.fixture(scope="module")
def internet(place: Place) -> Internet:
    made = Internet(place)
    wait(lambda: made.server.members() == 2, 30, made.server)
    return made


@needs_namespaces
def test_a_machine_behind_nat_shares_both_ways(internet: Internet) -> None:
    shared(internet.daemons[0], internet.server)
    shared(internet.server, internet.daemons[0])
    assert internet.daemons[0].peers()["nat"]


@needs_namespaces
def test_two_machines_behind_nat_share_through_the_member_that_both_can_dial(
    internet: Internet,
) -> None:
    one, two = internet.daemons
    shared(one, two)
    shared(two, one)
    assert one.members() == two.members() == 1


@needs_namespaces
def test_what_a_machine_knew_is_there_when_it_has_left(internet: Internet) -> None:
    one, two = internet.daemons
    target = fresh()
    answer = one.ask(target)
    until(lambda: internet.server.explain(target)["held"], what="the server to keep it")
    one.stop()
    until(lambda: internet.server.members() == 1)
    given = two.ask(target)
    assert (given.source, given.plain) == ("PEER", answer.plain)


# ---- what else is wrong with a machine


@needs_namespaces
def test_where_a_firewall_lets_nothing_through_a_machine_works_alone(internet: Internet) -> None:
    place = internet.place
    shut = ("wan0", "lan0")
    machine = place.wires.behind_nat(internet.outside, "10.3.0", "198.51.100.3", swallows=shut)
    alone = place.daemon(machine, "10.3.0.2", CACHE_BOOTSTRAP_PEERS=internet.server.addr)
    wait(lambda: alone.peers().get("problems"), 30, alone)
    assert alone.peers()["problems"] == [f"{internet.server.addr}: no answer within 4 s"]
    asks_without_delay(alone)
    assert alone.members() == 0


def test_a_port_that_is_taken(place: Place) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        daemon = place.daemon(None, "127.0.0.1", CACHE_LISTEN_PORT=str(port), CACHE_MDNS="false")
        wait(lambda: daemon.control("GET", "/status")["peers"]["state"] == "on", 30, daemon)
        told = daemon.control("GET", "/status")["peers"]
        assert told["why"] == f"port {port} is taken"
        assert told["port"] != port
        socket.create_connection(("127.0.0.1", told["port"]), timeout=5).close()


@needs_namespaces
@pytest.mark.parametrize(("kind", "number"), [(Fast, 5), (Slow, 6)])
def test_a_clock_that_is_an_hour_wrong(
    place: Place, lan: Lan, kind: type[Skewed], number: int
) -> None:
    space, address = place.wires.space(), f"192.168.7.{number}"
    place.wires.plug(space, lan.switch, address)
    wrong = place.daemon(space, address, kind=kind)
    try:
        assert abs(wrong.skew()) > 3000
        wait(lambda: wrong.members() == 3, FOUND_AGAIN, wrong)
        shared(wrong, lan.daemons[0])
        shared(lan.daemons[1], wrong)
    finally:
        wrong.stop()
