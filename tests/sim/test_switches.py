"""What tests can switch: the clock, lag, pushes, runs; and that all else stays the same."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.sim.control import control, state
from gh_p2pcache.sim.sim import Sim
from support.ask import ask, field, graphql, still_sim

ISSUE = "/repos/acme/widgets/issues/1"


@pytest.fixture
def sim_here() -> Sim:
    return still_sim()


def title(sim: Sim) -> str:
    found: str = json.loads(ask(sim, "GET", ISSUE).body)["title"]
    return found


def test_the_clock_is_what_dates_say(sim_here: Sim) -> None:
    assert field(ask(sim_here, "GET", "/user"), "date") == "Sun, 15 Jun 2025 15:06:40 GMT"
    control(sim_here, {"clock_shift": 3600})
    assert field(ask(sim_here, "GET", "/user"), "date") == "Sun, 15 Jun 2025 16:06:40 GMT"
    made = ask(sim_here, "POST", "/repos/acme/widgets/issues", body={"title": "x"})
    assert json.loads(made.body)["created_at"] == "2025-06-15T16:06:40Z"


def test_replicas_that_lag_show_the_past(sim_here: Sim) -> None:
    control(sim_here, {"lag": 5})
    for number in (1, 2):
        ask(sim_here, "PATCH", ISSUE, body={"title": f"Title {number}"})
        control(sim_here, {"clock_shift": 2 * number})
    query = '{repository(owner:"acme",name:"widgets"){issue(number:1){title}}}'
    assert title(sim_here) == "Widget is broken"
    assert graphql(sim_here, query)["data"]["repository"]["issue"]["title"] == "Widget is broken"
    control(sim_here, {"clock_shift": 5})
    assert title(sim_here) == "Title 1"
    control(sim_here, {"clock_shift": 7})
    assert title(sim_here) == "Title 2"


def test_a_push_moves_a_branch_and_its_pull_request_s_reads(sim_here: Sim) -> None:
    target = "/repos/acme/widgets/git/ref/heads/main"
    before = ask(sim_here, "GET", target)
    push = {"repo": "acme/widgets", "branch": "main", "path": "a.txt", "content": "a"}
    control(sim_here, {"push": push})
    after = ask(sim_here, "GET", target)
    assert before.body != after.body
    file = ask(sim_here, "GET", "/repos/acme/widgets/contents/a.txt")
    assert json.loads(file.body)["size"] == 1


def test_a_run_moves_on(sim_here: Sim) -> None:
    target = "/repos/acme/widgets/actions/runs/9000000003"
    assert json.loads(ask(sim_here, "GET", target).body)["status"] == "in_progress"
    run = {"repo": "acme/widgets", "id": 9000000003, "status": "completed"}
    control(sim_here, {"run": {**run, "conclusion": "success"}})
    assert json.loads(ask(sim_here, "GET", target).body)["conclusion"] == "success"


def test_what_was_asked_is_told_without_tokens(sim_here: Sim) -> None:
    ask(sim_here, "GET", "/user", "bob", if_none_match='"x"')
    said = state(sim_here)
    assert (said["total"], said["billed"], said["routes"]) == (1, 1, {"GET /user": 1})
    assert said["requests"][0]["token"] == said["requests"][0]["headers"]["authorization"] == "bob"
    assert said["requests"][0]["headers"]["if-none-match"] == '"x"'
    assert "not-a-secret" not in json.dumps(said)
    control(sim_here, {"reset": "counters"})
    assert state(sim_here)["total"] == 0


def test_a_reset_takes_everything_back(sim_here: Sim) -> None:
    before = ask(sim_here, "GET", ISSUE)
    ask(sim_here, "PATCH", ISSUE, body={"title": "x"})
    control(sim_here, {"faults": [{"kind": "down"}], "reset": True})
    assert ask(sim_here, "GET", ISSUE).body == before.body


@pytest.mark.parametrize(
    "wanted",
    [
        {"bananas": 1},
        {"faults": [{"kind": "bananas"}]},
        {"limits": [{"token": "nobody"}]},
        {"push": {"repo": "a/b"}},
    ],
)
def test_unknown_switches_are_refused(sim_here: Sim, wanted: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError)):
        control(sim_here, wanted)


calls = st.tuples(
    st.sampled_from(["GET", "HEAD", "POST", "PATCH", "DELETE"]),
    st.sampled_from(
        ["/user", ISSUE, "/repos/acme/widgets/issues", "/repos/acme/many/issues?page=2", "/zen"]
    ),
    st.sampled_from(["alice", "bob", "carol", "mallory", None]),
)


@given(st.lists(calls, max_size=12))
def test_the_same_calls_get_the_same_answers(requests: list[tuple[str, str, str | None]]) -> None:
    sims = still_sim(), still_sim()
    for method, target, token in requests:
        body = {"title": "T", "state": "closed"}
        one, two = (ask(sim, method, target, token, body) for sim in sims)
        assert one == two
