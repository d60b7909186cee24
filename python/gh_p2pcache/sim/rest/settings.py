"""What only some may see of a repository: secrets, variables, hooks, keys, runners, rules."""

from __future__ import annotations

from typing import Any

from gh_p2pcache.sim.answers import Answer, Call, error, ok, page
from gh_p2pcache.sim.clock import iso
from gh_p2pcache.sim.rest import shapes
from gh_p2pcache.sim.rest.issues import the_issue
from gh_p2pcache.sim.rest.people import the_caller
from gh_p2pcache.sim.rest.router import route

WHEN = "2025-06-01T12:00:00Z"


@route("GET", "=/actions/secrets", "administration")
def list_secrets(call: Call) -> Answer:
    """List secrets by name."""
    return page(call, [{"name": "TOKEN", "created_at": WHEN, "updated_at": WHEN}], "secrets")


@route("GET", "=/actions/variables", "administration")
def list_variables(call: Call) -> Answer:
    """List variables."""
    value = {"name": "COLOUR", "value": "blue", "created_at": WHEN, "updated_at": WHEN}
    return page(call, [value], "variables")


@route("GET", "=/actions/caches", "actions")
def list_caches(call: Call) -> Answer:
    """List caches of GitHub Actions: there are none."""
    return page(call, [], "actions_caches")


@route("GET", "=/actions/runners", "administration")
def list_runners(call: Call) -> Answer:
    """List self-hosted runners."""
    runner = {"id": 1, "name": "runner-1", "os": "linux", "status": "online", "busy": False}
    return page(call, [runner | {"labels": []}], "runners")


@route("GET", "=/environments", "actions")
def list_environments(call: Call) -> Answer:
    """List environments."""
    url = f"{shapes.repo_url(call, call.the_repo)}/environments/production"
    return page(call, [{"id": 1, "name": "production", "url": url}], "environments")


@route("GET", "=/hooks", "administration")
@route("GET", "=/keys", "administration")
@route("GET", "=/autolinks", "administration")
def list_nothing(call: Call) -> Answer:
    """List hooks, deploy keys or autolinks: there are none."""
    return page(call, [])


@route("GET", "=/rulesets", "metadata")
@route("GET", "=/forks", "metadata")
@route("GET", "=/subscribers", "metadata")
@route("GET", "=/events", "metadata")
def list_none(call: Call) -> Answer:
    """List rule sets, forks, subscribers or events: there are none."""
    return page(call, [])


@route("GET", "=/traffic/views", "administration")
def traffic(call: Call) -> Answer:
    """Return how often the repository was looked at."""
    del call
    return ok({"count": 0, "uniques": 0, "views": []})


@route("GET", "=/collaborators/{login}/permission", "metadata")
def permission(call: Call) -> Answer:
    """Return what somebody may do."""
    shown = shapes.user(call, call.args["login"])
    if shown is None:
        raise error(404)
    inside = call.args["login"] in call.world.members.get(call.the_repo.owner, ())
    return ok({"permission": "admin" if inside else "read", "user": shown})


@route("GET", "=/issues/{number}/events", "issues")
def list_issue_events(call: Call) -> Answer:
    """List when an issue was closed."""
    return page(call, _events(call))


@route("GET", "=/issues/{number}/timeline", "issues")
def timeline(call: Call) -> Answer:
    """List comments and events of an issue in their order."""
    issue, repo = the_issue(call), call.the_repo
    comments = [
        shapes.comment(call, repo, issue, item) | {"event": "commented"} for item in issue.comments
    ]
    return page(call, comments + _events(call))


def _events(call: Call) -> list[dict[str, Any]]:
    issue = the_issue(call)
    if issue.closed_at is None:
        return []
    who, when = shapes.user(call, issue.closed_by), iso(issue.closed_at)
    return [{"id": issue.id, "event": "closed", "actor": who, "created_at": when}]


@route("GET", "/user/keys")
@route("GET", "/user/gpg_keys")
@route("GET", "/user/ssh_signing_keys")
def own_keys(call: Call) -> Answer:
    """List the caller's keys: there are none."""
    the_caller(call)
    return page(call, [])


@route("GET", "/installation/repositories")
def installation_repos(call: Call) -> Answer:
    """List what an installation's token reaches; 403 for other tokens."""
    if call.token.kind != "installation":
        raise error(403, "You must authenticate with an installation access token")
    world = call.world
    found = [repo for repo in world.repos.values() if call.token.classes(repo.full_name)]
    return page(call, [shapes.repository(call, repo) for repo in found], "repositories")
