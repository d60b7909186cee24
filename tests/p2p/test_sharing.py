"""Who is answered by another machine: without asking GitHub, or for one free question."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gh_p2pcache.records.seal import derive
from support.owners import owned_by
from support.sim import SECRETS, SimProcess
from support.team import Daemon, wait

from .conftest import Team

WIDGETS = "/repos/acme/widgets"
ISSUES = [f"/repos/acme/many/issues/{number}" for number in range(1, 60)]
PULLS = [f"{WIDGETS}/pulls?state=all&per_page={count}" for count in range(20, 40)]


@pytest.fixture(scope="module")
def pair(lasting_team: Team) -> list[Daemon]:
    """Two machines of a team that have met."""
    return lasting_team(2)


@pytest.fixture(scope="module")
def issues(pair: list[Daemon]) -> Iterator[str]:
    """Issues of which the first machine knows at once who holds them, each to be used once."""
    return owned_by(pair[0], pair, ISSUES)


def prove(one: Daemon, other: Daemon, target: str, token: str = "alice") -> None:
    """Have a token prove on one machine what it may read, and the other hear of it."""
    known = other.total("peer_proofs")
    one.ask(target, token=token)
    wait(lambda: other.total("peer_proofs") > known, 30, other)


@contextmanager
def unasked(sim: SimProcess, *machines: Daemon) -> Iterator[None]:
    """Hold that GitHub is not asked meanwhile, but for samples of what peers signed."""

    def asked() -> list[int]:
        state = sim.state()
        own = [one.total("upstream") - one.total("peer_sampled") for one in machines]
        return [state["total"] - state["not_modified"], *own]

    before = asked()
    yield
    assert asked() == before


def test_the_same_token_is_answered_without_asking_github(
    pair: list[Daemon], issues: Iterator[str], shared_sim: SimProcess
) -> None:
    one, other = pair
    prove(one, other, next(issues))
    target = next(issues)
    first = one.ask(target)
    assert first.source == "MISS"
    with unasked(shared_sim, other):
        second = other.ask(target)
        assert (second.source, second.plain) == ("PEER", first.plain)
        assert other.ask(target).source == "HIT"


def test_explain_names_who_signed_and_when_access_was_proven(
    pair: list[Daemon], issues: Iterator[str]
) -> None:
    one, other = pair
    target = next(issues)
    one.ask(target)
    other.ask(target)
    told = other.explain(target)["peer"]
    assert (told["id"], told["signature"], told["access"]) == (one.id, "verified", "proven")
    assert told["at"]
    assert one.explain(target)["peer"] is None


def test_another_token_costs_one_free_question_a_repository_and_class(
    pair: list[Daemon], issues: Iterator[str], shared_sim: SimProcess
) -> None:
    one, other = pair
    mine = [next(issues) for _ in range(3)]
    for target in mine:
        one.ask(target)
    shared_sim.control(reset="counters")
    assert other.ask(mine[0], token="bob").source == "REVALIDATED"
    state = shared_sim.state()
    assert (state["total"], state["not_modified"], state["billed"]) == (1, 1, 0)
    with unasked(shared_sim, other):
        assert [other.ask(target, token="bob").source for target in mine[1:]] == ["PEER"] * 2


def test_the_new_token_of_a_job_is_told_from_another_by_kind(
    pair: list[Daemon], shared_sim: SimProcess
) -> None:
    """One kind of token's body is another's; what it costs is the same free question."""
    one, other = pair
    target = next(owned_by(one, pair, PULLS))
    one.ask(target, token="job1")
    shared_sim.control(reset="counters")
    assert other.ask(target, token="job2").source == "REVALIDATED"
    assert shared_sim.state()["billed"] == 0


def test_what_a_token_may_not_see_no_peer_gives_it(pair: list[Daemon]) -> None:
    one, other = pair
    target = "/repos/acme/private/contents/secret.txt"
    assert one.ask(target).status == 200
    for token in ("bob", "carol", "mallory", None):
        refused = other.ask(target, token=token)
        assert refused.status in {403, 404}, token
        assert b"c2VzYW1l" not in refused.plain
    carol = "/repos/acme/private/issues/1"
    one.ask(carol)
    assert other.ask(carol, token="carol").status == 200


def test_github_down_the_peer_answers(
    pair: list[Daemon], issues: Iterator[str], shared_sim: SimProcess
) -> None:
    one, other = pair
    target = next(issues)
    first = one.ask(target)
    shared_sim.control(faults=[{"kind": "down"}])
    try:
        given = other.ask(target)
    finally:
        shared_sim.control(faults=[])
    assert (given.source, given.plain) == ("PEER", first.plain)


def test_in_profile_exact_a_peer_s_body_is_revalidated(
    pair: list[Daemon], issues: Iterator[str], shared_sim: SimProcess
) -> None:
    one, other = pair
    target = next(issues)
    one.ask(target, door="exact")
    shared_sim.control(reset="counters")
    assert other.ask(target, door="exact").source == "REVALIDATED"
    state = shared_sim.state()
    assert (state["total"], state["billed"]) == (1, 0)
    assert other.explain(target)["peer"]["id"] == one.id


def test_switched_off_it_says_so_in_a_line_and_shares_nothing(team: Team) -> None:
    (one,) = team(1, {"CACHE_ENABLE_P2P": "false"}, met=False)
    assert one.ask(ISSUES[0]).source == "MISS"
    assert one.ask(ISSUES[0]).source == "HIT"
    told = one.control("GET", "/status")["peers"]
    assert (told["state"], told["why"]) == ("off", "CACHE_ENABLE_P2P is false")
    (line,) = [line for line in one.do("status").splitlines() if line.startswith("peers")]
    assert "off" in line
    with pytest.raises(LookupError):
        one.pid("peer")


def test_without_a_team_the_same_token_shares_and_no_other(
    team: Team, shared_sim: SimProcess
) -> None:
    first, second = team(2, {"CACHE_P2P_SHARED_SECRET": ""}, met=False)
    scope = derive(SECRETS["alice"].encode(), "token")
    # Whom it dials is what makes a machine without a team look for peers at all.
    first.env["CACHE_BOOTSTRAP_PEERS"] = second.addr
    first.stop()
    first.start()
    first.ask(ISSUES[0])
    second.ask(ISSUES[1])
    wait(lambda: first.members() and second.members(), 30, second)
    target = next(owned_by(first, [first, second], ISSUES[2:], scope))
    given = first.ask(target)
    with unasked(shared_sim, second):
        shared = second.ask(target)
        assert (shared.source, shared.plain) == ("PEER", given.plain)
    assert second.ask(target, token="bob").source == "MISS"


def test_a_team_that_trusts_its_machines_asks_for_no_proof(
    team: Team, shared_sim: SimProcess
) -> None:
    one, other = team(2, {"CACHE_TRUST": "team"})
    target = next(owned_by(one, [one, other], ISSUES))
    one.ask(target)
    with unasked(shared_sim, other):
        assert other.ask(target, token="bob").source == "PEER"


def test_alone_a_machine_asks_github(pair: list[Daemon], issues: Iterator[str]) -> None:
    """The last one: nothing after it can be shared."""
    one, other = pair
    target = next(issues)
    one.ask(target)
    one.vanish()
    wait(lambda: other.members() == 0, 30, other)
    assert other.ask(target).source == "MISS"
