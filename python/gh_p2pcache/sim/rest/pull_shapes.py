"""JSON of pull requests, their files and reviews."""

from __future__ import annotations

from gh_p2pcache.sim.answers import Call
from gh_p2pcache.sim.clock import iso
from gh_p2pcache.sim.diff import ChangedFile, changed_files
from gh_p2pcache.sim.ids import node_id
from gh_p2pcache.sim.model import Issue, Pull, Repo, Review
from gh_p2pcache.sim.rest import shapes
from gh_p2pcache.sim.rest.shapes import Json

SHARED = (
    "locked",
    "title",
    "user",
    "body",
    "labels",
    "milestone",
    "active_lock_reason",
    "assignee",
    "assignees",
    "author_association",
    "created_at",
    "updated_at",
    "closed_at",
)
"""What a pull request says in the same words as the issue that it is."""


def pull(call: Call, repo: Repo, value: Issue, *, full: bool = False) -> Json:
    """Return a pull request as lists have it, or with its merge state as its own URL has it."""
    request = value.pull
    assert request is not None
    url = f"{shapes.repo_url(call, repo)}/pulls/{value.number}"
    as_issue = shapes.issue(call, repo, value)
    html = f"{call.site}/{repo.full_name}/pull/{value.number}"
    data: Json = {
        "url": url,
        "id": request.id,
        "node_id": as_issue["node_id"],
        "html_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "issue_url": as_issue["url"],
        "number": value.number,
        "state": value.state,
        **{name: as_issue[name] for name in SHARED},
        "merged_at": iso(request.merged_at),
        "merge_commit_sha": request.merge_sha or request.head_sha,
        "requested_reviewers": [shapes.user(call, login) for login in request.reviewers],
        "requested_teams": [],
        "draft": request.draft,
        "commits_url": f"{url}/commits",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": f"{shapes.repo_url(call, repo)}/pulls/comments{{/number}}",
        "comments_url": as_issue["comments_url"],
        "statuses_url": f"{shapes.repo_url(call, repo)}/statuses/{request.head_sha}",
        "head": _end(call, repo, request.head, request.head_sha),
        "base": _end(call, repo, request.base, request.base_sha),
        "_links": {
            "self": {"href": url},
            "html": {"href": html},
            "issue": {"href": as_issue["url"]},
            "comments": {"href": as_issue["comments_url"]},
            "review_comments": {"href": f"{url}/comments"},
            "commits": {"href": f"{url}/commits"},
            "statuses": {"href": f"{shapes.repo_url(call, repo)}/statuses/{request.head_sha}"},
        },
        "auto_merge": None,
    }
    return data | _merge_state(call, repo, value, request) if full else data


def _end(call: Call, repo: Repo, branch: str, sha: str) -> Json:
    return {
        "label": f"{repo.owner}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": shapes.user(call, repo.owner),
        "repo": shapes.repository(call, repo),
    }


def _merge_state(call: Call, repo: Repo, value: Issue, request: Pull) -> Json:
    files = changed_files(repo.git, request.base_sha, request.head_sha)
    merged = request.merged_at is not None
    state = "draft" if request.draft else "unknown" if request.mergeable is None else "clean"
    return {
        "merged": merged,
        "mergeable": None if merged else request.mergeable,
        "rebaseable": None if merged else request.mergeable,
        "mergeable_state": "unknown" if merged else state,
        "merged_by": shapes.user(call, request.merged_by),
        "comments": len(value.comments),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": len(files),
        "additions": sum(file.added for file in files),
        "deletions": sum(file.deleted for file in files),
        "changed_files": len(files),
    }


def file(call: Call, repo: Repo, value: ChangedFile, sha: str) -> Json:
    """Return a file that a pull request, a commit or a comparison changes."""
    path = f"{repo.full_name}/blob/{sha}/{value.path}"
    data: Json = {
        "sha": value.after or value.before,
        "filename": value.path,
        "status": value.status,
        "additions": value.added,
        "deletions": value.deleted,
        "changes": value.added + value.deleted,
        "blob_url": f"{call.site}/{path}",
        "raw_url": f"{call.site}/{path.replace('/blob/', '/raw/')}",
        "contents_url": f"{shapes.repo_url(call, repo)}/contents/{value.path}?ref={sha}",
    }
    return data if value.hunks is None else data | {"patch": value.hunks}


def review(call: Call, repo: Repo, on: Issue, value: Review) -> Json:
    """Return a review."""
    url = f"{shapes.repo_url(call, repo)}/pulls/{on.number}"
    return {
        "id": value.id,
        "node_id": node_id("PRR", repo.id, value.id),
        "user": shapes.user(call, value.user),
        "body": value.body,
        "state": value.state,
        "html_url": f"{call.site}/{repo.full_name}/pull/{on.number}#pullrequestreview-{value.id}",
        "pull_request_url": url,
        "author_association": shapes.association(call, repo, value.user),
        "submitted_at": iso(value.submitted_at),
        "commit_id": value.sha,
    }
