"""Files by path, and archives."""

from __future__ import annotations

import base64
import html
from typing import Any

from gh_p2pcache.sim.answers import Answer, Call, error, media, ok, redirect
from gh_p2pcache.sim.rest import git_shapes, shapes
from gh_p2pcache.sim.rest.git import the_commit
from gh_p2pcache.sim.rest.router import route


def _find(call: Call, path: str, ref: str) -> str:
    """Return the sha of the file or directory at a path; 404."""
    git = call.the_repo.git
    commit = git.resolve(ref)
    if commit is None:
        raise error(404, f"No commit found for the ref {ref}")
    sha = git.commits[commit].tree
    for name in path.split("/") if path else ():
        entry = git.trees.get(sha, {}).get(name)
        if entry is None:
            raise error(404)
        sha = entry[1]
    return sha


def _serve(call: Call, path: str) -> Answer:
    """Return a file or a directory; recorded: the ETag is git's name of it, for every token."""
    repo = call.the_repo
    ref = call.query.get("ref") or repo.default_branch
    sha = _find(call, path, ref)
    if sha in repo.git.trees:
        prefix = f"{path}/" if path else ""
        entries = repo.git.trees[sha].items()
        listed = [git_shapes.content(call, repo, prefix + n, s, ref) for n, (_, s) in entries]
        return ok(listed, opaque=sha)
    content = repo.git.blobs[sha]
    if call.wants("raw"):
        return media(content, "raw", opaque=sha)
    if call.wants("html"):
        text = html.escape(content.decode("utf-8", "replace"))
        return media(f'<div id="file"><article>{text}</article></div>'.encode(), "html")
    data = git_shapes.content(call, repo, path, sha, ref)
    more = {"content": git_shapes.in_lines(content), "encoding": "base64"}
    links = data.pop("_links")
    commit = the_commit(call, ref)
    return ok(data | more | {"_links": links}, modified=commit.when, opaque=sha)


@route("GET", "=/contents", "contents")
@route("GET", "=/contents/{path...}", "contents")
def get_contents(call: Call) -> Answer:
    """Return a file or list a directory."""
    return _serve(call, call.args.get("path", "").strip("/"))


@route("GET", "=/readme", "contents")
def get_readme(call: Call) -> Answer:
    """Return the README."""
    return _serve(call, "README.md")


@route("PUT", "=/contents/{path...}", "contents")
def put_contents(call: Call) -> Answer:
    """Write a file."""
    path, wanted = call.args["path"], call.json()
    text = wanted.get("content")
    if not isinstance(text, str):
        raise error(422, 'Invalid request.\n\n"content" wasn\'t supplied.')
    return _change(call, path, wanted, base64.b64decode(text))


@route("DELETE", "=/contents/{path...}", "contents")
def delete_contents(call: Call) -> Answer:
    """Remove a file."""
    wanted = call.json() or dict(call.query)
    return _change(call, call.args["path"], wanted, None)


def _change(call: Call, path: str, wanted: dict[str, Any], content: bytes | None) -> Answer:
    repo = call.the_repo
    branch = str(wanted.get("branch") or repo.default_branch)
    head = repo.git.refs.get(f"heads/{branch}")
    if head is None:
        raise error(404, f"Branch {branch} not found")
    present = repo.git.files(repo.git.commits[head].tree).get(path)
    if present != wanted.get("sha"):
        message = f"{path} does not match {wanted.get('sha')}"
        raise error(409 if wanted.get("sha") else 422, message)
    account = call.world.account(call.login)
    author = (account.name or account.login if account else call.login, f"{call.login}@example.com")
    message = str(wanted.get("message", f"Update {path}"))
    sha = repo.git.commit_files(branch, {path: content}, author, int(call.now), message)
    repo.pushed_at = int(call.now)
    commit = git_shapes.git_commit(call, repo, repo.git.commits[sha])
    if content is None:
        return ok({"content": None, "commit": commit})
    shown = git_shapes.content(call, repo, path, _find(call, path, branch), branch)
    return Answer(201 if present is None else 200, {"content": shown, "commit": commit})


@route("GET", "=/tarball", "contents")
@route("GET", "=/tarball/{ref...}", "contents")
def get_tarball(call: Call) -> Answer:
    """Redirect to the archive."""
    return _archive(call, "legacy.tar.gz")


@route("GET", "=/zipball", "contents")
@route("GET", "=/zipball/{ref...}", "contents")
def get_zipball(call: Call) -> Answer:
    """Redirect to the archive."""
    return _archive(call, "legacy.zip")


def _archive(call: Call, kind: str) -> Answer:
    repo = call.the_repo
    ref = call.args.get("ref") or repo.default_branch
    token = f"?token={git_shapes.url_token(call)}" if repo.private else ""
    return redirect(302, f"https://codeload.github.com/{repo.full_name}/{kind}/{ref}{token}")


@route("GET", "=/license", "metadata")
def get_license(call: Call) -> Answer:
    """Return which licence applies."""
    found = shapes.license_of(call, call.the_repo)
    if found is None:
        raise error(404)
    return ok({"name": "LICENSE", "path": "LICENSE", "license": found})
