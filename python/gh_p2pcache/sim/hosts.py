"""Which part of GitHub a host name and a path stand for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

FILE_HOSTS = frozenset(
    {
        "codeload.github.com",
        "raw.githubusercontent.com",
        "objects.githubusercontent.com",
        "release-assets.githubusercontent.com",
        "results-receiver.actions.githubusercontent.com",
    }
)
"""Hosts that serve files by URLs that carry their own permission."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request belongs: `kind` "api", "graphql" or "files"; `path` after the API's root."""

    kind: str
    base: str
    path: str


@lru_cache(maxsize=4096)
def place(host: str, path: str) -> Place:
    """Return the place of a request; a host that is not GitHub's counts as api.github.com."""
    name = host.partition(":")[0].lower()
    if name in FILE_HOSTS:
        return Place("files", f"https://{name}", path)
    if path.startswith("/api/"):
        return _enterprise(name, path)
    base = "https://api.github.com"
    if name.startswith("api.") and name.endswith(".ghe.com"):
        base = f"https://{name}"
    return Place("graphql" if path == "/graphql" else "api", base, path)


def _enterprise(host: str, path: str) -> Place:
    base = f"https://{host}/api/v3"
    if path == "/api/graphql":
        return Place("graphql", base, "/graphql")
    return Place("api", base, path.removeprefix("/api/v3").removeprefix("/api/uploads") or "/")
