"""Who may read and write what: 401, 403 and 404 as GitHub gives them."""

import json

import pytest

from gh_p2pcache.sim.control import control
from gh_p2pcache.sim.tokens import CLASSES
from support.ask import ask, field, graphql, still_sim

PRIVATE = {
    "itself": "/repos/acme/private",
    "issues": "/repos/acme/private/issues",
    "contents": "/repos/acme/private/contents/secret.txt",
    "pulls": "/repos/acme/private/pulls",
    "actions": "/repos/acme/private/actions/runs",
    "checks": "/repos/acme/private/commits/main/check-runs",
    "statuses": "/repos/acme/private/commits/main/status",
    "deployments": "/repos/acme/private/deployments",
}


@pytest.mark.parametrize("what", PRIVATE)
def test_a_private_repository(what: str) -> None:
    sim, target = still_sim(), PRIVATE[what]
    for token in ("alice", "job1"):
        assert ask(sim, "GET", target, token).status == 200
    for stranger in ("bob", "mallory", None):
        answer = ask(sim, "GET", target, stranger)
        assert (answer.status, json.loads(answer.body)["message"]) == (404, "Not Found")
    carol = ask(sim, "GET", target, "carol")
    if what in ("itself", "issues"):
        assert carol.status == 200
    else:
        assert carol.status == 403
        message = "Resource not accessible by personal access token"
        assert json.loads(carol.body)["message"] == message


@pytest.mark.parametrize("what", PRIVATE)
def test_a_public_repository_is_open_to_all(what: str) -> None:
    target = PRIVATE[what].replace("private", "widgets").replace("secret.txt", "README.md")
    assert ask(still_sim(), "GET", target, None).status == 200


def test_what_only_administrators_see() -> None:
    sim = still_sim()
    target = "/repos/acme/private/actions/secrets"
    assert ask(sim, "GET", target, "alice").status == 200
    job = ask(sim, "GET", target, "job1")
    assert job.status == 403
    assert json.loads(job.body)["message"] == "Resource not accessible by integration"


def test_bad_and_revoked_tokens() -> None:
    sim = still_sim()
    unknown = ask(sim, "GET", "/repos/acme/widgets", "nobody's")
    assert (unknown.status, json.loads(unknown.body)["message"]) == (401, "Bad credentials")
    control(sim, {"revoke": ["alice"]})
    assert ask(sim, "GET", "/repos/acme/widgets", "alice").status == 401
    control(sim, {"restore": ["alice"]})
    assert ask(sim, "GET", "/repos/acme/widgets", "alice").status == 200


@pytest.mark.parametrize(
    "value",
    [
        "Bearer ghp_alice-not-a-secret",
        "token ghp_alice-not-a-secret",
        # base64 of x-access-token:ghp_alice-not-a-secret
        "Basic eC1hY2Nlc3MtdG9rZW46Z2hwX2FsaWNlLW5vdC1hLXNlY3JldA==",
    ],
)
def test_ways_to_send_a_token(value: str) -> None:
    answer = ask(still_sim(), "GET", "/user", None, authorization=value)
    assert json.loads(answer.body)["login"] == "alice"


def test_access_taken_away_counts_at_once() -> None:
    sim = still_sim()
    assert ask(sim, "GET", "/repos/acme/private", "carol").status == 200
    control(sim, {"grant": {"token": "carol", "repo": "acme/private", "classes": []}})
    assert ask(sim, "GET", "/repos/acme/private", "carol").status == 404
    sim.world.tokens["carol"].grants["acme/private"] = CLASSES
    assert ask(sim, "GET", "/repos/acme/private/pulls", "carol").status == 200
    sim.world.tokens["carol"].grants.clear()
    assert ask(sim, "GET", "/repos/acme/private/pulls", "carol").status == 404


@pytest.mark.parametrize(
    ("token", "status"), [("alice", 201), ("bob", 201), ("mallory", 403), (None, 403)]
)
def test_writing_needs_more_than_reading(token: str | None, status: int) -> None:
    answer = ask(still_sim(), "POST", "/repos/acme/widgets/issues", token, {"title": "Mine"})
    assert answer.status == status


def test_the_same_rules_in_graphql() -> None:
    sim = still_sim()
    query = (
        '{repository(owner:"acme",name:"private")'
        "{issues(first:5){totalCount} pullRequests(first:5){totalCount}}}"
    )
    assert graphql(sim, query, "alice")["data"]["repository"]["pullRequests"]["totalCount"] == 1
    # GitHub hides what a token may not see: an empty list, no error
    hidden = graphql(sim, query, "carol")["data"]["repository"]
    assert (hidden["issues"]["totalCount"], hidden["pullRequests"]["totalCount"]) == (1, 0)
    refused = graphql(sim, query, "mallory")
    assert refused["data"] == {"repository": None}
    assert refused["errors"][0]["type"] == "NOT_FOUND"


def test_scopes_are_told_to_classic_tokens_only() -> None:
    sim = still_sim()
    assert "repo" in field(ask(sim, "GET", "/user"), "x-oauth-scopes")
    assert not field(ask(sim, "GET", "/repos/acme/widgets", "job1"), "x-oauth-scopes")
