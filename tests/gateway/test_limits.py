"""GitHub's rate limits: bridged where something is kept, obeyed, told, and over when they are."""

import json
import time
from collections.abc import Iterator
from email.utils import formatdate

import pytest

from support.gateway import Gateway, GatewayFactory
from support.origin import Asked, ScriptedOrigin, answer
from support.sim import SimProcess
from support.wait import until

LABELS = "/repos/acme/widgets/labels"
OTHER = "/repos/acme/widgets/milestones"
FRESH = {"X-P2PCache-Mode": "refresh"}
VIEWER = "{ viewer { login } }"
SOON = 5
"""Seconds of a limit that ends within a test; the calls before its end must fit in."""
OVER = 30.0
"""Seconds in which it is over."""


def limit(sim: SimProcess, token: str = "alice", resource: str = "core", seconds: int = 60) -> None:
    """Spend a token's budget; it is full again after `seconds`."""
    spent = {"token": token, "resource": resource, "remaining": 0, "reset_in": seconds}
    sim.control(limits=[spent])


# --- The primary limit ---


def test_a_spent_budget_is_bridged_and_asked_for_once(gateway: Gateway, sim: SimProcess) -> None:
    kept = gateway.ask(LABELS)
    limit(sim)
    sim.control(reset="counters")
    for _ in range(3):
        stale = gateway.ask(LABELS, headers=FRESH)
        assert (stale.status, stale.source, stale.body) == (200, "STALE", kept.body)
        assert 'detail="primary rate limit"' in stale.field("cache-status")
    assert sim.calls() == 1


def test_with_nothing_kept_githubs_own_refusal_is_given_again(
    gateway: Gateway, sim: SimProcess
) -> None:
    limit(sim)
    refusals = [gateway.ask(OTHER) for _ in range(3)]
    assert {(refusal.status, refusal.plain) for refusal in refusals} == {(403, refusals[0].plain)}
    assert refusals[0].json["message"].startswith("API rate limit exceeded")
    assert refusals[2].field("x-ratelimit-remaining") == "0"
    assert sim.calls() == 1


def test_a_limit_that_graphql_told_is_no_answer_to_rest(
    gateways: GatewayFactory, origin: ScriptedOrigin
) -> None:
    """It tells of one in a 200, which `gh api` would print and exit 0."""
    said = json.dumps({"errors": [{"message": "You have exceeded a secondary rate limit."}]})
    origin.answers = lambda asked: iter(
        [answer(200, said.encode() if asked.target == "/graphql" else b'{"login":"alice"}')]
    )
    gateway = gateways(origin.upstream)
    assert gateway.graphql(VIEWER).plain == said.encode()
    assert gateway.graphql(VIEWER).plain == said.encode()
    assert [asked.target for asked in origin.asked] == ["/graphql"]

    assert gateway.ask("/user").plain == b'{"login":"alice"}'


def test_a_limit_that_a_head_was_told_is_no_answer_to_a_get(
    gateways: GatewayFactory, origin: ScriptedOrigin
) -> None:
    message = b'{"message":"You have exceeded a secondary rate limit."}'
    origin.answers = lambda asked: iter(
        [answer(403, b"" if asked.method == "HEAD" else message, ("Retry-After", "60"))]
    )
    gateway = gateways(origin.upstream)
    assert gateway.ask("/user", method="HEAD").status == 403

    assert gateway.ask("/user").plain == message


def test_a_limit_ends_whatever_time_another_host_tells(
    gateways: GatewayFactory, origin: ScriptedOrigin
) -> None:
    limited = [answer(429, b'{"message":"secondary rate limit"}', ("Retry-After", "2"))]

    def told(asked: Asked) -> Iterator[bytes]:
        if asked["host"] == "ghes.example":
            return iter([answer(200, b"{}", date=time.time() - 3600)])
        return iter([limited.pop() if limited else answer(200, b"{}", date=time.time())])

    origin.answers = told
    gateway = gateways(origin.upstream)
    assert gateway.ask("/user").status == 429
    assert gateway.ask("/api/v3/user", host="ghes.example").status == 200

    until(lambda: gateway.ask("/user").status == 200, OVER, "the limit is over")


def test_the_last_answer_of_a_budget_stops_the_next_call(gateway: Gateway, sim: SimProcess) -> None:
    """GitHub needs not be asked to say that nothing is left: the answer before said so."""
    gateway.ask(LABELS)
    sim.control(limits=[{"token": "alice", "remaining": 1, "reset_in": 60}])
    assert gateway.ask(OTHER).field("x-ratelimit-remaining") == "0"
    sim.control(reset="counters")
    assert gateway.ask(LABELS, headers=FRESH).source == "STALE"
    assert sim.calls() == 0


def test_a_limit_ends_at_its_reset_by_itself(gateway: Gateway, sim: SimProcess) -> None:
    gateway.ask(LABELS)
    limit(sim, seconds=SOON)
    assert gateway.ask(LABELS, headers=FRESH).source == "STALE"
    assert gateway.ask(OTHER).status == 403
    until(lambda: gateway.ask(LABELS, headers=FRESH).source == "REVALIDATED", OVER)
    assert gateway.ask(OTHER).status == 200


def test_writes_always_go(gateway: Gateway, sim: SimProcess) -> None:
    limit(sim)
    gateway.ask(LABELS)
    sim.control(reset="counters")
    for _ in range(2):
        refused = gateway.ask(LABELS, method="POST", body=b'{"name":"x","color":"ffffff"}')
        assert refused.status == 403
    assert sim.calls() == 2


def test_a_limit_is_one_tokens_and_one_resources(gateway: Gateway, sim: SimProcess) -> None:
    limit(sim)
    assert gateway.ask(LABELS).status == 403
    assert gateway.ask(LABELS, token="bob").status == 200
    assert gateway.ask("/search/issues?q=repo:acme/widgets").status == 200
    assert gateway.graphql(VIEWER).status == 200
    assert gateway.ask("/rate_limit").status == 200


def test_a_search_limit_leaves_the_rest(gateway: Gateway, sim: SimProcess) -> None:
    limit(sim, resource="search")
    assert gateway.ask("/search/issues?q=repo:acme/widgets").status == 403
    assert gateway.ask(LABELS).status == 200


def test_graphqls_limit_is_a_200_and_is_bridged(gateway: Gateway, sim: SimProcess) -> None:
    kept = gateway.graphql(VIEWER)
    limit(sim, resource="graphql", seconds=SOON)
    sim.control(reset="counters")
    for _ in range(3):
        stale = gateway.graphql(VIEWER, headers=FRESH)
        assert (stale.source, stale.body) == ("STALE", kept.body)
    assert sim.calls() == 1
    other = gateway.graphql("{ viewer { name } }")
    assert other.json["errors"][0]["type"] == "RATE_LIMITED"
    until(lambda: gateway.graphql(VIEWER, headers=FRESH).source == "MISS", OVER)


# --- Secondary limits ---


@pytest.mark.parametrize("said", ["seconds", "date"])
@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_is_about_everything_and_ends_when_github_said(
    gateway: Gateway, sim: SimProcess, said: str, status: int
) -> None:
    gateway.ask(LABELS)
    sim.control(
        secondary={"token": "alice", "seconds": SOON + 1, "retry_after": said, "status": status}
    )
    assert gateway.ask(LABELS, headers=FRESH).source == "STALE"
    sim.control(reset="counters")
    refused = gateway.ask("/search/issues?q=repo:acme/widgets")
    assert refused.status == status
    assert int(refused.field("retry-after")) <= SOON + 1
    assert sim.calls() == 0
    assert gateway.ask(LABELS, token="bob").status == 200
    until(lambda: gateway.ask(LABELS, headers=FRESH).source == "REVALIDATED", OVER)


def test_a_secondary_limit_without_a_time_lasts_a_minute(gateway: Gateway, sim: SimProcess) -> None:
    sim.control(secondary={"token": "alice", "seconds": 600, "retry_after": "none"})
    assert gateway.ask(OTHER).status == 403
    left = gateway.control("GET", "/status")["limited_until"] - time.time()
    assert 50 < left <= 61


def test_retry_after_is_counted_down(gateways: GatewayFactory, origin: ScriptedOrigin) -> None:
    gateway = gateways(origin.upstream)
    body = json.dumps({"message": "You have exceeded a secondary rate limit."}).encode()
    origin.says(answer(429, body, ("Retry-After", "30"), date=time.time()))
    first = gateway.ask("/user")
    assert (first.status, first.field("retry-after")) == (429, "30")
    until(lambda: int(gateway.ask("/user").field("retry-after")) < 29)
    assert gateway.ask("/user").body == body
    assert len(origin.asked) == 1


@pytest.mark.parametrize("after", ["soon", "-5", "99999999999", formatdate(0, usegmt=True)])
def test_a_nonsensical_time_is_a_minute_or_an_hour_at_most(
    gateways: GatewayFactory, origin: ScriptedOrigin, after: str
) -> None:
    gateway = gateways(origin.upstream)
    origin.says(answer(429, b"{}", ("Retry-After", after), date=time.time()))
    assert gateway.ask("/user").status == 429
    assert gateway.ask("/user").status == 429
    assert len(origin.asked) == 1
    assert gateway.control("GET", "/status")["limited_until"] - time.time() < 3601


def test_a_refusal_that_is_no_limit_is_no_limit(gateway: Gateway) -> None:
    """carol may not read contents: that 403 must not stop her other calls."""
    assert gateway.ask("/repos/acme/private/contents/secret.txt", token="carol").status == 403
    assert gateway.ask("/repos/acme/private/issues", token="carol").status == 200
    assert gateway.control("GET", "/status")["limited_until"] is None


# --- What is said of it ---


def test_a_limit_is_told_while_it_lasts(gateway: Gateway, sim: SimProcess) -> None:
    notice = gateway.run / "notice"
    gateway.ask(LABELS)
    limit(sim, seconds=SOON)
    gateway.ask(LABELS, headers=FRESH)
    line = notice.read_text()
    assert line.startswith("GitHub limits one of this machine's tokens until ")
    assert line.count("\n") == 1
    status = gateway.control("GET", "/status")
    assert status["limited_until"]
    spent = [budget for budget in status["budgets"] if budget["resource"] == "core"]
    assert [budget["remaining"] for budget in spent] == [0]
    assert gateway.stats()["limited_primary"] == 1
    until(lambda: not notice.exists(), OVER)


def test_a_restart_forgets_a_limit_and_learns_it_again(gateway: Gateway, sim: SimProcess) -> None:
    gateway.ask(LABELS)
    limit(sim)
    gateway.ask(LABELS, headers=FRESH)
    gateway.restart()
    assert gateway.ask(LABELS, headers=FRESH).source == "STALE"
