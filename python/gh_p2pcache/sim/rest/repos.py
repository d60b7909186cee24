"""Repositories themselves."""

from __future__ import annotations

from gh_p2pcache.sim.answers import Answer, Call, no_content, ok, page
from gh_p2pcache.sim.rest import shapes
from gh_p2pcache.sim.rest.router import route


@route("GET", "=", "metadata")
def get_repo(call: Call) -> Answer:
    """Return a repository."""
    repo = call.the_repo
    return ok(shapes.full_repository(call, repo), modified=repo.updated_at)


@route("PATCH", "=", "administration")
def edit_repo(call: Call) -> Answer:
    """Change a repository; another name leaves a redirect behind."""
    repo, wanted = call.the_repo, call.json()
    name = str(wanted.get("name", repo.name))
    if name != repo.name:
        call.world.renamed[repo.full_name.lower()] = repo.id
        repo.name = name
    repo.description = wanted.get("description", repo.description)
    repo.homepage = wanted.get("homepage", repo.homepage)
    repo.private = bool(wanted.get("private", repo.private))
    repo.archived = bool(wanted.get("archived", repo.archived))
    repo.default_branch = str(wanted.get("default_branch", repo.default_branch))
    repo.updated_at = int(call.now)
    return ok(shapes.full_repository(call, repo))


@route("DELETE", "=", "administration")
def delete_repo(call: Call) -> Answer:
    """Remove a repository."""
    del call.world.repos[call.the_repo.id]
    return no_content()


@route("GET", "=/topics", "metadata")
def topics(call: Call) -> Answer:
    """List a repository's topics."""
    return ok({"names": call.the_repo.topics})


@route("PUT", "=/topics", "administration")
def set_topics(call: Call) -> Answer:
    """Replace a repository's topics."""
    call.the_repo.topics = [str(name) for name in call.json().get("names", [])]
    return ok({"names": call.the_repo.topics})


@route("GET", "=/languages", "metadata")
def languages(call: Call) -> Answer:
    """Return bytes a language."""
    language = call.the_repo.language
    return ok({language: 4242} if language else {})


@route("GET", "=/contributors", "metadata")
def contributors(call: Call) -> Answer:
    """List who contributed."""
    logins = call.world.members.get(call.the_repo.owner, [])
    return page(call, [(shapes.user(call, login) or {}) | {"contributions": 7} for login in logins])


@route("GET", "=/collaborators", "metadata")
def collaborators(call: Call) -> Answer:
    """List who may push."""
    logins = call.world.members.get(call.the_repo.owner, [])
    return page(call, [shapes.user(call, login) for login in logins])


@route("GET", "=/stargazers", "metadata")
def stargazers(call: Call) -> Answer:
    """List who starred the repository."""
    found = [login for login, ids in call.world.stars.items() if call.the_repo.id in ids]
    return page(call, [shapes.user(call, login) for login in found])


@route("GET", "=/stats/contributors", "metadata")
def statistics(call: Call) -> Answer:
    """Answer 202 while the figures are made, which takes one call as at GitHub."""
    repo, figures = call.the_repo, call.world.figures
    if repo.id not in figures:
        figures.add(repo.id)
        return Answer(202, data={}, etag=False, memo=False)
    logins = call.world.members.get(repo.owner, [])
    return ok([{"author": shapes.user(call, login), "total": 7, "weeks": []} for login in logins])
