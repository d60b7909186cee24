"""REST routes by their templates: freshness row, class of the repository, or past the cache.

A parameter is `{name}` (one segment), `{name:id}` (a number), `{name:sha}` (a full SHA-1),
`{name:path}` (anything, slashes too) or `{name:own}` (the same without a colon, which would lead
to another repository). The first route that matches counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from gh_p2pcache.policy.classes import ITSELF
from gh_p2pcache.policy.permissions import PERMISSIONS
from gh_p2pcache.policy.rows import (
    DEFAULT,
    IMMUTABLE,
    MOVED_BY_PUSH,
    NEVER,
    QUEUE,
    SEARCH,
    STATUS,
    Row,
)

CLASSES = {
    "contents": "contents",
    "issues": "issues",
    "pull_requests": "pulls",
    "actions": "actions",
    "statuses": "statuses",
    "deployments": "deployments",
}
"""Permissions that are a class of their own when they alone open a route."""

_PARAMETER = re.compile(r"\{\w+(?::(\w+))?\}")
_PATTERNS = {
    None: "[^/]+",
    "id": r"\d+",
    "sha": "[0-9a-f]{40}",
    "path": ".*",
    "own": "(?:(?!:|%3A).)+",
}


@dataclass(frozen=True)
class Route:
    """One template below `/repos/{owner}/{repo}`, or below the API root.

    `access_class` is set for the allow-list of `member` scope, all else is private. `past` says
    why answers are never kept. `paged` lists obey `page` and `per_page`. With `at_sha` the
    answer is immutable where `?ref=` is a full commit SHA.
    """

    template: str
    row: Row = DEFAULT
    access_class: str | None = None
    past: str = ""
    paged: bool = True
    at_sha: bool = False
    resource: str = "core"

    @cached_property
    def label(self) -> str:
        """The template as GitHub's documentation writes it."""
        return re.sub(r":\w+}", "}", self.template)

    @property
    def pattern(self) -> str:
        """The template as a regular expression without groups."""
        parts = _PARAMETER.split(self.template)
        return "".join(_PATTERNS[p] if n % 2 else re.escape(p or "") for n, p in enumerate(parts))


def permission_class(label: str) -> str:
    """Return the class that GitHub's permission data give a route; KeyError if it has no row.

    Check runs and suites are an App's permission and have no row there.
    """
    if label.startswith(("/check-", "/commits/{ref}/check-")):
        return "checks"
    permissions = PERMISSIONS[label or "/"]
    return CLASSES.get(permissions[0], ITSELF) if len(permissions) == 1 else ITSELF


def _shared(
    template: str, row: Row = DEFAULT, *, paged: bool = True, at_sha: bool = False
) -> Route:
    label = Route(template).label
    return Route(template, row, permission_class(label), paged=paged, at_sha=at_sha)


def _past(template: str, why: str) -> Route:
    return Route(template, NEVER, past=why)


REPOSITORY_ROUTES = (
    # past the cache: redirects to signed URLs, and bodies without bound
    _past("/actions/runs/{run_id:id}/logs", "log or archive"),
    _past("/actions/runs/{run_id:id}/attempts/{attempt_number:id}/logs", "log or archive"),
    _past("/actions/jobs/{job_id:id}/logs", "log or archive"),
    _past("/actions/artifacts/{artifact_id:id}/{archive_format}", "log or archive"),
    _past("/tarball", "log or archive"),
    _past("/tarball/{ref:path}", "log or archive"),
    _past("/zipball", "log or archive"),
    _past("/zipball/{ref:path}", "log or archive"),
    # contents
    _shared("/git/blobs/{file_sha:sha}", IMMUTABLE, paged=False),
    _shared("/git/trees/{tree_sha:sha}", IMMUTABLE, paged=False),
    _shared("/git/commits/{commit_sha:sha}", IMMUTABLE, paged=False),
    _shared("/git/tags/{tag_sha:sha}", IMMUTABLE, paged=False),
    _shared("/git/trees/{tree_sha}", MOVED_BY_PUSH, paged=False),
    _shared("/git/ref/{ref:path}", MOVED_BY_PUSH, paged=False),
    _shared("/git/matching-refs/{ref:path}", MOVED_BY_PUSH, paged=False),
    _shared("/contents/{path:path}", paged=False, at_sha=True),
    Route("/contents", access_class="contents", paged=False, at_sha=True),
    _shared("/readme", paged=False),
    _shared("/readme/{dir:path}", paged=False),
    _shared("/branches", MOVED_BY_PUSH),
    _shared("/branches/{branch}", MOVED_BY_PUSH, paged=False),
    _shared("/commits", MOVED_BY_PUSH),
    _shared("/commits/{ref:sha}"),
    _shared("/commits/{ref}", MOVED_BY_PUSH),
    _shared("/commits/{commit_sha}/branches-where-head", MOVED_BY_PUSH),
    _shared("/compare/{basehead:own}", MOVED_BY_PUSH),
    # issues
    _shared("/issues"),
    _shared("/issues/{issue_number:id}", paged=False),
    _shared("/issues/{issue_number:id}/reactions"),
    # pulls
    _shared("/pulls"),
    _shared("/pulls/{pull_number:id}/comments"),
    _shared("/pulls/{pull_number:id}/commits", MOVED_BY_PUSH),
    _shared("/pulls/{pull_number:id}/files"),
    # actions
    _shared("/actions/runs", STATUS),
    _shared("/actions/runs/{run_id:id}", STATUS, paged=False),
    _shared("/actions/runs/{run_id:id}/artifacts", STATUS),
    _shared("/actions/runs/{run_id:id}/attempts/{attempt_number:id}", STATUS, paged=False),
    _shared("/actions/runs/{run_id:id}/attempts/{attempt_number:id}/jobs", STATUS),
    _shared("/actions/runs/{run_id:id}/jobs", STATUS),
    _shared("/actions/jobs/{job_id:id}", STATUS, paged=False),
    _shared("/actions/workflows"),
    _shared("/actions/workflows/{workflow_id}", paged=False),
    _shared("/actions/workflows/{workflow_id}/runs", STATUS),
    # checks, statuses, deployments
    _shared("/check-runs/{check_run_id:id}", STATUS, paged=False),
    _shared("/check-runs/{check_run_id:id}/annotations", STATUS),
    _shared("/check-suites/{check_suite_id:id}", STATUS, paged=False),
    _shared("/check-suites/{check_suite_id:id}/check-runs", STATUS),
    _shared("/commits/{ref}/check-runs", STATUS),
    _shared("/commits/{ref}/check-suites", STATUS),
    _shared("/commits/{ref}/status", STATUS),
    _shared("/commits/{ref}/statuses", STATUS),
    _shared("/deployments", STATUS),
    _shared("/deployments/{deployment_id:id}", STATUS, paged=False),
    _shared("/deployments/{deployment_id:id}/statuses", STATUS),
    _shared("/deployments/{deployment_id:id}/statuses/{status_id:id}", STATUS, paged=False),
    # what several permissions or metadata alone open
    _shared("", paged=False),
    _shared("/pulls/{pull_number:id}", STATUS, paged=False),
    _shared("/issues/comments"),
    _shared("/issues/comments/{comment_id:id}", paged=False),
    _shared("/issues/{issue_number:id}/comments"),
    _shared("/issues/{issue_number:id}/labels"),
    _shared("/labels"),
    _shared("/labels/{name}", paged=False),
    _shared("/milestones"),
    _shared("/milestones/{milestone_number:id}", paged=False),
    _shared("/milestones/{milestone_number:id}/labels"),
    _shared("/assignees"),
    _shared("/tags", MOVED_BY_PUSH),
    _shared("/languages", paged=False),
    _shared("/contributors"),
    _shared("/license", paged=False),
    _shared("/topics", paged=False),
    # private, with a row of their own
    Route("/commits/{ref:path}", MOVED_BY_PUSH),
    Route("/branches/{branch:path}", MOVED_BY_PUSH),
    Route("/compare/{basehead:path}", MOVED_BY_PUSH),
    Route("/git/matching-refs", MOVED_BY_PUSH, paged=False),
    Route("/git/refs", MOVED_BY_PUSH),
    Route("/git/refs/{ref:path}", MOVED_BY_PUSH),
    Route("/actions/artifacts", STATUS),
    Route("/actions/runs/{run_id:id}/{what:path}", STATUS),
    Route("/check-suites/{what:path}", STATUS),
    Route("/statuses/{ref:path}", STATUS),
    Route("/pages/builds", STATUS),
    Route("/pages/{what:path}", STATUS),
    Route("/actions/runners", QUEUE),
    Route("/actions/runners/{what:path}", QUEUE),
    Route("/actions/concurrency_groups", QUEUE),
    Route("/actions/concurrency_groups/{concurrency_group_name}", QUEUE),
    Route("/dependency-graph/sbom", resource="dependency_sbom"),
    Route("/{what:path}"),
)

ROOT_ROUTES = (
    _past("/rate_limit", "rate_limit"),
    _past("/{owner}/migrations/{migration_id:id}/archive", "log or archive"),
    _past("/orgs/{org}/migrations/{migration_id:id}/archive", "log or archive"),
    Route("/search/code", SEARCH, resource="code_search"),
    Route("/search/{what}", SEARCH, resource="search"),
    Route("/{owners}/{owner}/actions/runners", QUEUE),
    Route("/{owners}/{owner}/actions/runners/{what:path}", QUEUE),
    Route("/{owners}/{owner}/actions/runner-groups", QUEUE),
    Route("/{owners}/{owner}/actions/runner-groups/{what:path}", QUEUE),
    Route("/{owners}/{owner}/actions/hosted-runners", QUEUE),
    Route("/{owners}/{owner}/actions/hosted-runners/{what:path}", QUEUE),
    Route("/{owners}/{owner}/audit-log", resource="audit_log"),
    Route("/user", paged=False),
    Route("/user/{what:path}"),
    Route("/users/{what:path}"),
    Route("/orgs/{what:path}"),
    Route("/enterprises/{what:path}"),
    Route("/gists"),
    Route("/gists/{what:path}"),
    Route("/notifications"),
    Route("/notifications/{what:path}"),
    Route("/installation/{what:path}"),
    Route("/app"),
    Route("/app/{what:path}"),
    Route("/{what:path}"),
)


class Table:
    """Routes by the first segment of their template, each group one alternation: 0.5 us.

    A group is compiled at its first use: all of them would take a start 8 ms.
    """

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._routes = routes
        self._heads = {_head(route.template) for route in routes}
        self._groups: dict[str, Group] = {}

    def find(self, path: str) -> Route:
        """Return the route of a path; the last one of a table takes what no other does."""
        head = path.split("/", 2)[1] if path else ""
        if head not in self._heads:
            head = ""
        group = self._groups.get(head)
        if group is None:
            group = self._groups[head] = _group(head, self._routes)
        match, routes = group
        found = match(path)
        return routes[found.lastindex - 1] if found and found.lastindex else routes[-1]


Group = tuple[Callable[[str], "re.Match[str] | None"], tuple[Route, ...]]


def _head(template: str) -> str:
    """Return the first segment of a template, nothing if that is a parameter."""
    head = template.split("/", 2)[1] if template else ""
    return "" if head.startswith("{") else head


def _group(head: str, routes: tuple[Route, ...]) -> Group:
    mine = tuple(route for route in routes if _head(route.template) in {head, ""})
    return re.compile("|".join(f"({r.pattern})" for r in mine), re.ASCII).fullmatch, mine


REPOSITORY_TABLE = Table(REPOSITORY_ROUTES)
ROOT_TABLE = Table(ROOT_ROUTES)
