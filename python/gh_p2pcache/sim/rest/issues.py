"""Issues, their comments, labels and milestones."""

from __future__ import annotations

from typing import Any

from gh_p2pcache.sim import changes
from gh_p2pcache.sim.answers import Answer, Call, created, error, invalid, no_content, ok, page
from gh_p2pcache.sim.model import Comment, Issue, Label
from gh_p2pcache.sim.rest import shapes
from gh_p2pcache.sim.rest.router import route


def the_issue(call: Call) -> Issue:
    """Return the issue or pull request that the path names; 404."""
    number = call.args["number"]
    found = call.the_repo.issues.get(int(number) if number.isdigit() else -1)
    if found is None:
        raise error(404)
    return found


def _chosen(call: Call) -> list[Issue]:
    query, issues = call.query, call.the_repo.issues.values()
    state = query.get("state", "open")
    labels = [name for name in query.get("labels", "").split(",") if name]

    def chosen(issue: Issue) -> bool:
        return (
            state in ("all", issue.state)
            and all(name in issue.labels for name in labels)
            and query.get("creator") in (None, issue.user)
            and query.get("assignee") in (None, "*", *issue.assignees)
            and query.get("milestone") in (None, "*", str(issue.milestone))
        )

    found = [issue for issue in issues if chosen(issue)]
    key = {"updated": "updated_at", "comments": "comments"}.get(query.get("sort", ""), "created_at")
    reverse = query.get("direction", "desc") != "asc"
    return sorted(found, key=lambda issue: (_sort_value(issue, key), issue.number), reverse=reverse)


def _sort_value(issue: Issue, key: str) -> int:
    value = getattr(issue, key)
    return len(value) if isinstance(value, list) else int(value)


@route("GET", "=/issues", "issues")
def list_issues(call: Call) -> Answer:
    """List issues and pull requests."""
    return page(call, [shapes.issue(call, call.the_repo, issue) for issue in _chosen(call)])


@route("POST", "=/issues", "issues")
def create_issue(call: Call) -> Answer:
    """Create an issue."""
    wanted = call.json()
    if not wanted.get("title"):
        raise invalid("Issue", "title")
    issue = changes.new_issue(
        call.world, call.the_repo, call.by, str(wanted["title"]), wanted.get("body")
    )
    changes.edit_issue(call.the_repo, issue, call.by, wanted)
    data = shapes.issue(call, call.the_repo, issue)
    return created(data, data["url"])


@route("GET", "=/issues/comments", "metadata")
def list_all_comments(call: Call) -> Answer:
    """List the comments of all issues."""
    repo = call.the_repo
    found = [(issue, item) for issue in repo.issues.values() for item in issue.comments]
    return page(call, [shapes.comment(call, repo, issue, item) for issue, item in found])


def _the_comment(call: Call) -> tuple[Issue, Comment]:
    for issue in call.the_repo.issues.values():
        for item in issue.comments:
            if str(item.id) == call.args["comment"]:
                return issue, item
    raise error(404)


@route("GET", "=/issues/comments/{comment}", "metadata")
def get_comment(call: Call) -> Answer:
    """Return one comment."""
    issue, item = _the_comment(call)
    return ok(shapes.comment(call, call.the_repo, issue, item), modified=item.updated_at)


@route("PATCH", "=/issues/comments/{comment}", "issues")
def edit_comment(call: Call) -> Answer:
    """Change a comment's text."""
    issue, item = _the_comment(call)
    item.body, item.updated_at = str(call.json().get("body", "")), int(call.now)
    return ok(shapes.comment(call, call.the_repo, issue, item))


@route("DELETE", "=/issues/comments/{comment}", "issues")
def delete_comment(call: Call) -> Answer:
    """Remove a comment."""
    issue, item = _the_comment(call)
    issue.comments.remove(item)
    return no_content()


@route("GET", "=/issues/{number}", "issues")
def get_issue(call: Call) -> Answer:
    """Return one issue."""
    issue = the_issue(call)
    return ok(shapes.issue(call, call.the_repo, issue), modified=issue.updated_at)


@route("PATCH", "=/issues/{number}", "issues")
def edit_issue(call: Call) -> Answer:
    """Change an issue: title, body, state, labels, assignees, milestone."""
    issue = the_issue(call)
    changes.edit_issue(call.the_repo, issue, call.by, call.json())
    return ok(shapes.issue(call, call.the_repo, issue))


@route("GET", "=/issues/{number}/comments", "metadata")
def list_comments(call: Call) -> Answer:
    """List an issue's comments."""
    issue = the_issue(call)
    return page(call, [shapes.comment(call, call.the_repo, issue, item) for item in issue.comments])


@route("POST", "=/issues/{number}/comments", "issues")
def add_comment(call: Call) -> Answer:
    """Add a comment."""
    issue, text = the_issue(call), call.json().get("body")
    if not text:
        raise invalid("IssueComment", "body")
    item = changes.add_comment(call.world, issue, call.by, str(text))
    data = shapes.comment(call, call.the_repo, issue, item)
    return created(data, data["url"])


@route("PUT", "=/issues/{number}/lock", "issues")
def lock(call: Call) -> Answer:
    """Lock the conversation."""
    issue = the_issue(call)
    issue.locked, issue.lock_reason = True, call.json().get("lock_reason")
    return no_content()


@route("DELETE", "=/issues/{number}/lock", "issues")
def unlock(call: Call) -> Answer:
    """Unlock the conversation."""
    issue = the_issue(call)
    issue.locked, issue.lock_reason = False, None
    return no_content()


@route("GET", "=/issues/{number}/labels", "metadata")
def issue_labels(call: Call) -> Answer:
    """List an issue's labels."""
    repo = call.the_repo
    return page(call, [shapes.label(call, repo, repo.labels[x]) for x in the_issue(call).labels])


@route("POST", "=/issues/{number}/labels", "issues")
def add_labels(call: Call) -> Answer:
    """Add labels to an issue."""
    issue = the_issue(call)
    wanted: list[Any] = call.json().get("labels", [])
    names = issue.labels + [name for name in wanted if name not in issue.labels]
    changes.edit_issue(call.the_repo, issue, call.by, {"labels": names})
    return ok([shapes.label(call, call.the_repo, call.the_repo.labels[x]) for x in issue.labels])


@route("DELETE", "=/issues/{number}/labels/{name}", "issues")
def remove_label(call: Call) -> Answer:
    """Take a label off an issue."""
    issue = the_issue(call)
    if call.args["name"] not in issue.labels:
        raise error(404, "Label does not exist")
    issue.labels.remove(call.args["name"])
    issue.updated_at = int(call.now)
    return ok([shapes.label(call, call.the_repo, call.the_repo.labels[x]) for x in issue.labels])


@route("GET", "=/labels", "metadata")
def list_labels(call: Call) -> Answer:
    """List the repository's labels."""
    repo = call.the_repo
    return page(call, [shapes.label(call, repo, value) for value in repo.labels.values()])


def _the_label(call: Call) -> Label:
    found = call.the_repo.labels.get(call.args["name"])
    if found is None:
        raise error(404)
    return found


@route("POST", "=/labels", "issues")
def create_label(call: Call) -> Answer:
    """Create a label."""
    repo, wanted = call.the_repo, call.json()
    name = wanted.get("name")
    if not name:
        raise invalid("Label", "name")
    if name in repo.labels:
        raise invalid("Label", "name", "already_exists")
    color = wanted.get("color", "ededed")
    repo.labels[name] = Label(call.world.new_id(), name, color, wanted.get("description"))
    data = shapes.label(call, repo, repo.labels[name])
    return created(data, data["url"])


@route("GET", "=/labels/{name}", "metadata")
def get_label(call: Call) -> Answer:
    """Return one label."""
    return ok(shapes.label(call, call.the_repo, _the_label(call)))


@route("PATCH", "=/labels/{name}", "issues")
def edit_label(call: Call) -> Answer:
    """Change or rename a label."""
    repo, value, wanted = call.the_repo, _the_label(call), call.json()
    changes.rename_label(repo, value, str(wanted.get("new_name", value.name)))
    value.color = wanted.get("color", value.color)
    value.description = wanted.get("description", value.description)
    return ok(shapes.label(call, repo, value))


@route("DELETE", "=/labels/{name}", "issues")
def delete_label(call: Call) -> Answer:
    """Remove a label, from all issues too."""
    changes.delete_label(call.the_repo, _the_label(call))
    return no_content()


@route("GET", "=/milestones", "metadata")
def list_milestones(call: Call) -> Answer:
    """List the repository's milestones."""
    repo, state = call.the_repo, call.query.get("state", "open")
    found = [m for m in repo.milestones.values() if state in ("all", m.state)]
    return page(call, [shapes.milestone(call, repo, value) for value in found])


@route("GET", "=/milestones/{number}", "metadata")
def get_milestone(call: Call) -> Answer:
    """Return one milestone."""
    number = call.args["number"]
    found = call.the_repo.milestones.get(int(number) if number.isdigit() else -1)
    if found is None:
        raise error(404)
    return ok(shapes.milestone(call, call.the_repo, found), modified=found.created_at)


@route("GET", "=/assignees", "metadata")
def list_assignees(call: Call) -> Answer:
    """List who may be assigned."""
    logins = call.world.members.get(call.the_repo.owner, [])
    return page(call, [shapes.user(call, login) for login in logins])
