"""Many machines that ask for the same cold key at once: GitHub is asked once."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from support.gateway import Reply
from support.owners import owner_of
from support.sim import SimProcess
from support.team import Daemon, meet, wait
from support.wait import until

from .conftest import Team

ISSUES = [f"/repos/acme/many/issues/{number}" for number in range(1, 90)]
SECONDS = 1.0
"""How long GitHub takes."""


@pytest.fixture(scope="module")
def machines(lasting_team: Team) -> list[Daemon]:
    """Machines on each of which alice's token may read issues."""
    made = lasting_team(10)
    made[0].ask("/repos/acme/many/issues/95")
    for one in made[1:]:
        wait(lambda one=one: one.total("peer_proofs"), 30, one)
    return made


@pytest.fixture
def slow(shared_sim: SimProcess) -> Iterator[SimProcess]:
    """A GitHub that takes its time."""
    shared_sim.control(faults=[{"kind": "delay", "seconds": SECONDS, "match": "GET"}])
    yield shared_sim
    shared_sim.control(faults=[])


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads to ask from."""
    with ThreadPoolExecutor(16) as threads:
        yield threads


def ask(one: Daemon, target: str) -> Reply:
    """Ask, so that GitHub's log tells who did."""
    return one.ask(target, headers={"User-Agent": f"GitHub CLI on {one.id}"})


def asked(sim: SimProcess, target: str) -> list[str]:
    """Return the ids of the machines that asked GitHub for a target, samples aside (304)."""
    return [
        request["headers"]["user-agent"].rpartition(" ")[2]
        for request in sim.state()["requests"]
        if request["target"] == target and request["status"] != 304
    ]


def all_ask(
    pool: ThreadPoolExecutor, machines: Sequence[Daemon], target: str
) -> list[Future[Reply]]:
    """Have machines ask at the same time."""
    return [pool.submit(ask, one, target) for one in machines]


def check(answers: Sequence[Future[Reply]]) -> None:
    """Hold that all were given the same, whole, and nobody had to ask for its proof."""
    given = [answer.result() for answer in answers]
    assert {reply.source for reply in given} <= {"MISS", "PEER"}
    assert {reply.status for reply in given} == {200}
    assert len({reply.plain for reply in given}) == 1


def test_at_once_github_is_asked_once(
    machines: list[Daemon], slow: SimProcess, pool: ThreadPoolExecutor
) -> None:
    for target in (ISSUES.pop(), ISSUES.pop()):
        check(all_ask(pool, machines, target))
        assert len(asked(slow, target)) == 1


def test_the_fetching_machine_dies_and_another_asks(
    machines: list[Daemon], slow: SimProcess, pool: ThreadPoolExecutor
) -> None:
    target = ISSUES.pop()
    answers = dict(zip(machines, all_ask(pool, machines, target), strict=True))
    (name,) = until(lambda: asked(slow, target))
    fetching = next(one for one in machines if one.id == name)
    fetching.vanish()
    with pytest.raises(ConnectionError):
        answers.pop(fetching).result()
    check(list(answers.values()))
    assert len(asked(slow, target)) == 2
    fetching.start()
    meet(*machines)


def test_the_owner_dies_and_one_more_asks_at_most(
    machines: list[Daemon], slow: SimProcess, pool: ThreadPoolExecutor
) -> None:
    target = ISSUES.pop()
    owner = owner_of(target, machines)
    others = [one for one in machines if one is not owner]
    first = all_ask(pool, others[:1], target)
    until(lambda: asked(slow, target))
    rest = all_ask(pool, others[1:], target)
    owner.vanish()
    check(first + rest)
    assert len(asked(slow, target)) <= 2
    owner.start()
    meet(*machines)


def test_a_machine_whose_github_hangs_costs_the_others_one_more_question(
    machines: list[Daemon], shared_sim: SimProcess, pool: ThreadPoolExecutor
) -> None:
    """Who fetches must go on saying so; one that is stopped does not."""
    target = ISSUES.pop()
    shared_sim.control(fault={"kind": "delay", "seconds": SECONDS, "match": target})
    answers = dict(zip(machines, all_ask(pool, machines, target), strict=True))
    (name,) = until(lambda: asked(shared_sim, target))
    fetching = next(one for one in machines if one.id == name)
    fetching.kill("gateway")
    with pytest.raises(ConnectionError):
        answers.pop(fetching).result()
    check(list(answers.values()))
    shared_sim.control(faults=[])
    assert len(asked(shared_sim, target)) == 2
