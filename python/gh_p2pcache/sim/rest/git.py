"""Commits, branches, tags, comparisons and the raw objects of git."""

from __future__ import annotations

import base64

from gh_p2pcache.sim.answers import Answer, Call, created, error, media, no_content, ok, page
from gh_p2pcache.sim.diff import changed_files, diff_text, patch_text
from gh_p2pcache.sim.git import Commit
from gh_p2pcache.sim.rest import git_shapes, pull_shapes, shapes
from gh_p2pcache.sim.rest.router import route


def the_commit(call: Call, ref: str) -> Commit:
    """Return the commit that a ref or sha names; 422 as GitHub has it."""
    git = call.the_repo.git
    sha = git.resolve(ref)
    if sha is None:
        raise error(422, f"No commit found for SHA: {ref}")
    return git.commits[sha]


@route("GET", "=/commits", "contents")
def list_commits(call: Call) -> Answer:
    """List commits, the newest first."""
    repo, query = call.the_repo, call.query
    start = the_commit(call, query.get("sha") or repo.default_branch)
    found = repo.git.history(start.sha)
    path = query.get("path")
    if path is not None:
        found = [c for c in found if _touches(call, c, path)]
    return page(call, [git_shapes.commit(call, repo, commit) for commit in found])


def _touches(call: Call, commit: Commit, path: str) -> bool:
    base = commit.parents[0] if commit.parents else None
    changed = call.the_repo.git.changed(base, commit.sha)
    return any(name == path or name.startswith(f"{path}/") for name, _, _ in changed)


@route("GET", "=/commits/{ref...}", "contents")
def get_commit(call: Call) -> Answer:
    """Return one commit, or its diff, patch or sha."""
    repo, commit = call.the_repo, the_commit(call, call.args["ref"])
    base = commit.parents[0] if commit.parents else None
    if call.wants("sha"):
        return media(commit.sha.encode(), "sha")
    if call.wants("diff"):
        return media(diff_text(repo.git, base, commit.sha).encode(), "diff")
    if call.wants("patch"):
        return media(patch_text(repo.git, [commit]).encode(), "patch")
    return ok(git_shapes.commit(call, repo, commit, full=True), modified=commit.when)


@route("GET", "=/compare/{span...}", "contents")
def compare(call: Call) -> Answer:
    """Compare two refs: BASE...HEAD."""
    repo = call.the_repo
    names = call.args["span"].split("...")
    if len(names) != 2:
        raise error(404)
    base, head = (the_commit(call, name.rpartition(":")[2]) for name in names)
    if call.wants("diff"):
        return media(diff_text(repo.git, base.sha, head.sha).encode(), "diff")
    known = {commit.sha for commit in repo.git.history(base.sha)}
    there = repo.git.history(head.sha)
    ahead = [commit for commit in reversed(there) if commit.sha not in known]
    behind = known - {commit.sha for commit in there}
    states = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}
    files = changed_files(repo.git, base.sha, head.sha)
    return ok(
        {
            "url": f"{shapes.repo_url(call, repo)}/compare/{call.args['span']}",
            "base_commit": git_shapes.commit(call, repo, base),
            "status": states.get((bool(ahead), bool(behind)), "identical"),
            "ahead_by": len(ahead),
            "behind_by": len(behind),
            "total_commits": len(ahead),
            "commits": [git_shapes.commit(call, repo, commit) for commit in ahead],
            "files": [pull_shapes.file(call, repo, file, head.sha) for file in files],
        }
    )


def _names(call: Call, kind: str) -> list[str]:
    prefix = f"{kind}/"
    refs = sorted(call.the_repo.git.refs)
    return [name.removeprefix(prefix) for name in refs if name.startswith(prefix)]


@route("GET", "=/branches", "contents")
def list_branches(call: Call) -> Answer:
    """List branches."""
    repo = call.the_repo
    return page(call, [git_shapes.branch(call, repo, name) for name in _names(call, "heads")])


@route("GET", "=/branches/{name...}", "contents")
def get_branch(call: Call) -> Answer:
    """Return one branch."""
    if call.args["name"] not in _names(call, "heads"):
        raise error(404, "Branch not found")
    return ok(git_shapes.branch(call, call.the_repo, call.args["name"], full=True))


@route("GET", "=/tags", "metadata")
def list_tags(call: Call) -> Answer:
    """List tags."""
    repo, url = call.the_repo, shapes.repo_url(call, call.the_repo)
    found = []
    for name in _names(call, "tags"):
        sha = repo.git.refs[f"tags/{name}"]
        archives = {
            f"{kind}_url": f"{url}/{kind}/refs/tags/{name}" for kind in ("zipball", "tarball")
        }
        found.append(
            {"name": name, **archives, "commit": {"sha": sha, "url": f"{url}/commits/{sha}"}}
        )
    return page(call, found)


@route("GET", "=/git/ref/{name...}", "contents")
def get_ref(call: Call) -> Answer:
    """Return one ref."""
    name = call.args["name"]
    if name not in call.the_repo.git.refs:
        raise error(404)
    return ok(git_shapes.ref(call, call.the_repo, name))


@route("GET", "=/git/refs", "contents")
@route("GET", "=/git/refs/", "contents")
@route("GET", "=/git/matching-refs/{prefix...}", "contents")
def list_refs(call: Call) -> Answer:
    """List refs, all or those that start with a prefix."""
    prefix = call.args.get("prefix", "")
    names = [name for name in sorted(call.the_repo.git.refs) if name.startswith(prefix)]
    return page(call, [git_shapes.ref(call, call.the_repo, name) for name in names])


@route("POST", "=/git/refs", "contents")
def create_ref(call: Call) -> Answer:
    """Create a ref."""
    wanted, git = call.json(), call.the_repo.git
    name = str(wanted.get("ref", "")).removeprefix("refs/")
    if name in git.refs:
        raise error(422, "Reference already exists")
    if wanted.get("sha") not in git.commits:
        raise error(422, "Object does not exist")
    git.refs[name] = wanted["sha"]
    data = git_shapes.ref(call, call.the_repo, name)
    return created(data, data["url"])


@route("PATCH", "=/git/refs/{name...}", "contents")
def move_ref(call: Call) -> Answer:
    """Point a ref at another commit."""
    name, wanted, git = call.args["name"], call.json(), call.the_repo.git
    if name not in git.refs or wanted.get("sha") not in git.commits:
        raise error(422, "Reference does not exist")
    git.refs[name] = wanted["sha"]
    return ok(git_shapes.ref(call, call.the_repo, name))


@route("DELETE", "=/git/refs/{name...}", "contents")
def delete_ref(call: Call) -> Answer:
    """Remove a ref."""
    if call.the_repo.git.refs.pop(call.args["name"], None) is None:
        raise error(422, "Reference does not exist")
    return no_content()


@route("GET", "=/git/commits/{sha}", "contents")
def get_git_commit(call: Call) -> Answer:
    """Return a commit object."""
    found = call.the_repo.git.commits.get(call.args["sha"])
    if found is None:
        raise error(404)
    return ok(git_shapes.git_commit(call, call.the_repo, found), modified=found.when)


@route("POST", "=/git/commits", "contents")
def create_git_commit(call: Call) -> Answer:
    """Make a commit object, on no branch yet."""
    wanted, git = call.json(), call.the_repo.git
    parents = tuple(map(str, wanted.get("parents", [])))
    if wanted.get("tree") not in git.trees or not set(parents) <= git.commits.keys():
        raise error(422, "Object does not exist")
    author = (call.login, f"{call.login}@example.com")
    sha = git.add_commit(
        str(wanted["tree"]), parents, author, int(call.now), str(wanted["message"])
    )
    data = git_shapes.git_commit(call, call.the_repo, git.commits[sha])
    return created(data, data["url"])


@route("GET", "=/git/trees/{sha...}", "contents")
def get_tree(call: Call) -> Answer:
    """Return a tree by its sha or by a commit's name."""
    git, name = call.the_repo.git, call.args["sha"]
    commit = git.resolve(name)
    sha = git.commits[commit].tree if commit else name
    if sha not in git.trees:
        raise error(404)
    recursive = "recursive" in call.query
    return ok(git_shapes.tree(call, call.the_repo, sha, recursive=recursive))


@route("GET", "=/git/blobs/{sha}", "contents")
def get_blob(call: Call) -> Answer:
    """Return a blob, as bytes if they are asked for."""
    content = call.the_repo.git.blobs.get(call.args["sha"])
    if content is None:
        raise error(404)
    if call.wants("raw"):
        return media(content, "raw")
    return ok(git_shapes.blob(call, call.the_repo, call.args["sha"]))


@route("POST", "=/git/blobs", "contents")
def create_blob(call: Call) -> Answer:
    """Keep a blob."""
    wanted = call.json()
    text = str(wanted.get("content", ""))
    content = base64.b64decode(text) if wanted.get("encoding") == "base64" else text.encode()
    sha = call.the_repo.git.add_blob(content)
    url = f"{shapes.repo_url(call, call.the_repo)}/git/blobs/{sha}"
    return created({"sha": sha, "url": url}, url)
