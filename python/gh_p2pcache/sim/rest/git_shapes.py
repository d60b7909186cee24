"""JSON of commits, refs, branches, trees and files."""

from __future__ import annotations

import base64
from urllib.parse import quote

from gh_p2pcache.sim.answers import Call
from gh_p2pcache.sim.clock import iso
from gh_p2pcache.sim.diff import changed_files
from gh_p2pcache.sim.git import Commit
from gh_p2pcache.sim.ids import node_id
from gh_p2pcache.sim.model import Repo
from gh_p2pcache.sim.rest import pull_shapes, shapes
from gh_p2pcache.sim.rest.shapes import Json

UNVERIFIED = {"verified": False, "reason": "unsigned", "signature": None, "payload": None}


def git_commit(call: Call, repo: Repo, value: Commit) -> Json:
    """Return a commit as /git/commits has it."""
    url = f"{shapes.repo_url(call, repo)}/git"
    who = {"name": value.author, "email": value.email, "date": iso(value.when)}
    html = f"{call.site}/{repo.full_name}/commit"
    return {
        "sha": value.sha,
        "node_id": node_id("C", repo.id, value.sha),
        "url": f"{url}/commits/{value.sha}",
        "html_url": f"{html}/{value.sha}",
        "author": who,
        "committer": who,
        "tree": {"sha": value.tree, "url": f"{url}/trees/{value.tree}"},
        "message": value.message,
        "parents": [
            {"sha": sha, "url": f"{url}/commits/{sha}", "html_url": f"{html}/{sha}"}
            for sha in value.parents
        ],
        "verification": UNVERIFIED,
    }


def commit(call: Call, repo: Repo, value: Commit, *, full: bool = False) -> Json:
    """Return a commit as /commits has it, with its files when `full`."""
    inner = git_commit(call, repo, value)
    url = f"{shapes.repo_url(call, repo)}/commits"
    names = ("author", "committer", "message", "tree", "url")
    login = next((a.login for a in call.world.accounts.values() if a.name == value.author), None)
    data: Json = {
        "sha": value.sha,
        "node_id": inner["node_id"],
        "commit": {name: inner[name] for name in names}
        | {"comment_count": 0, "verification": UNVERIFIED},
        "url": f"{url}/{value.sha}",
        "html_url": inner["html_url"],
        "comments_url": f"{url}/{value.sha}/comments",
        "author": shapes.user(call, login),
        "committer": shapes.user(call, login),
        "parents": [p | {"url": f"{url}/{p['sha']}"} for p in inner["parents"]],
    }
    if full:
        files = changed_files(repo.git, value.parents[0] if value.parents else None, value.sha)
        added, deleted = sum(f.added for f in files), sum(f.deleted for f in files)
        data["stats"] = {"total": added + deleted, "additions": added, "deletions": deleted}
        data["files"] = [pull_shapes.file(call, repo, file, value.sha) for file in files]
    return data


def ref(call: Call, repo: Repo, name: str) -> Json:
    """Return a ref by its name after `refs/`."""
    sha, url = repo.git.refs[name], f"{shapes.repo_url(call, repo)}/git"
    return {
        "ref": f"refs/{name}",
        "node_id": node_id("REF", repo.id, f"refs/{name}"),
        "url": f"{url}/refs/{quote(name)}",
        "object": {"sha": sha, "type": "commit", "url": f"{url}/commits/{sha}"},
    }


def branch(call: Call, repo: Repo, name: str, *, full: bool = False) -> Json:
    """Return a branch as lists have it, with its commit when `full`."""
    sha = repo.git.refs[f"heads/{name}"]
    short = {"sha": sha, "url": f"{shapes.repo_url(call, repo)}/commits/{sha}"}
    shown = commit(call, repo, repo.git.commits[sha]) if full else short
    return {"name": name, "commit": shown, "protected": False}


def tree(call: Call, repo: Repo, sha: str, *, recursive: bool) -> Json:
    """Return a directory's entries, those below too when `recursive`."""
    url = f"{shapes.repo_url(call, repo)}/git"
    return {
        "sha": sha,
        "url": f"{url}/trees/{sha}",
        "tree": _entries(repo, sha, url, "", recursive=recursive),
        "truncated": False,
    }


def _entries(repo: Repo, sha: str, url: str, prefix: str, *, recursive: bool) -> list[Json]:
    found: list[Json] = []
    for name, (mode, below) in repo.git.trees[sha].items():
        kind = "tree" if mode == "040000" else "blob"
        entry: Json = {"path": prefix + name, "mode": mode, "type": kind, "sha": below}
        if kind == "blob":
            entry["size"] = len(repo.git.blobs[below])
        found.append(entry | {"url": f"{url}/{kind}s/{below}"})
        if kind == "tree" and recursive:
            found += _entries(repo, below, url, f"{prefix}{name}/", recursive=True)
    return found


def blob(call: Call, repo: Repo, sha: str) -> Json:
    """Return a file's bytes in base64, in lines of 60 as GitHub has them."""
    content = repo.git.blobs[sha]
    return {
        "sha": sha,
        "node_id": node_id("B", repo.id, sha),
        "size": len(content),
        "url": f"{shapes.repo_url(call, repo)}/git/blobs/{sha}",
        "content": in_lines(content),
        "encoding": "base64",
    }


def in_lines(content: bytes) -> str:
    """Return base64 in lines of 60 characters."""
    text = base64.b64encode(content).decode()
    return "".join(text[at : at + 60] + "\n" for at in range(0, len(text), 60))


def url_token(call: Call) -> str:
    """Return what opens a private file's URL; each caller gets another."""
    return f"sim-{call.token.name}"


def content(call: Call, repo: Repo, path: str, sha: str, ref_name: str) -> Json:
    """Return a file or directory as /contents lists it; a private file's URL carries a token."""
    api = shapes.repo_url(call, repo)
    is_file = sha in repo.git.blobs
    kind = "file" if is_file else "dir"
    own = f"{api}/contents/{quote(path)}?ref={quote(ref_name)}"
    git = f"{api}/git/{'blobs' if is_file else 'trees'}/{sha}"
    place = "blob" if is_file else "tree"
    html = f"{call.site}/{repo.full_name}/{place}/{quote(ref_name)}/{quote(path)}"
    raw = f"https://raw.githubusercontent.com/{repo.full_name}/{quote(ref_name)}/{quote(path)}"
    if repo.private:
        raw += f"?token={url_token(call)}"
    return {
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": sha,
        "size": len(repo.git.blobs[sha]) if is_file else 0,
        "url": own,
        "html_url": html,
        "git_url": git,
        "download_url": raw if is_file else None,
        "type": kind,
        "_links": {"self": own, "git": git, "html": html},
    }
