"""Users, organizations, the caller's own things, and the API's root."""

from __future__ import annotations

from gh_p2pcache.sim.answers import Answer, Call, error, no_content, ok, page
from gh_p2pcache.sim.clock import iso
from gh_p2pcache.sim.model import Account
from gh_p2pcache.sim.rest import shapes
from gh_p2pcache.sim.rest.router import route


def full_user(call: Call, account: Account) -> shapes.Json:
    """Return an account as its own URL has it."""
    repos = [r for r in call.world.repos.values() if r.owner == account.login and not r.private]
    return (shapes.user(call, account.login) or {}) | {
        "name": account.name,
        "company": None,
        "blog": "",
        "location": None,
        "email": account.email,
        "hireable": None,
        "bio": None,
        "twitter_username": None,
        "public_repos": len(repos),
        "public_gists": sum(gist.owner == account.login for gist in call.world.gists.values()),
        "followers": 0,
        "following": 0,
        "created_at": iso(account.created_at),
        "updated_at": iso(account.updated_at),
    }


def the_caller(call: Call) -> Account:
    """Return the caller's account; 401 without one, 403 for an installation."""
    if call.token.kind == "anonymous":
        raise error(401, "Requires authentication")
    if call.token.kind == "installation":
        raise error(403, "Resource not accessible by integration")
    account = call.world.account(call.token.login)
    assert account is not None
    return account


@route("GET", "/")
def root(call: Call) -> Answer:
    """Return the API's own links, a few of them."""
    names = ("user", "rate_limit", "emojis", "events", "feeds", "gists", "notifications")
    links = {f"{name.replace('user', 'current_user')}_url": f"{call.base}/{name}" for name in names}
    return ok(links | {"repository_url": f"{call.base}/repos/{{owner}}/{{repo}}"})


@route("GET", "/user")
def get_self(call: Call) -> Answer:
    """Return the caller."""
    account = the_caller(call)
    return ok(full_user(call, account), modified=account.updated_at)


@route("GET", "/user/repos")
def own_repos(call: Call) -> Answer:
    """List the repositories that the caller works on."""
    the_caller(call)
    repos = [repo for repo in call.world.repos.values() if call.token.classes(repo.full_name)]
    return page(call, [shapes.repository(call, repo) for repo in repos])


@route("GET", "/user/orgs")
def own_orgs(call: Call) -> Answer:
    """List the caller's organizations."""
    login = the_caller(call).login
    found = [org for org, logins in call.world.members.items() if login in logins]
    return page(call, [organization(call, org) for org in found])


@route("GET", "/user/starred/{owner}/{repo}")
def is_starred(call: Call) -> Answer:
    """Say by 204 or 404 whether the caller starred a repository."""
    repo = call.world.repo(call.args["owner"], call.args["repo"])
    if repo is None or repo.id not in call.world.stars.get(the_caller(call).login, ()):
        raise error(404)
    return no_content()


@route("PUT", "/user/starred/{owner}/{repo}")
def star(call: Call) -> Answer:
    """Star a repository."""
    repo = call.world.repo(call.args["owner"], call.args["repo"])
    if repo is None or not call.world.readable(call.token, repo):
        raise error(404)
    call.world.stars.setdefault(the_caller(call).login, []).append(repo.id)
    repo.stars += 1
    return no_content()


@route("GET", "/users/{login}")
def get_user(call: Call) -> Answer:
    """Return an account."""
    account = call.world.account(call.args["login"])
    if account is None:
        raise error(404)
    return ok(full_user(call, account), modified=account.updated_at)


@route("GET", "/users/{login}/repos")
def user_repos(call: Call) -> Answer:
    """List an account's repositories."""
    return _repos_of(call, call.args["login"])


@route("GET", "/orgs/{login}/repos")
def org_repos(call: Call) -> Answer:
    """List an organization's repositories."""
    return _repos_of(call, call.args["login"])


def _repos_of(call: Call, login: str) -> Answer:
    owner = call.world.account(login)
    if owner is None:
        raise error(404)
    repos = [
        repo
        for repo in call.world.repos.values()
        if repo.owner == owner.login and call.world.readable(call.token, repo)
    ]
    return page(call, [shapes.repository(call, repo) for repo in repos])


def organization(call: Call, login: str) -> shapes.Json:
    """Return the short form of an organization."""
    account = call.world.account(login)
    if account is None or account.kind != "Organization":
        raise error(404)
    url = f"{call.base}/orgs/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": shapes.user_node(account),
        "url": url,
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events",
        "hooks_url": f"{url}/hooks",
        "issues_url": f"{url}/issues",
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": f"https://avatars.githubusercontent.com/u/{account.id}?v=4",
        "description": account.name,
    }


@route("GET", "/orgs/{login}")
def get_org(call: Call) -> Answer:
    """Return an organization."""
    data = organization(call, call.args["login"])
    account = call.world.accounts[data["login"]]
    more = {"html_url": f"{call.site}/{account.login}", "type": "Organization"}
    return ok(data | {"name": account.name} | more, modified=account.updated_at)


@route("GET", "/orgs/{login}/members")
def org_members(call: Call) -> Answer:
    """List an organization's members."""
    logins = call.world.members.get(organization(call, call.args["login"])["login"], [])
    return page(call, [shapes.user(call, login) for login in logins])


@route("GET", "/zen")
def zen(call: Call) -> Answer:
    """Return a wise word in plain text."""
    del call
    text = b"text/plain;charset=utf-8"
    return Answer(body=b"Keep it logically awesome.", content_type=text, etag=False)


@route("GET", "/meta")
def meta(call: Call) -> Answer:
    """Return what GitHub says of itself; gh asks a GHES host for its version here."""
    data: shapes.Json = {"verifiable_password_authentication": False}
    if call.base.endswith("/api/v3"):
        data |= {"installed_version": "3.16.0"}
    return ok(data)
