"""Limits: budgets a token and resource, and GitHub's words when they are spent."""

import json

import pytest

from gh_p2pcache.sim.clock import http_date
from gh_p2pcache.sim.control import control
from gh_p2pcache.sim.sim import Sim
from support.ask import NOON, ask, field, graphql, still_sim


@pytest.fixture
def sim_here() -> Sim:
    return still_sim()


def test_every_call_counts_down_its_own_budget(sim_here: Sim) -> None:
    first, second = ask(sim_here, "GET", "/user"), ask(sim_here, "GET", "/repos/acme/nothing")
    other = ask(sim_here, "GET", "/user", "bob")
    found = ask(sim_here, "GET", "/search/issues?q=widget")
    assert [field(r, "x-ratelimit-used") for r in (first, second, other, found)] == list("1211")
    assert field(first, "x-ratelimit-reset") == str(int(NOON) + 3600)
    assert [field(found, f"x-ratelimit-{n}") for n in ("limit", "resource")] == ["30", "search"]


@pytest.mark.parametrize(("token", "limit"), [("alice", 5000), ("job1", 1000), (None, 60)])
def test_limits_by_kind_of_token(sim_here: Sim, token: str | None, limit: int) -> None:
    assert field(ask(sim_here, "GET", "/users/bob", token), "x-ratelimit-limit") == str(limit)


def test_a_spent_budget(sim_here: Sim) -> None:
    etag = field(ask(sim_here, "GET", "/users/bob"), "etag")
    control(sim_here, {"limits": [{"token": "alice", "remaining": 0, "reset_in": 60}]})
    for answer in (
        ask(sim_here, "GET", "/users/bob"),
        ask(sim_here, "GET", "/users/bob", if_none_match=etag),
        ask(sim_here, "POST", "/repos/acme/widgets/issues", body={"title": "x"}),
    ):
        assert answer.status == 403
        assert json.loads(answer.body)["message"].startswith("API rate limit exceeded for user ID")
        assert field(answer, "x-ratelimit-remaining") == "0"
        assert field(answer, "x-ratelimit-reset") == str(int(NOON) + 60)
        assert not field(answer, "retry-after")
    assert ask(sim_here, "GET", "/users/bob", "bob").status == 200
    assert ask(sim_here, "GET", "/search/issues?q=x").status == 200
    sim_here.clock.shift = 60
    again = ask(sim_here, "GET", "/users/bob")
    assert (again.status, field(again, "x-ratelimit-used")) == (200, "1")


def test_graphql_says_it_in_a_200(sim_here: Sim) -> None:
    control(sim_here, {"limits": [{"token": "alice", "resource": "graphql", "remaining": 0}]})
    answer = graphql(sim_here, "{viewer{login}}")
    assert answer["errors"][0]["type"] == "RATE_LIMITED"
    assert "data" not in answer
    assert ask(sim_here, "GET", "/user").status == 200


@pytest.mark.parametrize(
    ("form", "said"),
    [("seconds", "30"), ("date", http_date(NOON + 30).decode()), ("none", "")],
)
@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit(sim_here: Sim, form: str, said: str, status: int) -> None:
    limit = {"token": "alice", "seconds": 30, "retry_after": form, "status": status}
    control(sim_here, {"secondary": limit})
    answer = ask(sim_here, "GET", "/user")
    assert (answer.status, field(answer, "retry-after")) == (status, said)
    assert "secondary rate limit" in json.loads(answer.body)["message"]
    assert int(field(answer, "x-ratelimit-remaining")) > 0
    sim_here.clock.shift = 30
    assert ask(sim_here, "GET", "/user").status == 200


def test_asking_for_the_limits_is_free(sim_here: Sim) -> None:
    ask(sim_here, "GET", "/user")
    for _ in range(2):
        resources = json.loads(ask(sim_here, "GET", "/rate_limit").body)["resources"]
        assert resources["core"]["used"] == 1
    control(sim_here, {"limits": [{"token": "alice", "remaining": 0}]})
    assert ask(sim_here, "GET", "/rate_limit").status == 200
