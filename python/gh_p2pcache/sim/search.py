"""The search language, as far as gh writes it: words and `name:value` filters."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from gh_p2pcache.sim.answers import Call
from gh_p2pcache.sim.model import Issue, Repo

IssueTest = Callable[[Call, Repo, Issue, str], bool]


def parse(text: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Return (words, filters) of a query; quotes keep words together, brackets mean nothing."""
    try:
        parts = shlex.split(text)
    except ValueError:
        parts = text.split()
    words = [part for part in parts if ":" not in part and part not in ("(", ")")]
    filters = [part.partition(":") for part in parts if ":" in part]
    return words, [(name, value) for name, _, value in filters]


def _is(call: Call, repo: Repo, issue: Issue, value: str) -> bool:
    del call
    merged = issue.pull is not None and issue.pull.merged_at is not None
    return {
        "issue": issue.pull is None,
        "pr": issue.pull is not None,
        "open": issue.state == "open",
        "closed": issue.state == "closed",
        "merged": merged,
        "unmerged": issue.pull is not None and not merged,
        "public": not repo.private,
        "private": repo.private,
        "draft": issue.pull is not None and issue.pull.draft,
    }.get(value, True)


def _person(call: Call, value: str) -> str:
    return call.token.login if value == "@me" else value


_FILTERS: dict[str, IssueTest] = {
    "is": _is,
    "type": _is,
    "state": _is,
    "repo": lambda _c, repo, _i, value: repo.full_name.lower() == value.lower(),
    "org": lambda _c, repo, _i, value: repo.owner == value,
    "user": lambda _c, repo, _i, value: repo.owner == value,
    "author": lambda call, _r, issue, value: issue.user == _person(call, value),
    "assignee": lambda call, _r, issue, value: _person(call, value) in issue.assignees,
    "label": lambda _c, _r, issue, value: value in issue.labels,
    "milestone": lambda _c, repo, issue, value: (
        issue.milestone is not None and repo.milestones[issue.milestone].title == value
    ),
    "mentions": lambda call, _r, issue, value: (
        f"@{_person(call, value)}" in "".join([issue.body or "", *(c.body for c in issue.comments)])
    ),
    "involves": lambda call, _r, issue, value: (
        _person(call, value) in [issue.user, *issue.assignees]
    ),
    "review-requested": lambda call, _r, issue, value: (
        issue.pull is not None and _person(call, value) in issue.pull.reviewers
    ),
    "user-review-requested": lambda call, _r, issue, value: (
        issue.pull is not None and _person(call, value) in issue.pull.reviewers
    ),
    "head": lambda _c, _r, issue, value: issue.pull is not None and issue.pull.head == value,
    "base": lambda _c, _r, issue, value: issue.pull is not None and issue.pull.base == value,
    "draft": lambda _c, _r, issue, value: (
        issue.pull is not None and issue.pull.draft == (value == "true")
    ),
}


def search_issues(call: Call, text: str) -> list[tuple[Repo, Issue]]:
    """Return what a query finds among issues and pull requests the caller may read."""
    words, filters = parse(text)

    def found(repo: Repo, issue: Issue) -> bool:
        if not call.world.may(call.token, repo, "pulls" if issue.pull else "issues"):
            return False
        content = f"{issue.title}\n{issue.body}".lower()
        return all(word.lower() in content for word in words) and all(
            _matches(call, repo, issue, name, value) for name, value in filters
        )

    hits = [(repo, issue) for repo, issue in call.world.issues() if found(repo, issue)]
    return sorted(hits, key=lambda hit: (-hit[1].created_at, -hit[1].number))


def _matches(call: Call, repo: Repo, issue: Issue, name: str, value: str) -> bool:
    test = _FILTERS.get(name.lstrip("-"))
    if test is None:
        return True
    return test(call, repo, issue, value) != name.startswith("-")


def search_repos(call: Call, text: str) -> list[Repo]:
    """Return what a query finds among the repositories the caller may read."""
    words, filters = parse(text)
    owners = {value for name, value in filters if name in ("user", "org", "owner")}
    return [
        repo
        for repo in call.world.repos.values()
        if call.world.readable(call.token, repo)
        and all(word.lower() in f"{repo.full_name} {repo.description}".lower() for word in words)
        and (not owners or repo.owner in owners)
    ]
