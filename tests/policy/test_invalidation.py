"""What a write may change."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.policy.invalidation import mutation_nodes, outcome, response_tags, written_tags
from support.policy import answer, asked, get, graphql, planned

ELSEWHERE = "elsewhere:github.com"
SITE = "site:github.com"


@pytest.mark.parametrize(
    ("request_", "tags"),
    [
        (get("/repos/O/R/issues/1", method="PATCH"), {"repo:github.com/o/r", ELSEWHERE}),
        (get("/repos/o/r", method="DELETE"), {"repo:github.com/o/r", ELSEWHERE}),
        (get("/repos/%6F/r/issues", method="POST"), {"repo:github.com/o/r", ELSEWHERE}),
        (get("/repositories/7/issues", method="POST"), {"repoid:github.com/7", ELSEWHERE}),
        (get("/repos/o/r/releases/1/assets?name=x", "uploads.github.com", method="POST"),
         {"repo:github.com/o/r", ELSEWHERE}),
        (get("/api/v3/repos/o/r/issues", "ghe.corp", method="POST"),
         {"repo:ghe.corp/o/r", "elsewhere:ghe.corp"}),
        (get("/api/uploads/repos/o/r/releases/1/assets", "ghe.corp", method="POST"),
         {"repo:ghe.corp/o/r", "elsewhere:ghe.corp"}),
        (get("/repos/o/r/pulls/1/update-branch", method="PUT"), {SITE}),
        (graphql("mutation{updatePullRequestBranch(input:{pullRequestId:1}){clientMutationId}}"),
         {SITE}),
        (get("/user/repos", method="POST"), {SITE}),
        (get("/orgs/o/repos", method="POST"), {SITE}),
        (get("/repos/o/r/../s/issues", method="POST"), {SITE}),
        (get("/repos/o/r%zz/issues", method="POST"), {SITE}),
        (get("/x", "codeload.github.com", method="POST"), set()),
        (graphql("mutation{closeIssue(input:{issueId:1}){issue{id}}}"), {ELSEWHERE}),
        (graphql("{viewer{login}}"), set()),
        (graphql("not graphql"), {SITE}),
    ],
)  # fmt: skip
def test_what_a_write_names(request_, tags):
    assert written_tags(request_) == tags


@given(st.sampled_from(["issues", "git/refs/heads/x", "contents/a%2Fb", "labels/a%20b?x=../y"]))
def test_a_write_reaches_every_read_of_its_repository(rest):
    """However a path is spelled, the write's tags meet those of a read of the same place."""
    for spelling in ("/repos/Acme/Widgets/", "/repos/%41cme/widgets/", "/repos/acme/widgets.git/"):
        written = written_tags(get(spelling + rest, method="PUT"))
        assert written & planned("/repos/acme/WIDGETS/" + rest).tags
        assert written & planned("/search/issues?q=x").tags


ISSUE = {
    "id": 1,
    "node_id": "I_kwDO1",
    "repository_url": "https://api.github.com/repos/Acme/Widgets",
    "user": {"login": "a", "node_id": "U_kgDO1"},
    "assignee": {"node_id": "MDQ6VXNlcjE="},
    "closed_by": {"node_id": "BOT_kgDO1"},
    "labels": [{"node_id": "LA_kwDO1"}, {"node_id": "MDU6TGFiZWwx"}],
    "body": 'not a "node_id": "I_fake" of ours',
}
REPOSITORY = {
    "id": 77,
    "node_id": "R_kgDO1",
    "name": "Widgets",
    "full_name": "Acme/Widgets",
    "owner": {"id": 5, "node_id": "O_kgDO1"},
}


@pytest.mark.parametrize("separators", [(",", ":"), (", ", " : ")])
def test_an_answer_is_found_again_by_the_ids_and_repositories_it_shows(separators):
    made = planned("/repos/acme/widgets/issues/1")
    body = json.dumps(ISSUE, separators=separators).encode()
    assert response_tags(made, answer(b""), body) == {
        "node:I_kwDO1", "node:LA_kwDO1", "node:MDU6TGFiZWwx", "repo:github.com/acme/widgets",
    }  # fmt: skip


def test_a_repository_object_ties_its_name_to_its_number():
    body = json.dumps(REPOSITORY | {"source": REPOSITORY | {"id": 8, "full_name": "x/y"}}).encode()
    assert response_tags(planned("/repos/acme/widgets"), answer(b""), body) == {
        "node:R_kgDO1", "repo:github.com/acme/widgets", "repo:github.com/x/y",
        "repoid:github.com/77",
    }  # fmt: skip


@pytest.mark.parametrize(
    "more",
    [
        {"link": '<https://api.github.com/repositories/77/issues?page=2>; rel="next"'},
        {"location": "https://api.github.com/repositories/77"},
    ],
)
def test_links_and_redirects_tie_a_name_to_its_number(more):
    found = response_tags(planned("/repos/acme/widgets/issues"), answer(b"[]", **more), b"[]")
    assert found == {"repoid:github.com/77"}


def test_a_page_by_number_belongs_to_the_repository_by_name():
    """97 of 424 recorded `next` links jump to /repositories/ID: a write goes by the name."""
    body = json.dumps([{"url": "https://api.github.com/repos/Acme/Widgets/labels/bug"}]).encode()
    made = planned("/repositories/77/labels?page=2")
    tags = made.tags | response_tags(made, answer(b""), body)
    assert tags & written_tags(get("/repos/acme/widgets/labels/bug", method="DELETE")) >= {
        "repo:github.com/acme/widgets"
    }


def test_a_graphql_answer_is_found_by_its_ids_aliases_included():
    made = asked('{a:repository(owner:"o",name:"r"){key:id nameWithOwner issue(number:1){id}}}')
    body = b'{"data":{"a":{"key":"R_1","nameWithOwner":"X/Y","issue":{"id": "I_1"},"x":"I_2"}}}'
    assert response_tags(made, answer(b""), body) == {
        "node:R_1", "node:I_1", "repo:github.com/x/y",
    }  # fmt: skip


CLOSE = "mutation($input:CloseIssueInput!){closeIssue(input:$input){issue{id}}}"


@pytest.mark.parametrize(
    ("body", "response", "nodes"),
    [
        (graphql(CLOSE, {"input": {"issueId": "I_kwDO1"}}).body, None, {"I_kwDO1"}),
        (graphql(CLOSE, {"input": {"issueId": "MDU6SXNzdWUx"}}).body, None, {"MDU6SXNzdWUx"}),
        (graphql('mutation{a(input:{id:"PR_kwDO1-_x",b:["LA_1234"]}){id}}').body, None,
         {"PR_kwDO1-_x", "LA_1234"}),
        (graphql(CLOSE).body, b'{"data":{"closeIssue":{"issue":{"id":"I_kwDO9"}}}}', {"I_kwDO9"}),
        (b'{"query":"mutation{a}","variables":{"id":"I_kw\\u0044O1"}}', None, {"I_kwDO1"}),
        (graphql("mutation{a}", {"title": "a title", "n": 1, "id": "short"}).body, b"", set()),
        (b'not json but "I_kwDO1"', None, {"I_kwDO1"}),
        (b"\xff", b"\xfe", set()),
    ],
)  # fmt: skip
def test_the_nodes_a_mutation_names(body, response, nodes):
    assert mutation_nodes(body, response) == {f"node:{name}" for name in nodes}


def test_a_mutation_meets_the_record_of_what_it_changes():
    made = planned("/repos/acme/widgets/issues/1")
    kept = response_tags(made, answer(b""), json.dumps(ISSUE).encode())
    named = mutation_nodes(graphql(CLOSE, {"input": {"issueId": "I_kwDO1"}}).body, None)
    assert kept & named
    assigned = mutation_nodes(
        graphql("mutation{a}", {"ids": ["MDQ6VXNlcjE=", "U_kgDO1"]}).body, None
    )
    assert not kept & assigned


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, "done"), (201, "done"), (202, "done"), (204, "done"), (301, "done"),
        (400, "refused"), (401, "refused"), (403, "refused"), (404, "refused"),
        (409, "refused"), (422, "refused"), (429, "refused"),
        (408, "undecided"), (500, "undecided"), (502, "undecided"), (504, "undecided"),
        (None, "undecided"),
    ],
)  # fmt: skip
def test_only_a_definite_4xx_says_that_nothing_was_written(status, expected):
    assert outcome(status) == expected


def test_a_large_answer_is_searched_whole():
    rng = random.Random(1)
    ids = [f"I_{rng.randrange(10**12)}" for _ in range(4000)]
    body = json.dumps([{"node_id": id_, "body": "x" * 40} for id_ in ids]).encode()
    assert len(body) > 300_000
    found = response_tags(planned("/repos/o/r/issues"), answer(b""), body)
    assert found == {f"node:{id_}" for id_ in ids}
