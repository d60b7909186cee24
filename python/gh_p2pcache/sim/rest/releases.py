"""Releases, their files, and uploads."""

from __future__ import annotations

from typing import Any

from gh_p2pcache.records.message import header
from gh_p2pcache.sim import changes
from gh_p2pcache.sim.answers import (
    Answer,
    Call,
    created,
    error,
    invalid,
    no_content,
    ok,
    page,
    redirect,
)
from gh_p2pcache.sim.clock import iso
from gh_p2pcache.sim.ids import node_id
from gh_p2pcache.sim.model import Asset, Release, Repo
from gh_p2pcache.sim.rest import shapes
from gh_p2pcache.sim.rest.router import route

ASSETS = "https://release-assets.githubusercontent.com/asset"


def release(call: Call, repo: Repo, value: Release) -> shapes.Json:
    """Return a release."""
    url = f"{shapes.repo_url(call, repo)}/releases/{value.id}"
    uploads = url.replace("https://api.", "https://uploads.").replace("/api/v3/", "/api/uploads/")
    api = shapes.repo_url(call, repo)
    return {
        "url": url,
        "assets_url": f"{url}/assets",
        "upload_url": f"{uploads}/assets{{?name,label}}",
        "html_url": f"{call.site}/{repo.full_name}/releases/tag/{value.tag}",
        "id": value.id,
        "author": shapes.user(call, value.author),
        "node_id": node_id("RE", repo.id, value.id),
        "tag_name": value.tag,
        "target_commitish": value.target,
        "name": value.name,
        "draft": value.draft,
        "prerelease": value.prerelease,
        "created_at": iso(value.created_at),
        "published_at": iso(value.published_at),
        "assets": [asset(call, repo, value, item) for item in value.assets],
        "tarball_url": f"{api}/tarball/{value.tag}",
        "zipball_url": f"{api}/zipball/{value.tag}",
        "body": value.body,
    }


def asset(call: Call, repo: Repo, of: Release, value: Asset) -> shapes.Json:
    """Return a file of a release."""
    html = f"{call.site}/{repo.full_name}/releases/download/{of.tag}/{value.name}"
    return {
        "url": f"{shapes.repo_url(call, repo)}/releases/assets/{value.id}",
        "id": value.id,
        "node_id": node_id("RA", repo.id, value.id),
        "name": value.name,
        "label": value.label,
        "uploader": shapes.user(call, value.uploader),
        "content_type": value.content_type,
        "state": "uploaded",
        "size": value.size,
        "download_count": 0,
        "created_at": iso(value.created_at),
        "updated_at": iso(value.updated_at),
        "browser_download_url": html,
    }


def _visible(call: Call) -> list[Release]:
    drafts = shapes.permissions(call, call.the_repo)["push"]
    found = [value for value in call.the_repo.releases if drafts or not value.draft]
    return sorted(found, key=lambda value: -value.created_at)


def _the_release(call: Call) -> Release:
    wanted = call.args["release"]
    found = next((value for value in _visible(call) if str(value.id) == wanted), None)
    if found is None:
        raise error(404)
    return found


def _shown(call: Call, value: Release | None) -> Answer:
    if value is None:
        raise error(404)
    return ok(release(call, call.the_repo, value), modified=value.published_at or value.created_at)


@route("GET", "=/releases", "contents")
def list_releases(call: Call) -> Answer:
    """List releases; drafts for who may push."""
    return page(call, [release(call, call.the_repo, value) for value in _visible(call)])


@route("POST", "=/releases", "contents")
def create_release(call: Call) -> Answer:
    """Create a release, and its tag unless it is a draft."""
    repo, wanted = call.the_repo, call.json()
    tag = str(wanted.get("tag_name", ""))
    if not tag:
        raise invalid("Release", "tag_name")
    if any(value.tag == tag for value in repo.releases):
        raise invalid("Release", "tag_name", "already_exists")
    value = changes.new_release(call.world, repo, call.by, tag)
    _apply(repo, value, call.now, wanted)
    data = release(call, repo, value)
    return created(data, data["url"])


def _apply(repo: Repo, value: Release, now: float, wanted: dict[str, Any]) -> None:
    value.tag = str(wanted.get("tag_name", value.tag))
    value.name = str(wanted.get("name", value.name))
    value.body = str(wanted.get("body", value.body))
    value.prerelease = bool(wanted.get("prerelease", value.prerelease))
    value.draft = bool(wanted.get("draft", value.draft))
    value.target = str(wanted.get("target_commitish", value.target))
    if not value.draft:
        value.published_at = value.published_at or int(now)
        repo.git.refs.setdefault(f"tags/{value.tag}", repo.git.refs[f"heads/{repo.default_branch}"])


@route("GET", "=/releases/latest", "contents")
def latest_release(call: Call) -> Answer:
    """Return the newest published release."""
    found = [value for value in _visible(call) if not value.draft and not value.prerelease]
    return _shown(call, found[0] if found else None)


@route("GET", "=/releases/tags/{tag...}", "contents")
def release_by_tag(call: Call) -> Answer:
    """Return a published release by its tag."""
    found = [v for v in _visible(call) if v.tag == call.args["tag"] and not v.draft]
    return _shown(call, found[0] if found else None)


def _the_asset(call: Call) -> tuple[Release, Asset]:
    for value in _visible(call):
        for item in value.assets:
            if str(item.id) == call.args["asset"]:
                return value, item
    raise error(404)


@route("GET", "=/releases/assets/{asset}", "contents")
def get_asset(call: Call) -> Answer:
    """Return what is known of a file, or redirect to its bytes."""
    value, item = _the_asset(call)
    if (header(call.headers, b"accept") or b"").startswith(b"application/octet-stream"):
        return redirect(302, f"{ASSETS}/{item.id}?sig=sim")
    return ok(asset(call, call.the_repo, value, item), modified=item.updated_at)


@route("PATCH", "=/releases/assets/{asset}", "contents")
def edit_asset(call: Call) -> Answer:
    """Rename a file of a release."""
    value, item = _the_asset(call)
    wanted = call.json()
    item.name, item.label = wanted.get("name", item.name), wanted.get("label", item.label)
    item.updated_at = int(call.now)
    return ok(asset(call, call.the_repo, value, item))


@route("DELETE", "=/releases/assets/{asset}", "contents")
def delete_asset(call: Call) -> Answer:
    """Remove a file of a release."""
    value, item = _the_asset(call)
    value.assets.remove(item)
    return no_content()


@route("GET", "=/releases/{release}", "contents")
def get_release(call: Call) -> Answer:
    """Return one release."""
    return _shown(call, _the_release(call))


@route("PATCH", "=/releases/{release}", "contents")
def edit_release(call: Call) -> Answer:
    """Change a release."""
    value = _the_release(call)
    _apply(call.the_repo, value, call.now, call.json())
    return ok(release(call, call.the_repo, value))


@route("DELETE", "=/releases/{release}", "contents")
def delete_release(call: Call) -> Answer:
    """Remove a release; its tag stays."""
    call.the_repo.releases.remove(_the_release(call))
    return no_content()


@route("GET", "=/releases/{release}/assets", "contents")
def list_assets(call: Call) -> Answer:
    """List a release's files."""
    value = _the_release(call)
    return page(call, [asset(call, call.the_repo, value, item) for item in value.assets])


@route("POST", "=/releases/{release}/assets", "contents")
def upload_asset(call: Call) -> Answer:
    """Take a file for a release (on uploads.github.com); a large one is counted, not kept."""
    value, name = _the_release(call), call.query.get("name", "")
    if any(item.name == name for item in value.assets):
        raise invalid("ReleaseAsset", "name", "already_exists")
    kind = (header(call.headers, b"content-type") or b"application/octet-stream").decode("latin-1")
    kept = call.body if len(call.body) == call.uploaded else None
    now, label = int(call.now), call.query.get("label")
    item = Asset(
        call.world.new_id(), name, kind, call.uploaded, call.login, now, now, label, content=kept
    )
    value.assets.append(item)
    data = asset(call, call.the_repo, value, item)
    return created(data, data["url"])
