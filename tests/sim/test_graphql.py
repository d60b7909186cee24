"""GraphQL: documents walked over plain data, with GitHub's shapes of errors and connections."""

from typing import Any

import pytest

from gh_p2pcache.sim.sim import Sim
from support.ask import ask, graphql, still_sim

ISSUES = """
query($after: String, $size: Int = 40) {
  repository(owner: "acme", name: "many") {
    issues(first: $size, after: $after) { totalCount nodes { number } pageInfo { ...P } }
  }
}
fragment P on PageInfo { hasNextPage endCursor }
"""


@pytest.fixture
def sim_here() -> Sim:
    return still_sim()


def test_pages_by_cursor(sim_here: Sim) -> None:
    numbers: list[int] = []
    after = None
    while True:
        found = graphql(sim_here, ISSUES, after=after)["data"]["repository"]["issues"]
        numbers += [node["number"] for node in found["nodes"]]
        assert found["totalCount"] == 95
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
    assert numbers == list(range(95, 0, -1))


def test_the_last_items_before_a_cursor(sim_here: Sim) -> None:
    query = """query($b: String) { repository(owner: "acme", name: "many") {
      issues(last: 2, before: $b) { edges { cursor node { number } } } } }"""

    def edges(before: str | None) -> list[dict[str, Any]]:
        found = graphql(sim_here, query, b=before)["data"]["repository"]["issues"]["edges"]
        return list(found)

    first = edges(None)
    assert [edge["node"]["number"] for edge in first] == [2, 1]
    again = edges(first[0]["cursor"])
    assert [edge["node"]["number"] for edge in again] == [4, 3]


def test_aliases_fragments_and_directives(sim_here: Sim) -> None:
    query = """query($yes: Boolean!, $no: Boolean!) {
      a: repository(owner: "acme", name: "widgets") {
        one: issueOrPullRequest(number: 1) { ...F } nine: issueOrPullRequest(number: 9) { ...F }
        name @include(if: $yes) url @include(if: $no) id @skip(if: $yes) isPrivate @skip(if: $no)
      } }
      fragment F on IssueOrPullRequest {
        __typename ...on Issue { title } ...on PullRequest { isDraft }
      }"""
    assert graphql(sim_here, query, yes=True, no=False)["data"]["a"] == {
        "one": {"__typename": "Issue", "title": "Widget is broken"},
        "nine": {"__typename": "PullRequest", "isDraft": False},
        "name": "widgets",
        "isPrivate": False,
    }


def test_what_is_unknown_is_null(sim_here: Sim) -> None:
    assert graphql(sim_here, "{viewer{login bananas}}")["data"]["viewer"] == {
        "login": "alice",
        "bananas": None,
    }


def test_not_found_names_its_path(sim_here: Sim) -> None:
    answer = graphql(sim_here, '{x: repository(owner:"acme",name:"nothing"){id} viewer{login}}')
    assert answer == {
        "data": {"x": None, "viewer": {"login": "alice"}},
        "errors": [
            {
                "type": "NOT_FOUND",
                "path": ["x"],
                "locations": [{"line": 1, "column": 2}],
                "message": "Could not resolve to a Repository with the name 'acme/nothing'.",
            }
        ],
    }


def test_a_document_that_is_none(sim_here: Sim) -> None:
    answer = graphql(sim_here, "query {")
    assert "data" not in answer
    assert "Syntax Error" in answer["errors"][0]["message"]


def test_nobody_is_refused(sim_here: Sim) -> None:
    answer = ask(sim_here, "POST", "/graphql", None, {"query": "{viewer{login}}"})
    assert answer.status == 401


def test_the_viewer_is_the_caller(sim_here: Sim) -> None:
    for token, login in (("alice", "alice"), ("bob", "bob"), ("job1", "github-actions")):
        assert graphql(sim_here, "{viewer{login}}", token)["data"]["viewer"]["login"] == login


def test_several_operations_in_one_document(sim_here: Sim) -> None:
    document = "query A{viewer{login}} query B{viewer{id}}"
    body = {"query": document, "operationName": "B"}
    assert b'"id"' in ask(sim_here, "POST", "/graphql", body=body).body


def test_a_mutation_changes_what_is_read(sim_here: Sim) -> None:
    query = '{repository(owner:"acme",name:"widgets"){issue(number:1){id state title}}}'
    before = graphql(sim_here, query)["data"]["repository"]["issue"]
    close = "mutation($i:CloseIssueInput!){closeIssue(input:$i){issue{state} clientMutationId}}"
    done = graphql(sim_here, close, i={"issueId": before["id"], "clientMutationId": "7"})
    assert done["data"]["closeIssue"] == {"issue": {"state": "CLOSED"}, "clientMutationId": "7"}
    after = graphql(sim_here, query)["data"]["repository"]["issue"]
    assert after == before | {"state": "CLOSED"}


@pytest.mark.parametrize(("token", "kind"), [("mallory", "FORBIDDEN"), ("carol", "FORBIDDEN")])
def test_a_mutation_needs_the_permission(sim_here: Sim, token: str, kind: str) -> None:
    query = '{repository(owner:"acme",name:"widgets"){issue(number:1){id}}}'
    wanted = graphql(sim_here, query)["data"]["repository"]["issue"]["id"]
    close = "mutation($i:CloseIssueInput!){closeIssue(input:$i){issue{state}}}"
    answer = graphql(sim_here, close, token, i={"issueId": wanted})
    assert (answer["data"], answer["errors"][0]["type"]) == ({"closeIssue": None}, kind)
    assert sim_here.world.repos[500_001_001].issues[1].state == "open"


def test_a_node_by_its_id(sim_here: Sim) -> None:
    query = """{repository(owner:"acme",name:"widgets"){
      id issue(number:1){id} pullRequest(number:9){id}}}"""
    found = graphql(sim_here, query)["data"]["repository"]
    ids = [found["id"], found["issue"]["id"], found["pullRequest"]["id"]]
    nodes = "query($ids:[ID!]!){nodes(ids:$ids){__typename id}}"
    answer = graphql(sim_here, nodes, ids=ids)["data"]["nodes"]
    kinds = [node["__typename"] for node in answer]
    assert kinds == ["Repository", "Issue", "PullRequest"]
    assert [node["id"] for node in answer] == ids
    refused = graphql(sim_here, '{node(id:"I_nonsense"){id}}')
    assert refused["errors"][0]["type"] == "NOT_FOUND"


def test_checks_and_statuses_of_a_pull_request(sim_here: Sim) -> None:
    query = """{repository(owner:"acme",name:"widgets"){pullRequest(number:9){
      mergeable statusCheckRollup{state contexts(first:10){totalCount nodes{__typename
        ...on CheckRun{name conclusion} ...on StatusContext{context state}}}}}}}"""
    pull = graphql(sim_here, query)["data"]["repository"]["pullRequest"]
    assert (pull["mergeable"], pull["statusCheckRollup"]["state"]) == ("MERGEABLE", "FAILURE")
    nodes = pull["statusCheckRollup"]["contexts"]["nodes"]
    assert {"__typename": "CheckRun", "name": "build", "conclusion": "FAILURE"} in nodes
    assert {"__typename": "StatusContext", "context": "ci/deploy", "state": "PENDING"} in nodes


def test_introspection_names_what_is_answered(sim_here: Sim) -> None:
    query = '{__type(name:"PullRequest"){fields{name}}}'
    fields = graphql(sim_here, query)["data"]["__type"]["fields"]
    assert {"name": "statusCheckRollup"} in fields
    values = '{__type(name:"SearchType"){enumValues{name}}}'
    assert {"name": "ISSUE"} in graphql(sim_here, values)["data"]["__type"]["enumValues"]
    assert graphql(sim_here, '{__type(name:"Banana"){name}}')["data"]["__type"] is None
