"""Which hosts and paths are GitHub's API, and which site they belong to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Surface = Literal["rest", "graphql", "uploads"]

_TENANT = re.compile(r"(api|uploads)\.([a-z0-9-]+\.ghe\.com)")
_ROOTS: tuple[tuple[str, Surface], ...] = (
    ("/api/v3", "rest"),
    ("/api/graphql", "graphql"),
    ("/api/uploads", "uploads"),
)
_NO_SERVER = ("github.com", "githubusercontent.com", "github.io", "ghe.com", "github.localhost")


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call to a GitHub API.

    `site` qualifies keys, tags and proofs: `github.com`, `TENANT.ghe.com`, or the host of a
    GitHub Enterprise Server, with its port if that is not 443. `root` is what precedes `path`
    in the target (`/api/v3` or nothing); `query` has no leading `?`.
    """

    site: str
    surface: Surface
    root: str
    path: str
    query: str


def api_root(host: str, target: str) -> ApiCall | None:
    """Split an origin-form target into API root and path; None if it is no GitHub API.

    Sources: docs.github.com, REST "Getting started" (api.github.com; HOST/api/v3 on Enterprise
    Server; api.SUBDOMAIN.ghe.com) and GraphQL "Forming calls" (HOST/api/graphql).
    """
    path, _, query = target.partition("?")
    if not path.startswith("/"):
        return None
    if host == "api.github.com":
        return _cloud("github.com", path, query)
    if host == "uploads.github.com":
        return ApiCall("github.com", "uploads", "", path, query)
    if tenant := _TENANT.fullmatch(host):
        if tenant[1] == "uploads":
            return ApiCall(tenant[2], "uploads", "", path, query)
        return _cloud(tenant[2], path, query)
    return _server(host, path, query)


def _cloud(site: str, path: str, query: str) -> ApiCall:
    if path == "/graphql":
        return ApiCall(site, "graphql", "", path, query)
    return ApiCall(site, "rest", "", path, query)


def _server(host: str, path: str, query: str) -> ApiCall | None:
    """GitHub Enterprise Server has no host name of its own to be known by, only these roots."""
    name = host.partition(":")[0]
    if any(name == cloud or name.endswith("." + cloud) for cloud in _NO_SERVER):
        return None
    for root, surface in _ROOTS:
        if surface == "graphql" and path == root:
            return ApiCall(host, surface, "/api", "/graphql", query)
        if surface != "graphql" and path.startswith(root + "/"):
            return ApiCall(host, surface, root, path[len(root) :], query)
    return None
