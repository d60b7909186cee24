"""JSON of people, repositories, issues and labels: fields and their order as recorded."""

from __future__ import annotations

from typing import Any

from gh_p2pcache.sim.answers import Call
from gh_p2pcache.sim.clock import iso
from gh_p2pcache.sim.ids import node_id
from gh_p2pcache.sim.model import Account, Comment, Issue, Label, Milestone, Repo

Json = dict[str, Any]

LICENSES = {"mit": ("MIT License", "MIT"), "apache-2.0": ("Apache License 2.0", "Apache-2.0")}


def user(call: Call, login: str | None) -> Json | None:
    """Return the short form of an account."""
    account = call.world.account(login) if login else None
    if account is None:
        return None
    url, html = f"{call.base}/users/{account.login}", f"{call.site}/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": user_node(account),
        "avatar_url": f"https://avatars.githubusercontent.com/u/{account.id}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": html,
        "followers_url": f"{url}/followers",
        "following_url": f"{url}/following{{/other_user}}",
        "gists_url": f"{url}/gists{{/gist_id}}",
        "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{url}/subscriptions",
        "organizations_url": f"{url}/orgs",
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events{{/privacy}}",
        "received_events_url": f"{url}/received_events",
        "type": account.kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def user_node(account: Account) -> str:
    """Return the node id of an account."""
    return node_id({"Organization": "O", "Bot": "BOT"}.get(account.kind, "U"), account.id)


def repo_url(call: Call, repo: Repo) -> str:
    """Return the API's URL of a repository."""
    return f"{call.base}/repos/{repo.full_name}"


_REPO_LINKS = (
    "forks,keys{/key_id},collaborators{/collaborator},teams,hooks,issue_events=issues/events{/number},"
    "events,assignees{/user},branches{/branch},tags,blobs=git/blobs{/sha},git_tags=git/tags{/sha},"
    "git_refs=git/refs{/sha},trees=git/trees{/sha},statuses/{sha},languages,stargazers,contributors,"
    "subscribers,subscription,commits{/sha},git_commits=git/commits{/sha},comments{/number},"
    "issue_comment=issues/comments{/number},contents/{+path},compare/{base}...{head},merges,"
    "archive={archive_format}{/ref},downloads,issues{/number},pulls{/number},milestones{/number},"
    "notifications{?since,all,participating},labels{/name},releases{/id},deployments"
).replace("since,all,participating", "since;all;participating")


def _repo_links(url: str) -> Json:
    links: Json = {}
    for item in _REPO_LINKS.split(","):
        name, _, path = item.partition("=")
        path = (path or name).replace(";", ",")
        name = name.split("{")[0].rstrip("/")
        links[f"{name}_url"] = f"{url}/{path}"
    return links


def repository(call: Call, repo: Repo) -> Json:
    """Return a repository as lists have it; `permissions` are the caller's."""
    url, html = repo_url(call, repo), f"{call.site}/{repo.full_name}"
    host = call.site.removeprefix("https://")
    return {
        "id": repo.id,
        "node_id": node_id("R", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": user(call, repo.owner),
        "html_url": html,
        "description": repo.description,
        "fork": False,
        "url": url,
        **_repo_links(url),
        "created_at": iso(repo.created_at),
        "updated_at": iso(repo.updated_at),
        "pushed_at": iso(repo.pushed_at),
        "git_url": f"git://{host}/{repo.full_name}.git",
        "ssh_url": f"git@{host}:{repo.full_name}.git",
        "clone_url": f"{html}.git",
        "svn_url": html,
        "homepage": repo.homepage,
        "size": 108,
        "stargazers_count": repo.stars,
        "watchers_count": repo.stars,
        "language": repo.language,
        "has_issues": True,
        "has_projects": True,
        "has_downloads": True,
        "has_wiki": True,
        "has_pages": False,
        "has_discussions": False,
        "forks_count": 0,
        "mirror_url": None,
        "archived": repo.archived,
        "disabled": False,
        "open_issues_count": sum(issue.state == "open" for issue in repo.issues.values()),
        "license": license_of(call, repo),
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": repo.topics,
        "visibility": "private" if repo.private else "public",
        "forks": 0,
        "open_issues": sum(issue.state == "open" for issue in repo.issues.values()),
        "watchers": repo.stars,
        "default_branch": repo.default_branch,
        "permissions": permissions(call, repo),
    }


def permissions(call: Call, repo: Repo) -> dict[str, bool]:
    """Return what the caller may do to the repository itself."""
    granted = call.token.classes(repo.full_name)
    admin, push = "administration" in granted, "contents" in granted
    return {"admin": admin, "maintain": admin, "push": push, "triage": push, "pull": True}


def full_repository(call: Call, repo: Repo) -> Json:
    """Return a repository as its own URL has it."""
    data = repository(call, repo) | {
        "temp_clone_token": "",
        "allow_squash_merge": True,
        "allow_merge_commit": True,
        "allow_rebase_merge": True,
        "allow_auto_merge": False,
        "delete_branch_on_merge": False,
        "allow_update_branch": False,
    }
    owner = call.world.account(repo.owner)
    if owner is not None and owner.kind == "Organization":
        data["organization"] = user(call, repo.owner)
    return data | {"network_count": 0, "subscribers_count": 1}


def license_of(call: Call, repo: Repo) -> Json | None:
    """Return the short form of a repository's licence."""
    if repo.license is None:
        return None
    name, spdx = LICENSES[repo.license]
    return {
        "key": repo.license,
        "name": name,
        "spdx_id": spdx,
        "url": f"{call.base}/licenses/{repo.license}",
        "node_id": node_id("L", repo.license),
    }


def label(call: Call, repo: Repo, value: Label) -> Json:
    """Return a label."""
    return {
        "id": value.id,
        "node_id": node_id("LA", repo.id, value.id),
        "url": f"{repo_url(call, repo)}/labels/{value.name}",
        "name": value.name,
        "color": value.color,
        "default": value.default,
        "description": value.description,
    }


def milestone(call: Call, repo: Repo, value: Milestone) -> Json:
    """Return a milestone with the numbers of its issues."""
    url = f"{repo_url(call, repo)}/milestones/{value.number}"
    inside = [issue.state for issue in repo.issues.values() if issue.milestone == value.number]
    return {
        "url": url,
        "html_url": f"{call.site}/{repo.full_name}/milestone/{value.number}",
        "labels_url": f"{url}/labels",
        "id": value.id,
        "node_id": node_id("MI", repo.id, value.id),
        "number": value.number,
        "title": value.title,
        "description": value.description,
        "creator": user(call, value.creator),
        "open_issues": inside.count("open"),
        "closed_issues": inside.count("closed"),
        "state": value.state,
        "created_at": iso(value.created_at),
        "updated_at": iso(value.created_at),
        "due_on": iso(value.due_on),
        "closed_at": None,
    }


def association(call: Call, repo: Repo, login: str) -> str:
    """Return how somebody relates to a repository."""
    return "MEMBER" if login in call.world.members.get(repo.owner, ()) else "NONE"


def reactions(url: str) -> Json:
    """Return a reaction summary without reactions."""
    kinds = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
    return {"url": f"{url}/reactions", "total_count": 0, **dict.fromkeys(kinds, 0)}


def issue_node(repo: Repo, value: Issue) -> str:
    """Return the node id of an issue or a pull request."""
    if value.pull is not None:
        return node_id("PR", repo.id, value.pull.id)
    return node_id("I", repo.id, value.id)


def issue(call: Call, repo: Repo, value: Issue) -> Json:
    """Return an issue, or a pull request as an issue."""
    url, html = f"{repo_url(call, repo)}/issues/{value.number}", f"{call.site}/{repo.full_name}"
    mile = repo.milestones.get(value.milestone or 0)
    kind = "issues" if value.pull is None else "pull"
    data: Json = {
        "url": url,
        "repository_url": repo_url(call, repo),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": f"{html}/{kind}/{value.number}",
        "id": value.id,
        "node_id": issue_node(repo, value),
        "number": value.number,
        "title": value.title,
        "user": user(call, value.user),
        "labels": [label(call, repo, repo.labels[name]) for name in value.labels],
        "state": value.state,
        "locked": value.locked,
        "assignee": user(call, value.assignees[0]) if value.assignees else None,
        "assignees": [user(call, login) for login in value.assignees],
        "milestone": milestone(call, repo, mile) if mile else None,
        "comments": len(value.comments),
        "created_at": iso(value.created_at),
        "updated_at": iso(value.updated_at),
        "closed_at": iso(value.closed_at),
        "author_association": association(call, repo, value.user),
        "active_lock_reason": value.lock_reason,
    }
    if value.pull is not None:
        pull_html = f"{html}/pull/{value.number}"
        data["draft"] = value.pull.draft
        data["pull_request"] = {
            "url": f"{repo_url(call, repo)}/pulls/{value.number}",
            "html_url": pull_html,
            "diff_url": f"{pull_html}.diff",
            "patch_url": f"{pull_html}.patch",
            "merged_at": iso(value.pull.merged_at),
        }
    return data | {
        "body": value.body,
        "closed_by": user(call, value.closed_by),
        "reactions": reactions(url),
        "timeline_url": f"{url}/timeline",
        "performed_via_github_app": None,
        "state_reason": value.state_reason,
    }


def comment(call: Call, repo: Repo, on: Issue, value: Comment) -> Json:
    """Return a comment on an issue."""
    url = f"{repo_url(call, repo)}/issues/comments/{value.id}"
    kind = "issues" if on.pull is None else "pull"
    return {
        "url": url,
        "html_url": f"{call.site}/{repo.full_name}/{kind}/{on.number}#issuecomment-{value.id}",
        "issue_url": f"{repo_url(call, repo)}/issues/{on.number}",
        "id": value.id,
        "node_id": node_id("IC", repo.id, value.id),
        "user": user(call, value.user),
        "created_at": iso(value.created_at),
        "updated_at": iso(value.updated_at),
        "author_association": association(call, repo, value.user),
        "body": value.body,
        "reactions": reactions(url),
        "performed_via_github_app": None,
    }
