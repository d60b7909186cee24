"""Repositories, their labels, milestones, refs and releases as GraphQL objects."""

from __future__ import annotations

from gh_p2pcache.sim.answers import Call
from gh_p2pcache.sim.clock import iso
from gh_p2pcache.sim.graphql import issues, objects
from gh_p2pcache.sim.graphql.people import actor
from gh_p2pcache.sim.graphql.walk import Arguments, FieldError, Object
from gh_p2pcache.sim.ids import node_id
from gh_p2pcache.sim.model import Issue, Milestone, Release, Repo
from gh_p2pcache.sim.rest.shapes import LICENSES, permissions


def find(call: Call, owner: str, name: str) -> Object:
    """Return the repository of this name; NOT_FOUND with GitHub's message."""
    repo = call.world.find_repo(owner, name)
    if repo is None or not call.world.readable(call.token, repo):
        text = f"Could not resolve to a Repository with the name '{owner}/{name}'."
        raise FieldError("NOT_FOUND", text)
    return repository(call, repo)


def guarded(call: Call, repo: Repo, permission: str) -> None:
    """Raise FORBIDDEN unless the caller has a permission of the repository."""
    if not call.world.may(call.token, repo, permission):
        kind = "integration" if call.token.kind == "installation" else "personal access token"
        raise FieldError("FORBIDDEN", f"Resource not accessible by {kind}")


def viewer_permission(call: Call, repo: Repo) -> str:
    """Return ADMIN, WRITE or READ."""
    rights = permissions(call, repo)
    return "ADMIN" if rights["admin"] else "WRITE" if rights["push"] else "READ"


def repository(call: Call, repo: Repo) -> Object:
    """Return a repository; what lies in it is looked up when it is asked for."""
    rights = permissions(call, repo)
    return (
        _plain(call, repo)
        | _inside(call, repo)
        | {
            "viewerPermission": viewer_permission(call, repo),
            "viewerCanAdminister": rights["admin"],
            "viewerDefaultCommitEmail": f"{call.token.login}@users.noreply.github.com",
            "viewerDefaultMergeMethod": "MERGE",
            "viewerPossibleCommitEmails": [],
            "viewerHasStarred": repo.id in call.world.stars.get(call.token.login, ()),
            "viewerSubscription": "SUBSCRIBED",
            "viewerCanCreateProjects": rights["push"],
            "viewerCanSubscribe": True,
        }
    )


def _plain(call: Call, repo: Repo) -> Object:
    host = call.site.removeprefix("https://")
    html = f"{call.site}/{repo.full_name}"
    language = {"__typename": "Language", "name": repo.language} if repo.language else None
    return {
        "__typename": "Repository",
        "id": node_id("R", repo.id),
        "databaseId": repo.id,
        "name": repo.name,
        "nameWithOwner": repo.full_name,
        "owner": actor(call, repo.owner),
        "description": repo.description,
        "homepageUrl": repo.homepage,
        "url": html,
        "resourcePath": f"/{repo.full_name}",
        "sshUrl": f"git@{host}:{repo.full_name}.git",
        "mirrorUrl": None,
        "isPrivate": repo.private,
        "visibility": "PRIVATE" if repo.private else "PUBLIC",
        "isArchived": repo.archived,
        "isDisabled": False,
        "isEmpty": False,
        "isFork": False,
        "isInOrganization": True,
        "isLocked": False,
        "isMirror": False,
        "isTemplate": False,
        "isSecurityPolicyEnabled": False,
        "isBlankIssuesEnabled": True,
        "isUserConfigurationRepository": False,
        "hasIssuesEnabled": True,
        "hasProjectsEnabled": True,
        "hasWikiEnabled": True,
        "hasDiscussionsEnabled": False,
        "hasSponsorshipsEnabled": False,
        "stargazerCount": repo.stars,
        "forkCount": 0,
        "diskUsage": 108,
        "usesCustomOpenGraphImage": False,
        "openGraphImageUrl": f"https://opengraph.githubassets.com/1/{repo.full_name}",
        "createdAt": iso(repo.created_at),
        "updatedAt": iso(repo.updated_at),
        "pushedAt": iso(repo.pushed_at),
        "primaryLanguage": language,
        "languages": [language] if language else [],
        "licenseInfo": _license(repo),
        "repositoryTopics": [{"topic": {"name": name}} for name in repo.topics],
        "mergeCommitAllowed": True,
        "rebaseMergeAllowed": True,
        "squashMergeAllowed": True,
        "autoMergeAllowed": False,
        "deleteBranchOnMerge": False,
        "parent": None,
        "templateRepository": None,
        "codeOfConduct": None,
        "contactLinks": [],
        "fundingLinks": [],
        "issueTemplates": [],
        "pullRequestTemplates": [],
        "securityPolicyUrl": None,
        "forks": [],
        "watchers": [None],
        "submodules": [],
        "projects": [],
        "projectsV2": [],
        "issueTypes": [],
    }


def _license(repo: Repo) -> Object | None:
    if repo.license is None:
        return None
    name, spdx = LICENSES[repo.license]
    return {"key": repo.license, "name": name, "nickname": "", "spdxId": spdx}


def _inside(call: Call, repo: Repo) -> Object:
    people = call.world.members.get(repo.owner, [])
    return {
        "issue": lambda a: _issue(call, repo, a, kinds=("issue",)),
        "pullRequest": lambda a: _issue(call, repo, a, kinds=("pull request",)),
        "issueOrPullRequest": lambda a: _issue(call, repo, a, kinds=("issue", "pull request")),
        "issues": lambda a: issues.listed(call, repo, a, pulls=False),
        "pullRequests": lambda a: issues.listed(call, repo, a, pulls=True),
        "labels": lambda a: _labels(repo, a),
        "label": lambda a: (
            objects.label(repo, repo.labels[a["name"]]) if a["name"] in repo.labels else None
        ),
        "milestones": lambda a: _milestones(call, repo, a),
        "milestone": lambda a: (
            milestone(call, repo, repo.milestones[a["number"]])
            if a["number"] in repo.milestones
            else None
        ),
        "assignableUsers": lambda _a: [actor(call, login) for login in people],
        "mentionableUsers": lambda _a: [actor(call, login) for login in people],
        "suggestedActors": lambda _a: [actor(call, login) for login in people],
        "defaultBranchRef": lambda _a: objects.ref(call, repo, f"heads/{repo.default_branch}"),
        "ref": lambda a: objects.ref(call, repo, a["qualifiedName"].removeprefix("refs/")),
        "refs": lambda a: _refs(call, repo, a),
        "object": lambda a: objects.git_object(call, repo, a),
        "releases": lambda _a: _releases(call, repo),
        "release": lambda a: _release(call, repo, a["tagName"]),
        "latestRelease": lambda _a: _latest(call, repo),
        "branchProtectionRules": [],
        "stargazers": lambda _a: [
            actor(call, login) for login, ids in call.world.stars.items() if repo.id in ids
        ],
    }


def _issue(call: Call, repo: Repo, arguments: Arguments, *, kinds: tuple[str, ...]) -> Object:
    found = repo.issues.get(arguments["number"])
    kind = "pull request" if found is not None and found.pull is not None else "issue"
    if found is None or kind not in kinds:
        what = {"issue": "an Issue", "pull request": "a PullRequest"}[kinds[0]]
        what = "an issue or pull request" if len(kinds) > 1 else what
        text = f"Could not resolve to {what} with the number of {arguments['number']}."
        raise FieldError("NOT_FOUND", text)
    guarded(call, repo, "pulls" if kind == "pull request" else "issues")
    return issues.view(call, repo, found)


def _labels(repo: Repo, arguments: Arguments) -> list[Object]:
    wanted = (arguments.get("query") or "").lower()
    found = [v for v in repo.labels.values() if wanted in f"{v.name} {v.description}".lower()]
    order = arguments.get("orderBy") or {}
    if order.get("field") == "NAME":
        found.sort(key=lambda v: v.name, reverse=order.get("direction") == "DESC")
    return [objects.label(repo, value) for value in found]


def milestone(call: Call, repo: Repo, value: Milestone) -> Object:
    """Return a milestone."""
    inside = [issue for issue in repo.issues.values() if issue.milestone == value.number]
    done = sum(issue.state == "closed" for issue in inside)
    return {
        "__typename": "Milestone",
        "id": node_id("MI", repo.id, value.id),
        "number": value.number,
        "title": value.title,
        "description": value.description or "",
        "dueOn": iso(value.due_on),
        "state": value.state.upper(),
        "url": f"{call.site}/{repo.full_name}/milestone/{value.number}",
        "progressPercentage": 100 * done / len(inside) if inside else 0,
        "createdAt": iso(value.created_at),
        "updatedAt": iso(value.created_at),
        "closedAt": None,
    }


def _milestones(call: Call, repo: Repo, arguments: Arguments) -> list[Object]:
    states = [state.lower() for state in arguments.get("states") or ("open", "closed")]
    wanted = (arguments.get("query") or "").lower()
    return [
        milestone(call, repo, value)
        for value in repo.milestones.values()
        if value.state in states and wanted in value.title.lower()
    ]


def _refs(call: Call, repo: Repo, arguments: Arguments) -> list[Object | None]:
    prefix = arguments.get("refPrefix", "refs/heads/").removeprefix("refs/")
    wanted = arguments.get("query") or ""
    names = [n for n in sorted(repo.git.refs) if n.startswith(prefix) and wanted in n]
    return [objects.ref(call, repo, name) for name in names]


def _visible(call: Call, repo: Repo) -> list[Release]:
    """Return releases, the newest first; drafts are seen by who may push."""
    drafts = permissions(call, repo)["push"]
    found = [release for release in repo.releases if drafts or not release.draft]
    return sorted(found, key=lambda release: -release.created_at)


def _releases(call: Call, repo: Repo) -> list[Object]:
    return [objects.release(call, repo, value) for value in _visible(call, repo)]


def _release(call: Call, repo: Repo, tag: str) -> Object | None:
    found = next((value for value in _visible(call, repo) if value.tag == tag), None)
    return objects.release(call, repo, found) if found else None


def _latest(call: Call, repo: Repo) -> Object | None:
    found = [value for value in _visible(call, repo) if not value.draft and not value.prerelease]
    return objects.release(call, repo, found[0]) if found else None


def numbered(repo: Repo, number: int) -> Issue:
    """Return an issue or pull request by number; NOT_FOUND."""
    found = repo.issues.get(number)
    if found is None:
        text = f"Could not resolve to an issue or pull request with the number of {number}."
        raise FieldError("NOT_FOUND", text)
    return found
