"""Issues and pull requests as GraphQL objects."""

from __future__ import annotations

from gh_p2pcache.sim.answers import Call
from gh_p2pcache.sim.clock import iso
from gh_p2pcache.sim.graphql import checks, objects, pulls, repositories
from gh_p2pcache.sim.graphql.people import actor
from gh_p2pcache.sim.graphql.walk import Arguments, Object
from gh_p2pcache.sim.ids import node_id
from gh_p2pcache.sim.model import Comment, Issue, Repo
from gh_p2pcache.sim.rest.shapes import association, issue_node

REACTIONS = (
    "THUMBS_UP",
    "THUMBS_DOWN",
    "LAUGH",
    "HOORAY",
    "CONFUSED",
    "HEART",
    "ROCKET",
    "EYES",
)


def view(call: Call, repo: Repo, issue: Issue) -> Object:
    """Return an issue or a pull request."""
    shown = _common(call, repo, issue)
    if issue.pull is not None:
        return shown | pulls.own_fields(call, repo, issue, issue.pull)
    return shown | {
        "__typename": "Issue",
        "state": issue.state.upper(),
        "stateReason": issue.state_reason.upper() if issue.state_reason else None,
        "isPinned": False,
        "pinnedItem": None,
        "issueType": None,
        "parent": None,
        "subIssues": [],
        "subIssuesSummary": {"total": 0, "completed": 0, "percentCompleted": 0},
        "blockedBy": [],
        "blocking": [],
        "closedByPullRequestsReferences": [],
        "linkedBranches": [],
    }


def _common(call: Call, repo: Repo, issue: Issue) -> Object:
    kind = "issues" if issue.pull is None else "pull"
    mile = repo.milestones.get(issue.milestone or 0)
    return {
        "id": issue_node(repo, issue),
        "databaseId": issue.id,
        "fullDatabaseId": str(issue.id),
        "number": issue.number,
        "title": issue.title,
        "body": issue.body or "",
        "bodyText": issue.body or "",
        "url": f"{call.site}/{repo.full_name}/{kind}/{issue.number}",
        "resourcePath": f"/{repo.full_name}/{kind}/{issue.number}",
        "author": actor(call, issue.user),
        "authorAssociation": association(call, repo, issue.user),
        "viewerDidAuthor": issue.user == call.token.login,
        "viewerCanUpdate": call.world.may(call.token, repo, "issues", write=True),
        "createdAt": iso(issue.created_at),
        "updatedAt": iso(issue.updated_at),
        "closedAt": iso(issue.closed_at),
        "closed": issue.state == "closed",
        "locked": issue.locked,
        "activeLockReason": issue.lock_reason,
        "labels": [objects.label(repo, repo.labels[name]) for name in issue.labels],
        "assignees": [actor(call, login) for login in issue.assignees],
        "assignedActors": [actor(call, login) for login in issue.assignees],
        "participants": [actor(call, login) for login in sorted({issue.user, *issue.assignees})],
        "milestone": repositories.milestone(call, repo, mile) if mile else None,
        "comments": lambda _a: [comment(call, repo, issue, item) for item in issue.comments],
        "reactionGroups": reaction_groups(),
        "projectCards": [],
        "projectItems": [],
        "timelineItems": [],
        "repository": lambda _a: repositories.repository(call, repo),
    }


def reaction_groups() -> list[Object]:
    """Return reactions without any."""
    return [{"content": kind, "users": {"totalCount": 0}} for kind in REACTIONS]


def comment(call: Call, repo: Repo, on: Issue, value: Comment) -> Object:
    """Return a comment."""
    kind = "issues" if on.pull is None else "pull"
    return {
        "__typename": "IssueComment",
        "id": node_id("IC", repo.id, value.id),
        "databaseId": value.id,
        "author": actor(call, value.user),
        "authorAssociation": association(call, repo, value.user),
        "body": value.body,
        "createdAt": iso(value.created_at),
        "updatedAt": iso(value.updated_at),
        "includesCreatedEdit": value.created_at != value.updated_at,
        "isMinimized": False,
        "minimizedReason": None,
        "reactionGroups": reaction_groups(),
        "url": f"{call.site}/{repo.full_name}/{kind}/{on.number}#issuecomment-{value.id}",
        "viewerDidAuthor": value.user == call.token.login,
    }


def state_of(issue: Issue) -> str:
    """Return OPEN, CLOSED or MERGED."""
    if issue.pull is not None and issue.pull.merged_at is not None:
        return "MERGED"
    return issue.state.upper()


def listed(call: Call, repo: Repo, arguments: Arguments, *, pulls: bool) -> list[Object]:
    """Return the issues or the pull requests that the arguments choose, the newest first."""
    if not call.world.may(call.token, repo, "pulls" if pulls else "issues"):
        return []
    by = arguments.get("filterBy") or {}
    states = by.get("states") or arguments.get("states") or ("OPEN", "CLOSED", "MERGED")
    labels = by.get("labels") or arguments.get("labels") or []
    people = (by.get("assignee"), by.get("createdBy"), by.get("mentioned"))
    head, base = arguments.get("headRefName"), arguments.get("baseRefName")

    def chosen(issue: Issue) -> bool:
        pull = issue.pull
        assignee, author, mentioned = people
        return (
            (pull is not None) == pulls
            and state_of(issue) in states
            and all(name in issue.labels for name in labels)
            and (assignee is None or assignee in issue.assignees)
            and author in (None, issue.user)
            and (mentioned is None or f"@{mentioned}" in (issue.body or ""))
            and (pull is None or (head in (None, pull.head) and base in (None, pull.base)))
        )

    found = [issue for issue in repo.issues.values() if chosen(issue)]
    order = arguments.get("orderBy") or {}
    key = "updated_at" if order.get("field") == "UPDATED_AT" else "created_at"
    newest_first = order.get("direction", "DESC") == "DESC"
    found.sort(key=lambda issue: (getattr(issue, key), issue.number), reverse=newest_first)
    return [view(call, repo, issue) for issue in found]


__all__ = ["checks", "comment", "listed", "reaction_groups", "state_of", "view"]
