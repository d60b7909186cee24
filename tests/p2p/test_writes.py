"""A write on one machine is seen by the next read on every other."""

import json
from collections.abc import Iterator

import pytest

from support.sim import SimProcess
from support.team import Daemon, meet, wait
from support.wait import until

from .conftest import Team

ISSUE = "/repos/acme/widgets/issues/1"
LIST = "/repos/acme/widgets/issues?per_page=100"
SEEN_SECONDS = 10.0
"""Long, for a busy machine; tests/perf/gossip.py measures it."""
MET_AGAIN_SECONDS = 30.0


@pytest.fixture(scope="module")
def machines(lasting_team: Team) -> list[Daemon]:
    """Three machines; the others know what alice's token may read."""
    made = lasting_team(3)
    made[0].ask("/repos/acme/widgets/issues/2")
    for one in made[1:]:
        wait(lambda one=one: one.total("peer_proofs"), 30, one)
    return made


@pytest.fixture
def elsewhere(shared_sim: SimProcess) -> Iterator[SimProcess]:
    """The small GitHub, without faults again afterwards."""
    yield shared_sim
    shared_sim.control(faults=[])


def write(one: Daemon, title: str) -> int:
    """Give the issue another title; returns the status."""
    body = json.dumps({"title": title}).encode()
    return one.ask(ISSUE, method="PATCH", body=body).status


def title(one: Daemon, token: str = "alice") -> str:
    """Return the issue's title as a machine is told."""
    told: str = one.ask(ISSUE, token=token).json["title"]
    return told


class Hearing:
    """Waits until machines have heard of a write since this was made."""

    def __init__(self, *machines: Daemon) -> None:
        self._before = {one: one.total("peer_tombstones") for one in machines}

    def wait(self, seconds: float = SEEN_SECONDS) -> None:
        for one, before in self._before.items():
            wait(lambda one=one, b=before: one.total("peer_tombstones") > b, seconds, one)


def test_the_next_read_elsewhere_sees_it(machines: list[Daemon]) -> None:
    one, *others = machines
    before = {other: title(other) for other in others}
    assert set(before.values()) == {title(one)}
    assert "written here" not in others[0].ask(LIST).plain.decode()
    hearing = Hearing(*others)
    assert write(one, "written here") == 200
    hearing.wait()
    assert title(one) == "written here"
    assert [title(other) for other in others] == ["written here"] * 2
    assert "written here" in others[0].ask(LIST).plain.decode()


def test_a_write_that_nobody_answered_is_kept_by_nobody(
    machines: list[Daemon], elsewhere: SimProcess
) -> None:
    one, other, _ = machines
    title(other)
    elsewhere.control(fault={"kind": "down", "late": True, "match": "PATCH", "times": 1})
    hearing = Hearing(other)
    assert write(one, "half written") == 502
    hearing.wait()
    assert title(other) == "half written"
    calls = elsewhere.calls()
    assert title(other) == "half written"
    assert elsewhere.calls() > calls


def test_a_peer_process_that_was_away_learns_it_when_it_is_back(machines: list[Daemon]) -> None:
    one, away, _ = machines
    held = "/repos/acme/private/issues/1"
    away.ask(held)
    away.kill("peer")
    body = json.dumps({"title": "written while it was away"}).encode()
    assert one.ask(held, method="PATCH", body=body).status == 200
    wait(
        lambda: away.ask(held).json["title"] == "written while it was away",
        MET_AGAIN_SECONDS,
        away,
    )


def test_the_first_answer_of_a_machine_that_was_off_is_not_from_before(
    machines: list[Daemon],
) -> None:
    one, off, _ = machines
    held, kept = "/repos/acme/many/issues/3", "/repos/acme/many/issues/4"
    for target in (held, kept):
        off.ask(target)
        assert off.ask(target).source == "HIT"
    off.stop()
    body = json.dumps({"title": "written while it was off"}).encode()
    assert one.ask(held, method="PATCH", body=body).status == 200
    off.start()
    assert off.ask(held).json["title"] == "written while it was off"
    wait(lambda: off.ask(kept).source == "HIT", MET_AGAIN_SECONDS, off)
    meet(*machines)


def test_a_machine_that_meets_nobody_goes_on_alone(team: Team) -> None:
    (alone,) = team(1)
    alone.ask(ISSUE)
    alone.stop()
    alone.start()
    assert alone.ask(ISSUE).source == "REVALIDATED"
    alone.stop()
    alone.start()
    until(lambda: not alone.explain(ISSUE)["next"].startswith("is asked"))
    assert alone.ask(ISSUE).source == "HIT"


def test_a_machine_that_was_off_gives_nothing_older_to_a_newcomer(
    machines: list[Daemon], lasting_team: Team
) -> None:
    one, off, _ = machines
    held = "/repos/octo/hello/issues/1"
    assert off.ask(held).status == 200
    off.stop()
    body = json.dumps({"title": "written while it was off"}).encode()
    assert one.ask(held, method="PATCH", body=body).status == 200
    off.start()
    (newcomer,) = lasting_team(1, {"CACHE_BOOTSTRAP_PEERS": off.addr}, met=False)
    wait(newcomer.members, MET_AGAIN_SECONDS, newcomer)
    assert newcomer.ask(held).json["title"] == "written while it was off"
    meet(*machines)
    wait(lambda: off.total("peer_tombstones"), MET_AGAIN_SECONDS, off)
    assert off.ask(held).json["title"] == "written while it was off"
