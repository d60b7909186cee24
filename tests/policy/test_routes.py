"""Routes against GitHub's own permission data, of which data/permissions.md is a copy."""

import re
from pathlib import Path

import pytest

from gh_p2pcache.policy.permissions import PERMISSIONS
from gh_p2pcache.policy.plan import plan
from gh_p2pcache.policy.routes import REPOSITORY_ROUTES, ROOT_ROUTES, Route
from support.policy import get, planned

TABLE = (Path(__file__).parent / "data" / "permissions.md").read_text()
ROWS = {
    route: (tuple(permissions.split(", ")), additional == "yes")
    for route, permissions, additional in re.findall(
        r"^\| `(/[^`]*)` \| ([^|]+) \| ?(yes)? ?\|$", TABLE, re.MULTILINE
    )
}
CLASS_OF = {"pull_requests": "pulls"} | {
    name: name for name in ("contents", "issues", "actions", "statuses", "deployments")
}
SHARED = {route.label: route for route in REPOSITORY_ROUTES if route.access_class}

EXPECTED = {
    "contents": """
        /contents /contents/{path} /readme /readme/{dir} /git/blobs/{file_sha}
        /git/trees/{tree_sha} /git/commits/{commit_sha} /git/tags/{tag_sha} /git/ref/{ref}
        /git/matching-refs/{ref} /commits /commits/{ref} /commits/{commit_sha}/branches-where-head
        /branches /branches/{branch} /compare/{basehead}""",
    "issues": "/issues /issues/{issue_number} /issues/{issue_number}/reactions",
    "pulls": """
        /pulls /pulls/{pull_number}/files /pulls/{pull_number}/commits
        /pulls/{pull_number}/comments""",
    "actions": """
        /actions/runs /actions/runs/{run_id} /actions/runs/{run_id}/artifacts
        /actions/runs/{run_id}/attempts/{attempt_number}
        /actions/runs/{run_id}/attempts/{attempt_number}/jobs /actions/runs/{run_id}/jobs
        /actions/jobs/{job_id} /actions/workflows /actions/workflows/{workflow_id}
        /actions/workflows/{workflow_id}/runs""",
    "checks": """
        /check-runs/{check_run_id} /check-runs/{check_run_id}/annotations
        /check-suites/{check_suite_id} /check-suites/{check_suite_id}/check-runs
        /commits/{ref}/check-runs /commits/{ref}/check-suites""",
    "statuses": "/commits/{ref}/status /commits/{ref}/statuses",
    "deployments": """
        /deployments /deployments/{deployment_id} /deployments/{deployment_id}/statuses
        /deployments/{deployment_id}/statuses/{status_id}""",
    "itself": """
        /pulls/{pull_number} /issues/comments /issues/comments/{comment_id}
        /issues/{issue_number}/comments /issues/{issue_number}/labels /labels /labels/{name}
        /milestones /milestones/{milestone_number} /milestones/{milestone_number}/labels
        /assignees /tags /languages /contributors /license /topics""",
}


def test_the_permissions_are_githubs_own_table():
    assert len(ROWS) == 252
    assert {route: permissions for route, (permissions, _) in ROWS.items()} == PERMISSIONS


def test_exactly_the_routes_of_the_design_are_shared():
    expected = {label: name for name, labels in EXPECTED.items() for label in labels.split()} | {
        "": "itself"
    }
    assert {label: route.access_class for label, route in SHARED.items()} == expected


@pytest.mark.parametrize("label", sorted(SHARED))
def test_a_class_is_the_one_permission_that_opens_the_route(label):
    """A route under several permissions, or one that GitHub marks, is never of a class."""
    access_class = SHARED[label].access_class
    if access_class == "checks":
        assert label not in ROWS
        return
    row = "/contents/{path}" if label == "/contents" else label or "/"
    permissions, additional = ROWS[row]
    alone = CLASS_OF.get(permissions[0]) if len(permissions) == 1 and not additional else None
    assert access_class == (alone or "itself")


def test_what_shows_secrets_or_the_caller_is_never_shared():
    words = "hook|key|secret|variable|environment|ruleset|collaborator|traffic|alert|release"
    words += "|review|timeline|event|parent|sub_issue|dependenc|invitation|protection|runner|team"
    assert not [label for label in SHARED if re.search(words, label)]


ARGUMENTS = {"id": "7", "sha": "a" * 40, "path": "x:y/z", "own": "main...x/y", None: "seven"}


def example(route: Route) -> str:
    return re.sub(r"\{\w+(?::(\w+))?\}", lambda match: ARGUMENTS[match[1]], route.template)


@pytest.mark.parametrize("route", REPOSITORY_ROUTES, ids=lambda r: r.template)
def test_every_repository_route_is_found_by_its_own_path(route):
    made = plan(get(f"/repos/o/r{example(route)}"))
    assert made.route == f"GET /repos/{{owner}}/{{repo}}{route.label}"
    assert made.row is route.row
    assert (made.action == "bypass") == bool(route.past)
    assert (made.access is not None) == bool(route.access_class)
    alias = plan(get(f"/repositories/7{example(route)}"))
    assert (alias.route, alias.row, alias.access) == (made.route, made.row, None)


@pytest.mark.parametrize("route", ROOT_ROUTES, ids=lambda r: r.template)
def test_every_other_route_is_found_by_its_own_path(route):
    made = plan(get(example(route)))
    assert made.route == f"GET {route.label}"
    assert made.row is route.row
    assert made.access is None
    assert made.resource == route.resource


@pytest.mark.parametrize(
    ("target", "route"),
    [
        ("/issues/7/timeline", "{what}"),
        ("/issues/seven", "{what}"),
        ("/issues/7/sub_issues", "{what}"),
        ("/pulls/7/reviews", "{what}"),
        ("/pulls/comments/7", "{what}"),
        ("/releases", "{what}"),
        ("/compare/main...other:main", "compare/{basehead}"),
        ("/compare/main...other%3amain", "compare/{basehead}"),
        ("/branches/main/protection", "branches/{branch}"),
        ("/actions/runs/7/pending_deployments", "actions/runs/{run_id}/{what}"),
        ("/git/refs", "git/refs"),
        ("/", "{what}"),
    ],
)
def test_a_neighbour_of_a_shared_route_is_private(target, route):
    made = planned(f"/repos/o/r{target}")
    assert made.access is None
    assert made.route == f"GET /repos/{{owner}}/{{repo}}/{route}"


def test_digits_are_ascii():
    assert planned("/repos/o/r/issues/%D9%A3").access is None
    assert planned("/repos/o/r/issues/٣").access is None
