"""Changes that REST and GraphQL make in the same way. Times are unix seconds."""

from __future__ import annotations

from typing import Any

from gh_p2pcache.sim.model import Comment, Issue, Label, Repo
from gh_p2pcache.sim.world import World


def new_issue(
    world: World, repo: Repo, login: str, now: float, title: str, body: str | None
) -> Issue:
    """Open an issue."""
    number = max(repo.issues, default=0) + 1
    issue = Issue(world.new_id(), number, title, body, login, int(now), int(now))
    repo.issues[number] = issue
    return issue


def edit_issue(repo: Repo, issue: Issue, login: str, now: float, wanted: dict[str, Any]) -> None:
    """Change what `wanted` names, in the REST API's words; labels that are new are made."""
    issue.title = wanted.get("title") or issue.title
    issue.body = wanted.get("body", issue.body)
    issue.milestone = wanted.get("milestone", issue.milestone)
    issue.assignees = list(wanted.get("assignees", issue.assignees))
    if "labels" in wanted:
        names = [name["name"] if isinstance(name, dict) else str(name) for name in wanted["labels"]]
        for name in names:
            number = 900_000 + len(repo.labels)
            repo.labels.setdefault(name, Label(number, name, "ededed"))
        issue.labels = names
    if wanted.get("state") in ("open", "closed") and wanted["state"] != issue.state:
        set_state(issue, login, now, wanted["state"], wanted.get("state_reason"))
    issue.updated_at = int(now)


def set_state(issue: Issue, login: str, now: float, state: str, reason: str | None = None) -> None:
    """Close or reopen an issue or a pull request."""
    closed = state == "closed"
    issue.state = state
    issue.closed_at, issue.closed_by = (int(now), login) if closed else (None, None)
    if issue.pull is None:
        issue.state_reason = (reason or "completed") if closed else "reopened"
    issue.updated_at = int(now)


def add_comment(world: World, issue: Issue, login: str, now: float, text: str) -> Comment:
    """Comment on an issue or a pull request."""
    comment = Comment(world.new_id(), login, text, int(now), int(now))
    issue.comments.append(comment)
    issue.updated_at = int(now)
    return comment


def rename_label(repo: Repo, label: Label, name: str) -> None:
    """Give a label another name, on its issues too."""
    former = label.name
    label.name = name
    repo.labels = {value.name: value for value in repo.labels.values()}
    for issue in repo.issues.values():
        issue.labels = [name if item == former else item for item in issue.labels]


def delete_label(repo: Repo, label: Label) -> None:
    """Remove a label, from its issues too."""
    del repo.labels[label.name]
    for issue in repo.issues.values():
        issue.labels = [item for item in issue.labels if item != label.name]
