"""Mutations: each changes the world as the REST API does and returns what it changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gh_p2pcache.sim import changes
from gh_p2pcache.sim.answers import Call
from gh_p2pcache.sim.graphql import issues, pulls, repositories
from gh_p2pcache.sim.graphql.people import actor
from gh_p2pcache.sim.graphql.walk import FieldError, Object
from gh_p2pcache.sim.ids import node_id, parse_node_id
from gh_p2pcache.sim.model import Issue, Repo
from gh_p2pcache.sim.rest.shapes import issue_node

Input = dict[str, Any]
Mutation = Callable[[Call, Input], Object]


def mutation_root(call: Call) -> Object:
    """Return the root object of a mutation: a function of `input` for each that is known."""

    def field(mutation: Mutation) -> Callable[[dict[str, Any]], Object]:
        def run(arguments: dict[str, Any]) -> Object:
            wanted: Input = arguments["input"]
            return mutation(call, wanted) | {"clientMutationId": wanted.get("clientMutationId")}

        return run

    root: Object = {name: field(mutation) for name, mutation in MUTATIONS.items()}
    return root | {"__typename": "Mutation"}


def _missing(wanted: str) -> FieldError:
    return FieldError("NOT_FOUND", f"Could not resolve to a node with the global id of '{wanted}'.")


def _repo(call: Call, wanted: str, permission: str) -> Repo:
    """Return the repository of a node id, if the caller may change such things in it."""
    parsed = parse_node_id(wanted)
    repo = call.world.repos.get(int(parsed[1][0])) if parsed else None
    if repo is None or not call.world.readable(call.token, repo):
        raise _missing(wanted)
    if not call.world.may(call.token, repo, permission, write=True):
        kind = "integration" if call.token.kind == "installation" else "personal access token"
        raise FieldError("FORBIDDEN", f"Resource not accessible by {kind}")
    return repo


def _issue(call: Call, wanted: str) -> tuple[Repo, Issue]:
    """Return an issue or a pull request by its node id."""
    permission = "pulls" if wanted.startswith("PR_") else "issues"
    repo = _repo(call, wanted, permission)
    found = next((i for i in repo.issues.values() if issue_node(repo, i) == wanted), None)
    if found is None:
        raise _missing(wanted)
    return repo, found


def _labels(repo: Repo, ids: list[str]) -> list[str]:
    return [v.name for v in repo.labels.values() if node_id("LA", repo.id, v.id) in ids]


def _logins(call: Call, ids: list[str]) -> list[str]:
    found = [(account, actor(call, account.login)) for account in call.world.accounts.values()]
    return [account.login for account, shown in found if shown and shown["id"] in ids]


def _in_rest_words(call: Call, repo: Repo, wanted: Input) -> Input:
    """Return an input's fields as the REST API names them."""
    words = {name: wanted[name] for name in ("title", "body") if wanted.get(name) is not None}
    if wanted.get("labelIds"):
        words["labels"] = _labels(repo, wanted["labelIds"])
    if wanted.get("assigneeIds") is not None:
        words["assignees"] = _logins(call, wanted["assigneeIds"])
    if "milestoneId" in wanted:
        ids = {node_id("MI", repo.id, m.id): m.number for m in repo.milestones.values()}
        words["milestone"] = ids.get(wanted["milestoneId"])
    return words


def _create_issue(call: Call, wanted: Input) -> Object:
    repo = _repo(call, wanted["repositoryId"], "issues")
    issue = changes.new_issue(call.world, repo, call.by, wanted["title"], wanted.get("body"))
    changes.edit_issue(repo, issue, call.by, _in_rest_words(call, repo, wanted))
    return {"issue": issues.view(call, repo, issue)}


def _update_issue(call: Call, wanted: Input) -> Object:
    repo, issue = _issue(call, wanted["id"])
    words = _in_rest_words(call, repo, wanted)
    if wanted.get("state"):
        words["state"] = wanted["state"].lower()
    changes.edit_issue(repo, issue, call.by, words)
    return {"issue": issues.view(call, repo, issue)}


def _set_state(state: str, member: str, id_name: str) -> Mutation:
    def run(call: Call, wanted: Input) -> Object:
        repo, issue = _issue(call, wanted[id_name])
        reason = wanted.get("stateReason")
        changes.set_state(issue, call.by, state, reason.lower() if reason else None)
        return {member: issues.view(call, repo, issue)}

    return run


def _add_comment(call: Call, wanted: Input) -> Object:
    repo, issue = _issue(call, wanted["subjectId"])
    comment = changes.add_comment(call.world, issue, call.by, wanted["body"])
    shown = issues.comment(call, repo, issue, comment)
    return {
        "subject": issues.view(call, repo, issue),
        "commentEdge": {"node": shown},
        "timelineEdge": {"node": shown},
    }


def _update_comment(call: Call, wanted: Input) -> Object:
    repo = _repo(call, wanted["id"], "issues")
    for issue in repo.issues.values():
        for comment in issue.comments:
            if node_id("IC", repo.id, comment.id) == wanted["id"]:
                comment.body, comment.updated_at = wanted["body"], int(call.now)
                return {"issueComment": issues.comment(call, repo, issue, comment)}
    raise _missing(wanted["id"])


def _change_labels(*, add: bool) -> Mutation:
    def run(call: Call, wanted: Input) -> Object:
        repo, issue = _issue(call, wanted["labelableId"])
        named = _labels(repo, wanted["labelIds"])
        kept = [name for name in issue.labels if name not in named]
        words = {"labels": kept + named if add else kept}
        changes.edit_issue(repo, issue, call.by, words)
        return {"labelable": issues.view(call, repo, issue)}

    return run


def _change_assignees(*, add: bool) -> Mutation:
    def run(call: Call, wanted: Input) -> Object:
        repo, issue = _issue(call, wanted["assignableId"])
        named = _logins(call, wanted.get("assigneeIds") or [])
        kept = [login for login in issue.assignees if login not in named]
        words = {"assignees": kept + named if add else kept}
        changes.edit_issue(repo, issue, call.by, words)
        return {"assignable": issues.view(call, repo, issue)}

    return run


def _replace_assignees(call: Call, wanted: Input) -> Object:
    repo, issue = _issue(call, wanted["assignableId"])
    logins = wanted.get("actorLogins")
    if logins is None:
        logins = _logins(call, wanted.get("actorIds") or [])
    changes.edit_issue(repo, issue, call.by, {"assignees": logins})
    return {"assignable": issues.view(call, repo, issue)}


def _set_lock(*, locked: bool) -> Mutation:
    def run(call: Call, wanted: Input) -> Object:
        repo, issue = _issue(call, wanted["lockableId"])
        reason = wanted.get("lockReason")
        issue.locked, issue.lock_reason = locked, reason.lower() if reason else None
        return {
            "lockedRecord": issues.view(call, repo, issue),
            "unlockedRecord": issues.view(call, repo, issue),
        }

    return run


def _untouched(member: str, id_name: str) -> Mutation:
    """Accept a change that this GitHub doesn't keep (pins, for one)."""

    def run(call: Call, wanted: Input) -> Object:
        repo, issue = _issue(call, wanted[id_name])
        return {member: issues.view(call, repo, issue)}

    return run


def _delete_issue(call: Call, wanted: Input) -> Object:
    repo, issue = _issue(call, wanted["issueId"])
    del repo.issues[issue.number]
    return {"repository": repositories.repository(call, repo)}


def _create_pull(call: Call, wanted: Input) -> Object:
    repo = _repo(call, wanted["repositoryId"], "pulls")
    head = wanted["headRefName"].rpartition(":")[2]
    for branch in (head, wanted["baseRefName"]):
        if f"heads/{branch}" not in repo.git.refs:
            raise FieldError("UNPROCESSABLE", f"Head ref must be a branch ({branch})")
    words = wanted | {"head": head, "base": wanted["baseRefName"]}
    issue = changes.new_pull(call.world, repo, call.by, words)
    return {"pullRequest": issues.view(call, repo, issue)}


def _update_pull(call: Call, wanted: Input) -> Object:
    repo, issue = _issue(call, wanted["pullRequestId"])
    changes.edit_issue(repo, issue, call.by, _in_rest_words(call, repo, wanted))
    if issue.pull is not None:
        issue.pull.base = wanted.get("baseRefName") or issue.pull.base
    return {"pullRequest": issues.view(call, repo, issue)}


def _set_draft(*, draft: bool) -> Mutation:
    def run(call: Call, wanted: Input) -> Object:
        repo, issue = _issue(call, wanted["pullRequestId"])
        if issue.pull is not None:
            issue.pull.draft = draft
        issue.updated_at = int(call.now)
        return {"pullRequest": issues.view(call, repo, issue)}

    return run


def _merge_pull(call: Call, wanted: Input) -> Object:
    repo, issue = _issue(call, wanted["pullRequestId"])
    if issue.pull is None or issue.state == "closed" or issue.pull.draft:
        raise FieldError("UNPROCESSABLE", "Pull Request is not mergeable")
    changes.merge(call.world, repo, issue, call.by)
    return {"pullRequest": issues.view(call, repo, issue)}


def _add_review(call: Call, wanted: Input) -> Object:
    repo, issue = _issue(call, wanted["pullRequestId"])
    event, body = wanted.get("event", "COMMENT"), wanted.get("body") or ""
    review = changes.add_review(call.world, issue, call.by, event=event, body=body)
    return {"pullRequestReview": pulls.review_view(call, repo, issue, review)}


def _request_reviews(call: Call, wanted: Input) -> Object:
    repo, issue = _issue(call, wanted["pullRequestId"])
    logins = wanted.get("userLogins") or _logins(call, wanted.get("userIds") or [])
    if issue.pull is not None:
        kept = issue.pull.reviewers if wanted.get("union") else []
        issue.pull.reviewers = [*kept, *(login for login in logins if login not in kept)]
    issue.updated_at = int(call.now)
    return {"pullRequest": issues.view(call, repo, issue)}


def _star(*, on: bool) -> Mutation:
    def run(call: Call, wanted: Input) -> Object:
        parsed = parse_node_id(wanted["starrableId"])
        repo = call.world.repos.get(int(parsed[1][0])) if parsed else None
        if repo is None or not call.world.readable(call.token, repo):
            raise _missing(wanted["starrableId"])
        mine = call.world.stars.setdefault(call.token.login, [])
        if on != (repo.id in mine):
            (mine.append if on else mine.remove)(repo.id)
            repo.stars += 1 if on else -1
        return {"starrable": repositories.repository(call, repo)}

    return run


MUTATIONS: dict[str, Mutation] = {
    "createIssue": _create_issue,
    "updateIssue": _update_issue,
    "closeIssue": _set_state("closed", "issue", "issueId"),
    "reopenIssue": _set_state("open", "issue", "issueId"),
    "deleteIssue": _delete_issue,
    "pinIssue": _untouched("issue", "issueId"),
    "unpinIssue": _untouched("issue", "issueId"),
    "addComment": _add_comment,
    "updateIssueComment": _update_comment,
    "addLabelsToLabelable": _change_labels(add=True),
    "removeLabelsFromLabelable": _change_labels(add=False),
    "addAssigneesToAssignable": _change_assignees(add=True),
    "removeAssigneesFromAssignable": _change_assignees(add=False),
    "replaceActorsForAssignable": _replace_assignees,
    "lockLockable": _set_lock(locked=True),
    "unlockLockable": _set_lock(locked=False),
    "createPullRequest": _create_pull,
    "updatePullRequest": _update_pull,
    "closePullRequest": _set_state("closed", "pullRequest", "pullRequestId"),
    "reopenPullRequest": _set_state("open", "pullRequest", "pullRequestId"),
    "markPullRequestReadyForReview": _set_draft(draft=False),
    "convertPullRequestToDraft": _set_draft(draft=True),
    "mergePullRequest": _merge_pull,
    "addPullRequestReview": _add_review,
    "requestReviews": _request_reviews,
    "requestReviewsByLogin": _request_reviews,
    "addStar": _star(on=True),
    "removeStar": _star(on=False),
}
"""The mutations that gh sends, and what they do."""
