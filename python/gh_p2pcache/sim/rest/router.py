"""The table of REST routes: a decorator to fill it, a look-up, and who may pass."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from gh_p2pcache.sim.answers import Answer, Call, error, redirect
from gh_p2pcache.sim.model import Repo

Handler = Callable[[Call], Answer]
REPO = "/repos/{owner}/{repo}"


@dataclass(frozen=True, slots=True)
class Route:
    """A route: `permission` is what a repository's route asks of a token."""

    method: str
    template: str
    pattern: re.Pattern[str]
    permission: str
    handler: Handler


_table: dict[tuple[str, bool, str], list[Route]] = {}


def route(method: str, template: str, permission: str = "") -> Callable[[Handler], Handler]:
    """Register a handler; a template that starts with `=` lies under a repository.

    `{name}` is one segment, `{name...}` the rest of the path; such routes are tried last.
    """

    def register(handler: Handler) -> Handler:
        inside = template.startswith("=")
        path = template.removeprefix("=")
        pattern = re.sub(r"\{(\w+)\.\.\.\}", r"(?P<\1>.*)", path)
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
        label = f"{method} {REPO if inside else ''}{path}"
        entry = Route(method, label, re.compile(pattern), permission, handler)
        routes = _table.setdefault((method, inside, _first(path)), [])
        routes.append(entry)
        routes.sort(key=lambda other: "..." in other.template)
        return handler

    return register


def _first(path: str) -> str:
    return path.split("/", 2)[1] if "/" in path else ""


def dispatch(call: Call) -> tuple[str, Answer]:
    """Return the route's label and its answer; raises HTTPError for errors."""
    inside = _enter_repository(call)
    path = call.path if inside is None else inside[1]
    method = "GET" if call.method == "HEAD" else call.method
    for entry in _table.get((method, inside is not None, _first(path)), ()):
        match = entry.pattern.fullmatch(path)
        if match is None:
            continue
        call.args = {name: unquote(value) for name, value in match.groupdict().items()}
        if inside is not None:
            moved = _admit(call, inside[0], entry)
            if moved is not None:
                return entry.template, moved
        return entry.template, entry.handler(call)
    raise error(404)


def _enter_repository(call: Call) -> tuple[str, str] | None:
    """Return (which repository, path inside it) if the path lies under one."""
    parts = call.path.split("/", 4)
    if len(parts) >= 4 and parts[1] == "repos":
        return f"{parts[2]}/{parts[3]}", "/" + parts[4] if len(parts) > 4 else ""
    if len(parts) >= 3 and parts[1] == "repositories":
        rest = call.path.split("/", 3)[3:]
        return parts[2], "/" + rest[0] if rest else ""
    return None


def _admit(call: Call, named: str, entry: Route) -> Answer | None:
    """Set the call's repository; a former name is redirected, 404 and 403 as GitHub has them."""
    repo, moved = _find(call, named)
    if repo is None or not call.world.readable(call.token, repo):
        raise error(404)
    if moved:
        rest = call.path.split("/", 4)[4:]
        location = "/".join([f"{call.base}/repositories/{repo.id}", *rest])
        return redirect(301 if call.method in ("GET", "HEAD") else 307, location)
    write = call.method not in ("GET", "HEAD")
    if not call.world.may(call.token, repo, entry.permission or "metadata", write=write):
        if call.token.kind == "user":
            raise error(403, "Must have admin rights to Repository.") if write else error(404)
        kind = {"installation": "integration"}.get(call.token.kind, "personal access token")
        raise error(403, f"Resource not accessible by {kind}")
    call.repo = repo
    return None


def _find(call: Call, named: str) -> tuple[Repo | None, bool]:
    owner, slash, name = named.partition("/")
    if not slash:
        return call.world.repos.get(int(named) if named.isdigit() else -1), False
    repo = call.world.repo(owner, name)
    return repo or call.world.find_repo(owner, name), repo is None
