"""The root of a query."""

from __future__ import annotations

from gh_p2pcache.sim.answers import Call
from gh_p2pcache.sim.clock import iso
from gh_p2pcache.sim.graphql import introspection, issues, people, repositories
from gh_p2pcache.sim.graphql.walk import Arguments, FieldError, Object, connection
from gh_p2pcache.sim.ids import parse_node_id
from gh_p2pcache.sim.model import Gist
from gh_p2pcache.sim.rest.shapes import issue_node
from gh_p2pcache.sim.search import search_issues, search_repos


def query_root(call: Call) -> Object:
    """Return the root object of a query."""
    return {
        "__typename": "Query",
        "viewer": lambda _a: _viewer(call),
        "repository": lambda a: repositories.find(call, a["owner"], a["name"]),
        "repositoryOwner": lambda a: _owner(call, a["login"], ("User", "Organization")),
        "user": lambda a: _owner(call, a["login"], ("User",)),
        "organization": lambda a: _owner(call, a["login"], ("Organization",)),
        "search": lambda a: _search(call, a),
        "node": lambda a: node(call, a["id"]),
        "nodes": lambda a: [node(call, wanted) for wanted in a["ids"]],
        "rateLimit": {"limit": 5000, "cost": 1, "remaining": 4999, "used": 1},
        "__type": lambda a: introspection.type_named(call, a["name"]),
        "__schema": lambda _a: introspection.schema(call),
        "licenses": [{"key": "mit", "name": "MIT License", "spdxId": "MIT"}],
    }


def _viewer(call: Call) -> Object | None:
    me = people.viewer(call)
    if me is None:
        return None
    return me | {
        "gists": lambda _a: [_gist(g) for g in call.world.gists.values() if g.owner == call.login],
        "repositories": lambda a: _repos(call, call.login, a),
        "starredRepositories": lambda _a: [
            repositories.repository(call, call.world.repos[number])
            for number in call.world.stars.get(call.login, ())
        ],
    }


def _gist(gist: Gist) -> Object:
    return {
        "__typename": "Gist",
        "id": gist.id,
        "name": gist.id,
        "description": gist.description,
        "isPublic": gist.public,
        "updatedAt": iso(gist.updated_at),
        "files": [
            {"name": name, "text": text, "language": {"name": "Python"}}
            for name, text in gist.files.items()
        ],
    }


def _owner(call: Call, login: str, kinds: tuple[str, ...]) -> Object:
    found = people.actor(call, login)
    if found is None or found["__typename"] not in kinds:
        what = kinds[0] if len(kinds) == 1 else "RepositoryOwner"
        raise FieldError("NOT_FOUND", f"Could not resolve to a {what} with the login of '{login}'.")
    return found | {
        "repositories": lambda a: _repos(call, found["login"], a),
        "projectsV2": [],
        "teams": [],
    }


def _repos(call: Call, owner: str, arguments: Arguments) -> list[Object]:
    privacy = arguments.get("privacy")
    found = [
        repo
        for repo in call.world.repos.values()
        if repo.owner == owner
        and call.world.readable(call.token, repo)
        and privacy in (None, "PRIVATE" if repo.private else "PUBLIC")
    ]
    return [repositories.repository(call, repo) for repo in found]


def _search(call: Call, arguments: Arguments) -> list[Object] | Object:
    text, kind = str(arguments.get("query", "")), arguments.get("type")
    if kind == "REPOSITORY":
        return _counted(
            [repositories.repository(call, r) for r in search_repos(call, text)], kind, arguments
        )
    found = [issues.view(call, repo, issue) for repo, issue in search_issues(call, text)]
    return _counted(found, "ISSUE", arguments)


def _counted(items: list[Object], kind: str, arguments: Arguments) -> Object:
    """Return a search's page: a connection with a count by kind."""
    name = {"REPOSITORY": "repositoryCount"}.get(kind, "issueCount")
    return connection(items, arguments) | {name: len(items)}


def node(call: Call, wanted: str) -> Object:
    """Return the object with this node id; NOT_FOUND."""
    parsed = parse_node_id(wanted)
    missing = FieldError(
        "NOT_FOUND", f"Could not resolve to a node with the global id of '{wanted}'."
    )
    if parsed is None or not parsed[1]:
        raise missing
    prefix, parts = parsed
    if prefix in ("U", "O", "BOT"):
        account = next((a for a in call.world.accounts.values() if a.id == parts[0]), None)
        found = people.actor(call, account.login) if account else None
    else:
        repo = call.world.repos.get(int(parts[0]))
        if repo is None or not call.world.readable(call.token, repo):
            raise missing
        if prefix == "R":
            return repositories.repository(call, repo)
        issue = next((i for i in repo.issues.values() if issue_node(repo, i) == wanted), None)
        found = issues.view(call, repo, issue) if issue else None
    if found is None:
        raise missing
    return found
