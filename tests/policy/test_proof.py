"""What an answer proves about who got it."""

import json

import pytest

from gh_p2pcache.policy.proof import proved
from support.policy import answer, asked, planned

REPO = "github.com/o/r"
CONTENTS = planned("/repos/o/r/readme")


def classes(plan, response, body=None, digest=b""):
    found = proved(plan, response, response.body if body is None else body, digest)
    assert {repo for repo, _ in found} <= {REPO}
    return {name for _, name in found}


def test_a_rest_answer_proves_its_class_and_that_there_is_something_to_see():
    assert classes(CONTENTS, answer({})) == {"contents", "any"}
    assert classes(CONTENTS, answer(b"", 304)) == {"contents", "any"}
    assert classes(planned("/repos/o/r/issues"), answer([])) == {"issues", "labels", "any"}
    assert classes(planned("/repos/o/r/pulls"), answer([])) == {"pulls", "labels", "any"}


@pytest.mark.parametrize("status", [202, 204, 301, 302, 401, 403, 404, 429, 500])
def test_other_answers_prove_nothing(status):
    assert classes(CONTENTS, answer({}, status)) == set()


def test_a_private_answer_proves_nothing():
    assert proved(planned("/repos/o/r/releases"), answer([]), b"[]") == frozenset()
    assert proved(planned("/user"), answer({}), b"{}") == frozenset()


def test_an_itself_route_is_proven_for_the_one_record():
    """A repository shows its reader's permissions: the proof is of these very bytes."""
    plan = planned("/repos/o/r")
    assert plan.access is not None
    assert classes(plan, answer({})) == {"any"}
    proven = classes(plan, answer(b"", 304), digest=b"one")
    assert plan.access.for_record(b"one").classes <= proven
    assert not plan.access.for_record(b"two").classes & proven
    assert not plan.access.classes & proven


ISSUES = asked('{repository(owner:"o",name:"r"){issues(first:9){totalCount nodes{title}}}}')
ISSUE = asked('{repository(owner:"o",name:"r"){one:issue(number:1){title labels{nodes{name}}}}}')
EITHER = asked(
    """{repository(owner:"o",name:"r"){issueOrPullRequest(number:1){
    __typename ... on Issue{title} ... on PullRequest{title}}}}"""
)
PLAIN = asked('{repository(owner:"o",name:"r"){name}}')
LABELS = asked('{repository(owner:"o",name:"r"){labels(first:9){edges{node{name}}}}}')
BRANCH = asked('{repository(owner:"o",name:"r"){defaultBranchRef{name}}}')
CHECKS = asked(
    """{repository(owner:"o",name:"r"){pullRequest(number:1){commits(last:1){nodes{commit{
    statusCheckRollup{contexts(first:9){nodes{__typename ... on CheckRun{name}
    ... on StatusContext{context}}}}}}}}}}"""
)


def repository(**fields):
    return {"data": {"repository": fields}}


def rollup(*names):
    nodes = [{"__typename": name} for name in names]
    commit = {"statusCheckRollup": {"contexts": {"nodes": nodes}}}
    return repository(pullRequest={"commits": {"nodes": [{"commit": commit}]}})


@pytest.mark.parametrize(
    ("plan", "body", "expected"),
    [
        (ISSUES, repository(issues={"totalCount": 1, "nodes": [{"title": "a"}]}),
         {"issues", "labels", "any"}),
        # an empty list proves nothing: GitHub hides what a token may not see
        (ISSUES, repository(issues={"totalCount": 0, "nodes": []}), {"any"}),
        (ISSUES, repository(issues={"totalCount": 3, "nodes": [None]}), {"any"}),
        (ISSUES, {"data": {"repository": None}}, set()),
        (ISSUES, {"data": None}, set()),
        (ISSUES, repository(issues={"nodes": [{"title": "a"}]}) | {"errors": [{"message": "x"}]},
         set()),
        (ISSUES, [], set()),
        (ISSUE, repository(one={"title": "a", "labels": {"nodes": []}}),
         {"issues", "labels", "any"}),
        (ISSUE, repository(one=None), {"any"}),
        (ISSUE, repository(issue={"title": "a"}), {"any"}),
        (EITHER, repository(issueOrPullRequest={"__typename": "Issue", "title": "a"}),
         {"issues", "labels", "any"}),
        (EITHER, repository(issueOrPullRequest={"__typename": "PullRequest", "title": "a"}),
         {"pulls", "labels", "any"}),
        (EITHER, repository(issueOrPullRequest={"title": "a"}), {"any"}),
        (PLAIN, repository(name="r"), {"any"}),
        (LABELS, repository(labels={"edges": [{"node": {"name": "bug"}}]}), {"labels", "any"}),
        (LABELS, repository(labels={"edges": []}), {"any"}),
        (BRANCH, repository(defaultBranchRef={"name": "main"}), {"contents", "any"}),
        (BRANCH, repository(defaultBranchRef=None), {"any"}),
        (CHECKS, rollup("CheckRun"), {"pulls", "labels", "checks", "any"}),
        (CHECKS, rollup("CheckRun", "StatusContext"),
         {"pulls", "labels", "checks", "statuses", "any"}),
        (CHECKS, rollup(), {"pulls", "labels", "any"}),
    ],
)  # fmt: skip
def test_a_query_proves_the_classes_of_the_objects_it_returned(plan, body, expected):
    assert classes(plan, answer(body)) == expected
    assert classes(plan, answer(body, 403)) == set()


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff"])
def test_what_cannot_be_read_proves_nothing(body):
    assert classes(ISSUES, answer(b""), body) == set()


@pytest.mark.parametrize("plan", [ISSUES, ISSUE, EITHER, PLAIN, LABELS, BRANCH, CHECKS])
def test_who_proved_all_that_a_query_needs_may_read_it(plan):
    """The classes a query needs can all be proven by answers to queries and REST reads."""
    assert plan.access is not None
    rest = {"issues": "issues", "pulls": "pulls", "contents": "readme",
            "checks": "commits/a/check-runs", "statuses": "commits/a/status"}  # fmt: skip
    reads = [planned(f"/repos/o/r/{rest[name]}") for name in plan.access.classes & rest.keys()]
    proven = set().union(*(classes(read, answer({})) for read in reads))
    proven |= classes(PLAIN, answer(repository(name="r")))
    proven |= classes(LABELS, answer(repository(labels={"edges": [{"node": {}}]})))
    assert plan.access.classes <= proven


def test_the_answer_may_be_of_any_size_and_depth():
    nodes = [{"title": "x" * 100} for _ in range(3000)]
    body = json.dumps(repository(issues={"nodes": nodes})).encode()
    assert "issues" in classes(ISSUES, answer(b""), body)
