"""The hosts that serve files: release assets, archives, logs and raw contents."""

from __future__ import annotations

import io
import tarfile
import zipfile

from gh_p2pcache.sim.answers import Answer, Call, error
from gh_p2pcache.sim.model import Repo


def serve_file(call: Call) -> Answer:
    """Return a file; the URL alone must show the permission, as GitHub's signed ones do."""
    kind, _, rest = call.path.lstrip("/").partition("/")
    if kind == "asset":
        return _asset(call, rest)
    if kind == "logs":
        return _logs(call, rest)
    if call.base.endswith("codeload.github.com"):
        return _archive(call)
    return _raw(call)


def _signed(call: Call) -> None:
    if call.query.get("sig") != "sim":
        raise error(403, "Signature not valid")


def _asset(call: Call, wanted: str) -> Answer:
    _signed(call)
    for repo in call.world.repos.values():
        for release in repo.releases:
            for asset in release.assets:
                if str(asset.id) == wanted:
                    kind = asset.content_type.encode()
                    if asset.content is None:
                        return Answer(body=b"", stream=asset.size, content_type=kind)
                    return Answer(body=asset.content, content_type=kind)
    raise error(404)


def _logs(call: Call, wanted: str) -> Answer:
    _signed(call)
    for repo in call.world.repos.values():
        for run in repo.runs:
            if wanted == f"run-{run.id}":
                files = {f"{n}_{j.name}.txt": j.log for n, j in enumerate(run.jobs)}
                return Answer(body=_zip(files), content_type=b"application/zip")
            for job in run.jobs:
                if wanted == f"job-{job.id}":
                    return Answer(body=job.log.encode(), content_type=b"text/plain; charset=utf-8")
    raise error(404)


def _zip(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()


def _repo(call: Call, owner: str, name: str) -> Repo:
    repo = call.world.find_repo(owner, name)
    shown = call.query.get("token", "").startswith("sim-")
    if repo is None or not (shown or call.world.readable(call.token, repo)):
        raise error(404)
    return repo


def _archive(call: Call) -> Answer:
    """Serve /OWNER/REPO/legacy.tar.gz/REF and /legacy.zip/REF."""
    parts = call.path.strip("/").split("/", 3)
    if len(parts) < 4:
        raise error(404)
    repo = _repo(call, parts[0], parts[1])
    sha = repo.git.resolve(parts[3])
    if sha is None:
        raise error(404)
    files = repo.git.files(repo.git.commits[sha].tree)
    top = f"{repo.owner}-{repo.name}-{sha[:7]}"
    named = {f"{top}/{path}": repo.git.blobs[blob] for path, blob in files.items()}
    if parts[2] == "legacy.zip":
        text = {name: content.decode("utf-8", "replace") for name, content in named.items()}
        return Answer(body=_zip(text), content_type=b"application/zip")
    return Answer(body=_tar(named), content_type=b"application/x-gzip")


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _raw(call: Call) -> Answer:
    """Serve /OWNER/REPO/REF/PATH of raw.githubusercontent.com."""
    parts = call.path.strip("/").split("/", 3)
    if len(parts) < 4:
        raise error(404)
    repo = _repo(call, parts[0], parts[1])
    sha = repo.git.resolve(parts[2])
    files = repo.git.files(repo.git.commits[sha].tree) if sha else {}
    if parts[3] not in files:
        raise error(404)
    body = repo.git.blobs[files[parts[3]]]
    return Answer(body=body, content_type=b"text/plain; charset=utf-8")
