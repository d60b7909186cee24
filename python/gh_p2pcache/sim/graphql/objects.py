"""Labels, refs, git's objects and releases as GraphQL objects."""

from __future__ import annotations

from gh_p2pcache.sim.answers import Call
from gh_p2pcache.sim.clock import iso
from gh_p2pcache.sim.git import Commit
from gh_p2pcache.sim.graphql import checks
from gh_p2pcache.sim.graphql.people import actor
from gh_p2pcache.sim.graphql.walk import Arguments, Object
from gh_p2pcache.sim.ids import node_id
from gh_p2pcache.sim.model import Asset, Label, Release, Repo


def label(repo: Repo, value: Label) -> Object:
    """Return a label."""
    return {
        "__typename": "Label",
        "id": node_id("LA", repo.id, value.id),
        "name": value.name,
        "color": value.color,
        "description": value.description,
        "isDefault": value.default,
        "url": f"https://github.com/{repo.full_name}/labels/{value.name}",
        "createdAt": iso(repo.created_at),
        "updatedAt": iso(repo.created_at),
    }


def ref(call: Call, repo: Repo, name: str) -> Object | None:
    """Return a ref by its name after `refs/`."""
    sha = repo.git.refs.get(name)
    if sha is None:
        return None
    kind, _, short = name.partition("/")
    return {
        "__typename": "Ref",
        "id": node_id("REF", repo.id, f"refs/{name}"),
        "name": short,
        "prefix": f"refs/{kind}/",
        "target": lambda _a: commit(call, repo, repo.git.commits[sha]),
        "branchProtectionRule": None,
        "refUpdateRule": None,
        "associatedPullRequests": [],
    }


def commit(call: Call, repo: Repo, value: Commit) -> Object:
    """Return a commit with its checks."""
    headline, _, rest = value.message.partition("\n")
    account = next((a for a in call.world.accounts.values() if a.name == value.author), None)
    user = actor(call, account.login) if account else None
    author = {
        "__typename": "GitActor",
        "name": value.author,
        "email": value.email,
        "date": iso(value.when),
        "user": user,
    }
    return {
        "__typename": "Commit",
        "id": node_id("C", repo.id, value.sha),
        "oid": value.sha,
        "abbreviatedOid": value.sha[:7],
        "message": value.message,
        "messageHeadline": headline,
        "messageBody": rest.strip(),
        "committedDate": iso(value.when),
        "authoredDate": iso(value.when),
        "pushedDate": iso(value.when),
        "url": f"{call.site}/{repo.full_name}/commit/{value.sha}",
        "author": author,
        "committer": author,
        "authors": [author],
        "history": lambda _a: [commit(call, repo, c) for c in repo.git.history(value.sha)],
        "statusCheckRollup": lambda _a: checks.rollup(call, repo, value.sha),
        "checkSuites": lambda _a: checks.suites(call, repo, value.sha),
        "status": lambda _a: checks.combined_status(call, repo, value.sha),
    }


def git_object(call: Call, repo: Repo, arguments: Arguments) -> Object | None:
    """Return what `expression` (REV or REV:PATH) or `oid` names."""
    expression = str(arguments.get("expression") or arguments.get("oid"))
    name, colon, path = expression.partition(":")
    sha = repo.git.resolve(repo.default_branch if name == "HEAD" else name)
    if sha is None:
        return None
    if not colon:
        return commit(call, repo, repo.git.commits[sha])
    return _below(repo, repo.git.commits[sha].tree, path.strip("/"))


def _below(repo: Repo, tree: str, path: str) -> Object | None:
    for name in path.split("/") if path else ():
        entry = repo.git.trees.get(tree, {}).get(name)
        if entry is None:
            return None
        tree = entry[1]
    if tree in repo.git.blobs:
        return blob(repo, tree)
    entries = [
        {"name": name, "mode": int(mode, 8), "type": "tree" if mode == "040000" else "blob"}
        | {"oid": sha, "object": _below(repo, sha, "")}
        for name, (mode, sha) in repo.git.trees[tree].items()
    ]
    return {
        "__typename": "Tree",
        "id": node_id("T", repo.id, tree),
        "oid": tree,
        "entries": entries,
    }


def blob(repo: Repo, sha: str) -> Object:
    """Return a file's content; binary ones have no text."""
    content = repo.git.blobs[sha]
    binary = b"\0" in content
    return {
        "__typename": "Blob",
        "id": node_id("B", repo.id, sha),
        "oid": sha,
        "byteSize": len(content),
        "isBinary": binary,
        "isTruncated": False,
        "text": None if binary else content.decode("utf-8", "replace"),
    }


def release(call: Call, repo: Repo, value: Release) -> Object:
    """Return a release."""
    published = [r for r in repo.releases if not r.draft and not r.prerelease]
    latest = max(published, key=lambda r: r.created_at, default=None)
    return {
        "__typename": "Release",
        "id": node_id("RE", repo.id, value.id),
        "databaseId": value.id,
        "name": value.name,
        "tagName": value.tag,
        "description": value.body,
        "isDraft": value.draft,
        "isPrerelease": value.prerelease,
        "isLatest": value is latest,
        "isImmutable": False,
        "immutable": False,
        "createdAt": iso(value.created_at),
        "publishedAt": iso(value.published_at),
        "updatedAt": iso(value.published_at),
        "url": f"{call.site}/{repo.full_name}/releases/tag/{value.tag}",
        "author": actor(call, value.author),
        "tag": ref(call, repo, f"tags/{value.tag}"),
        "releaseAssets": [asset(call, repo, value, item) for item in value.assets],
    }


def asset(call: Call, repo: Repo, of: Release, value: Asset) -> Object:
    """Return a file of a release."""
    url = f"{call.site}/{repo.full_name}/releases/download/{of.tag}/{value.name}"
    return {
        "__typename": "ReleaseAsset",
        "id": node_id("RA", repo.id, value.id),
        "name": value.name,
        "size": value.size,
        "contentType": value.content_type,
        "downloadCount": 0,
        "downloadUrl": url,
        "createdAt": iso(value.created_at),
        "updatedAt": iso(value.updated_at),
        "url": url,
    }
