"""Pull requests."""

from __future__ import annotations

from gh_p2pcache.sim import changes
from gh_p2pcache.sim.answers import Answer, Call, created, error, invalid, media, ok, page
from gh_p2pcache.sim.diff import changed_files, diff_text, patch_text
from gh_p2pcache.sim.model import Issue, Pull
from gh_p2pcache.sim.rest import git_shapes, pull_shapes
from gh_p2pcache.sim.rest.router import route


def the_pull(call: Call) -> tuple[Issue, Pull]:
    """Return the pull request that the path names; 404."""
    number = call.args["number"]
    found = call.the_repo.issues.get(int(number) if number.isdigit() else -1)
    if found is None or found.pull is None:
        raise error(404)
    return found, found.pull


@route("GET", "=/pulls", "pulls")
def list_pulls(call: Call) -> Answer:
    """List pull requests, the newest first."""
    query, state = call.query, call.query.get("state", "open")
    head = query.get("head", "").rpartition(":")[2]
    found = [
        issue
        for issue in call.the_repo.issues.values()
        if issue.pull is not None
        and state in ("all", issue.state)
        and head in ("", issue.pull.head)
        and query.get("base") in (None, issue.pull.base)
    ]
    found.sort(key=lambda issue: -issue.number)
    return page(call, [pull_shapes.pull(call, call.the_repo, issue) for issue in found])


@route("POST", "=/pulls", "pulls")
def create_pull(call: Call) -> Answer:
    """Open a pull request."""
    repo, wanted = call.the_repo, call.json()
    head, base = str(wanted.get("head", "")).rpartition(":")[2], str(wanted.get("base", ""))
    for name, branch in (("head", head), ("base", base)):
        if f"heads/{branch}" not in repo.git.refs:
            raise invalid("PullRequest", name, "invalid")
    if not wanted.get("title"):
        raise invalid("PullRequest", "title")
    issue = changes.new_pull(call.world, repo, call.by, wanted | {"head": head, "base": base})
    data = pull_shapes.pull(call, repo, issue, full=True)
    return created(data, data["url"])


@route("GET", "=/pulls/{number}", "metadata")
def get_pull(call: Call) -> Answer:
    """Return one pull request, or its diff or patch."""
    issue, pull = the_pull(call)
    git = call.the_repo.git
    if call.wants("diff"):
        return media(diff_text(git, pull.base_sha, pull.head_sha).encode(), "diff")
    if call.wants("patch"):
        return media(patch_text(git, changes.commits_of(git, pull)).encode(), "patch")
    data = pull_shapes.pull(call, call.the_repo, issue, full=True)
    return ok(data, modified=issue.updated_at)


@route("PATCH", "=/pulls/{number}", "pulls")
def edit_pull(call: Call) -> Answer:
    """Change a pull request."""
    issue, _ = the_pull(call)
    changes.edit_issue(call.the_repo, issue, call.by, call.json())
    return ok(pull_shapes.pull(call, call.the_repo, issue, full=True))


@route("GET", "=/pulls/{number}/files", "pulls")
def list_files(call: Call) -> Answer:
    """List the files of a pull request."""
    repo, pull = call.the_repo, the_pull(call)[1]
    files = changed_files(repo.git, pull.base_sha, pull.head_sha)
    return page(call, [pull_shapes.file(call, repo, file, pull.head_sha) for file in files])


@route("GET", "=/pulls/{number}/commits", "pulls")
def list_commits(call: Call) -> Answer:
    """List the commits of a pull request."""
    repo = call.the_repo
    found = changes.commits_of(repo.git, the_pull(call)[1])
    return page(call, [git_shapes.commit(call, repo, commit) for commit in found])


@route("GET", "=/pulls/{number}/comments", "pulls")
def list_review_comments(call: Call) -> Answer:
    """List comments on the diff: there are none."""
    the_pull(call)
    return page(call, [])


@route("GET", "=/pulls/{number}/merge", "metadata")
def is_merged(call: Call) -> Answer:
    """Say by 204 or 404 whether a pull request was merged."""
    if the_pull(call)[1].merged_at is None:
        raise error(404)
    return Answer(204, body=b"", etag=False)


@route("PUT", "=/pulls/{number}/merge", "contents")
def merge_pull(call: Call) -> Answer:
    """Merge a pull request."""
    issue, pull = the_pull(call)
    if issue.state == "closed" or pull.draft:
        raise error(405, "Pull Request is not mergeable")
    sha = changes.merge(call.world, call.the_repo, issue, call.by)
    return ok({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


@route("GET", "=/pulls/{number}/reviews", "pulls")
def list_reviews(call: Call) -> Answer:
    """List reviews."""
    issue, pull = the_pull(call)
    return page(call, [pull_shapes.review(call, call.the_repo, issue, r) for r in pull.reviews])


@route("POST", "=/pulls/{number}/reviews", "pulls")
def add_review(call: Call) -> Answer:
    """Review a pull request."""
    issue, wanted = the_pull(call)[0], call.json()
    event, body = str(wanted.get("event", "COMMENT")), str(wanted.get("body", ""))
    review = changes.add_review(call.world, issue, call.by, event=event, body=body)
    return ok(pull_shapes.review(call, call.the_repo, issue, review))


@route("POST", "=/pulls/{number}/requested_reviewers", "pulls")
def request_reviewers(call: Call) -> Answer:
    """Ask for reviews."""
    issue, pull = the_pull(call)
    for login in map(str, call.json().get("reviewers", [])):
        if call.world.account(login) is None:
            raise error(422, "Reviews may only be requested from collaborators.")
        if login not in pull.reviewers:
            pull.reviewers.append(login)
    issue.updated_at = int(call.now)
    data = pull_shapes.pull(call, call.the_repo, issue)
    return created(data, data["url"])


@route("GET", "=/pulls/{number}/requested_reviewers", "pulls")
def list_reviewers(call: Call) -> Answer:
    """List who is asked to review."""
    issue, _ = the_pull(call)
    data = pull_shapes.pull(call, call.the_repo, issue)
    return ok({"users": data["requested_reviewers"], "teams": []})
