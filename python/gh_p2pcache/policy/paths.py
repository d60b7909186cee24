"""Paths below the API root: the repository they name, and those that are too odd to judge."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from gh_p2pcache.policy.key import MALFORMED, normalised_escapes

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_ODD = re.compile(r"//|/\.\.?(?:/|$)|\\|%5C|%00")
_REMEMBERED_LENGTH = 256
_SLASH = re.compile("%2F")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads.

    `repo` is `owner/name` in lower case, or None; `repo_id` is the number of a
    `/repositories/{id}` alias, or None; `rest` is what follows either (`/issues`, or nothing).
    `path` is the normalised path, owner and name in lower case.
    """

    path: str
    repo: str | None
    repo_id: str | None
    rest: str


def place(path: str) -> Place | None:
    """Judge a path below the API root; None if it is odd.

    Odd is what a server may resolve to another path than the one it looks like: dot segments
    (RFC 3986 section 5.2.4), empty segments, backslashes, these behind percent-encoding, a % that
    escapes nothing, and an owner or name that no repository can have. Such a path must never be
    taken for the repository that its first segments name.
    """
    return _remembered(path) if len(path) <= _REMEMBERED_LENGTH else _place(path)


def _place(path: str) -> Place | None:
    if "%" in path:
        path = normalised_escapes(path)
        if MALFORMED.search(path) or _ODD.search(_SLASH.sub("/", path)):
            return None
    elif _ODD.search(path):
        return None
    parts = path.split("/", 4)
    if parts[1] == "repos" and len(parts) > 3:
        owner, name = parts[2], parts[3]
        if not (_NAME.fullmatch(owner) and _NAME.fullmatch(name)):
            return None
        rest = "/" + parts[4] if len(parts) > 4 else ""
        repo = f"{owner}/{name}".lower()
        return Place(f"/repos/{repo}{rest}", repo.removesuffix(".git"), None, rest)
    if parts[1] == "repositories" and len(parts) > 2 and parts[2].isascii() and parts[2].isdigit():
        rest = path[len("/repositories/") + len(parts[2]) :]
        return Place(path, None, parts[2], rest)
    return Place(path, None, None, path)


_remembered = lru_cache(maxsize=4096)(_place)
