"""Notifications, gists, events and search: what belongs to the caller."""

from __future__ import annotations

from gh_p2pcache.sim.answers import Answer, Call, created, error, invalid, no_content, ok, page
from gh_p2pcache.sim.clock import iso
from gh_p2pcache.sim.model import Gist
from gh_p2pcache.sim.rest import shapes
from gh_p2pcache.sim.rest.people import the_caller
from gh_p2pcache.sim.rest.router import route
from gh_p2pcache.sim.search import parse, search_issues, search_repos


@route("GET", "/notifications")
def list_notifications(call: Call) -> Answer:
    """List the caller's notifications; X-Poll-Interval says how often to ask."""
    login = the_caller(call).login
    found = []
    for value in call.world.notifications:
        repo = call.world.repos.get(value.repo)
        if value.user != login or repo is None:
            continue
        issue = repo.issues[value.issue]
        kind = "Issue" if issue.pull is None else "PullRequest"
        url = f"{shapes.repo_url(call, repo)}/{'issues' if issue.pull is None else 'pulls'}"
        found.append(
            {
                "id": str(value.id),
                "unread": value.unread,
                "reason": value.reason,
                "updated_at": iso(value.updated_at),
                "last_read_at": None,
                "subject": {
                    "title": issue.title,
                    "url": f"{url}/{issue.number}",
                    "latest_comment_url": f"{url}/{issue.number}",
                    "type": kind,
                },
                "repository": shapes.repository(call, repo),
                "url": f"{call.base}/notifications/threads/{value.id}",
            }
        )
    answer = page(call, found)
    answer.headers.append((b"x-poll-interval", b"60"))
    return answer


@route("PUT", "/notifications")
def mark_read(call: Call) -> Answer:
    """Mark everything as read."""
    for value in call.world.notifications:
        if value.user == the_caller(call).login:
            value.unread = False
    return no_content(205)


@route("GET", "/users/{login}/received_events")
def received_events(call: Call) -> Answer:
    """List what happened around somebody: nothing."""
    return page(call, [])


def gist(call: Call, value: Gist) -> shapes.Json:
    """Return a gist with its files."""
    url, html = f"{call.base}/gists/{value.id}", f"https://gist.github.com/{value.owner}/{value.id}"
    return {
        "url": url,
        "id": value.id,
        "node_id": f"G_{value.id}",
        "html_url": html,
        "files": {
            name: {
                "filename": name,
                "type": "text/plain",
                "language": "Python",
                "raw_url": f"{html}/raw/{name}",
                "size": len(text.encode()),
                "truncated": False,
                "content": text,
            }
            for name, text in value.files.items()
        },
        "public": value.public,
        "created_at": iso(value.created_at),
        "updated_at": iso(value.updated_at),
        "description": value.description,
        "comments": 0,
        "owner": shapes.user(call, value.owner),
    }


@route("GET", "/gists")
def list_gists(call: Call) -> Answer:
    """List the caller's gists."""
    login = the_caller(call).login
    return page(call, [gist(call, g) for g in call.world.gists.values() if g.owner == login])


@route("POST", "/gists")
def create_gist(call: Call) -> Answer:
    """Create a gist."""
    wanted = call.json()
    if not wanted.get("files"):
        raise invalid("Gist", "files")
    number, now = f"{call.world.new_id():032x}", int(call.now)
    files = {name: str(file["content"]) for name, file in wanted["files"].items()}
    text = str(wanted.get("description") or "")
    public = bool(wanted.get("public"))
    value = Gist(number, the_caller(call).login, text, public, files, now, now)
    call.world.gists[number] = value
    return created(gist(call, value), f"{call.base}/gists/{number}")


@route("GET", "/gists/{id}")
def get_gist(call: Call) -> Answer:
    """Return one gist."""
    found = call.world.gists.get(call.args["id"])
    if found is None or not (found.public or found.owner == call.login):
        raise error(404)
    return ok(gist(call, found), modified=found.updated_at)


@route("DELETE", "/gists/{id}")
def delete_gist(call: Call) -> Answer:
    """Remove a gist."""
    found = call.world.gists.get(call.args["id"])
    if found is None or found.owner != call.login:
        raise error(404)
    del call.world.gists[found.id]
    return no_content()


def _found(call: Call, items: list[shapes.Json]) -> Answer:
    """Return a page of a search: never validated, as recorded."""
    scored = [item | {"score": 1.0} for item in items]
    answer = page(call, scored, "items", incomplete_results=False)
    answer.etag = False
    answer.headers.insert(0, (b"cache-control", b"no-cache"))
    return answer


@route("GET", "/search/issues")
def find_issues(call: Call) -> Answer:
    """Search issues and pull requests."""
    found = search_issues(call, call.query.get("q", ""))
    return _found(call, [shapes.issue(call, repo, issue) for repo, issue in found])


@route("GET", "/search/repositories")
def find_repos(call: Call) -> Answer:
    """Search repositories."""
    found = search_repos(call, call.query.get("q", ""))
    return _found(call, [shapes.repository(call, repo) for repo in found])


@route("GET", "/search/code")
def find_code(call: Call) -> Answer:
    """Search files for words."""
    words, filters = parse(call.query.get("q", ""))
    wanted = {value for name, value in filters if name == "repo"}
    found: list[shapes.Json] = []
    for repo in call.world.repos.values():
        if repo.full_name not in wanted or not call.world.may(call.token, repo, "contents"):
            continue
        head = repo.git.commits[repo.git.refs[f"heads/{repo.default_branch}"]]
        for path, sha in repo.git.files(head.tree).items():
            text = repo.git.blobs[sha].decode("utf-8", "replace")
            if all(word in text for word in words):
                html = f"{call.site}/{repo.full_name}/blob/{head.sha}/{path}"
                match = {"object_type": "FileContent", "property": "content", "fragment": text}
                found.append(
                    {
                        "name": path.rpartition("/")[2],
                        "path": path,
                        "sha": sha,
                        "html_url": html,
                        "repository": shapes.repository(call, repo),
                        "text_matches": [match | {"matches": []}],
                    }
                )
    return _found(call, found)
