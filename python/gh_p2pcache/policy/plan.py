"""The first decision about a request: past the cache, or kept under which key, scope and row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from gh_p2pcache.policy import rows
from gh_p2pcache.policy.classes import ITSELF
from gh_p2pcache.policy.hosts import ApiCall, api_root
from gh_p2pcache.policy.key import pretty, request_key
from gh_p2pcache.policy.paths import Place, place
from gh_p2pcache.policy.routes import REPOSITORY_TABLE, ROOT_TABLE, Route
from gh_p2pcache.policy.rows import Row
from gh_p2pcache.records.message import Request, header

if TYPE_CHECKING:
    from gh_p2pcache.policy.graphql import Operation

_READS = frozenset({"GET", "HEAD"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_ELSEWHERE = {"rest": "", "graphql": "", "uploads": "not the API"}
_PER_PAGE = re.compile(r"(?:^|&)per_page=(\d{1,4})(?:&|$)")
_SHA_REF = re.compile(r"(?:^|&)ref=[0-9a-f]{40}(?:&|$)")
_REFS = re.compile(r"(?:^|&)ref=")
_ME = re.compile("(?:@|%40)me", re.IGNORECASE)
_RENDERED = re.compile(rb"html|full")

_PAST_HEADERS = {
    b"range": "range",
    b"if-match": "precondition",
    b"if-unmodified-since": "precondition",
    b"if-range": "precondition",
    b"cookie": "cookie",
    b"upgrade": "upgrade",
}


@dataclass(frozen=True, slots=True)
class Access:
    """What a principal must have proven before it may read another's record.

    `repo` is `site/owner/name` in lower case; every class in `classes` is needed: contents,
    issues, pulls, actions, checks, statuses, deployments, and for GraphQL also `labels` (proven by
    issues or pulls, too) and `any` (proven by any class of the repository). `itself` nothing
    proves but the record in question: see `for_record`.
    """

    repo: str
    classes: frozenset[str]

    def for_record(self, digest: bytes) -> Access:
        """Return the access that the record of this digest takes.

        Tokens of different kinds get different bodies of an `itself` route (a repository shows
        the caller's permissions), so that the proof must be of the very body that is held.
        """
        if ITSELF not in self.classes:
            return self
        return Access(self.repo, frozenset({f"{ITSELF}:{digest.hex()}"}))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done with a request.

    `reason` is said of a bypass, in fixed words; `route` is a label of few values. `where` is
    `host/path` in normal form, what users' patterns are matched with. `access` None means
    private to the principal. `per_page` is 0 where there are no pages. `resource` is GitHub's
    name of the rate limit that the request counts against. `writes` says that the request may
    change something; `pretty` that GitHub pretty-prints for this client.
    """

    action: Literal["keep", "bypass"]
    reason: str
    route: str
    site: str
    where: str
    key: bytes
    access: Access | None
    row: Row
    tags: frozenset[str]
    resource: str
    per_page: int
    writes: bool = False
    pretty: bool = False
    operation: Operation | None = None

    @property
    def is_graphql(self) -> bool:
        """Whether the request went to the GraphQL endpoint, understood or not."""
        return self.resource == "graphql"


def plan(request: Request) -> Plan:
    """Classify a request; pure, and quick enough to be made for each hit."""
    call = api_root(request.host, request.target)
    if call is None:
        return _bypass("not GitHub", "other")
    if call.surface == "graphql":
        return _graphql(request, call)
    here = place(call.path)
    writes = request.method not in _SAFE
    if here is None:
        return _bypass("odd path", f"{_word(request.method)} other", call, writes=writes)
    route = _find(here)
    label = _label(request.method, here, route)
    reason = _why_past(request) or route.past or _ELSEWHERE[call.surface]
    if reason:
        return _bypass(reason, label, call, resource=route.resource, writes=writes)
    return _rest(request, call, here, route, label)


def _find(here: Place) -> Route:
    if here.repo is None and here.repo_id is None:
        return ROOT_TABLE.find(here.path)
    return REPOSITORY_TABLE.find(here.rest)


def _rest(request: Request, call: ApiCall, here: Place, route: Route, label: str) -> Plan:
    path = call.root + here.path
    row = route.row
    if route.at_sha and _SHA_REF.search(call.query) and len(_REFS.findall(call.query)) == 1:
        row = rows.IMMUTABLE
    access = None
    if route.access_class is not None and here.repo is not None and _shareable(request, call):
        access = Access(f"{call.site}/{here.repo}", frozenset({route.access_class}))
    return Plan(
        action="keep",
        reason="",
        route=label,
        site=call.site,
        where=request.host + path,
        key=request_key(request.method, request.host, path, call.query, request.headers),
        access=access,
        row=row,
        tags=_tags(call.site, here, row),
        resource=route.resource,
        per_page=_per_page(call.query) if route.paged else 0,
        pretty=pretty(request.headers),
    )


def _why_past(request: Request) -> str:
    """Return why a request is not for a cache at all, or nothing."""
    if request.method not in _READS:
        return "write"
    return _past_header(request) or ("body" if request.body else "")


def _past_header(request: Request) -> str:
    for name, value in request.headers:
        if name in _PAST_HEADERS:
            return _PAST_HEADERS[name]
        if name == b"cache-control" and b"no-store" in value.lower():
            return "no-store"
        if name == b"accept" and b"octet-stream" in value:
            return "download"
    return ""


def _shareable(request: Request, call: ApiCall) -> bool:
    """Tell whether the answer is the same for every principal of the class.

    GitHub renders HTML for the reader (signed image URLs, titles of what they may see).
    """
    accept = header(request.headers, b"accept")
    if accept and _RENDERED.search(accept.lower()):
        return False
    return not (call.query and _ME.search(call.query))


def _tags(site: str, here: Place, row: Row) -> frozenset[str]:
    """Return the tags that the request alone gives; `site:` is what a write of unknown reach drops.

    An immutable record outlives such a write, as only one to its own repository can end it.
    """
    if here.repo is not None:
        own = f"repo:{site}/{here.repo}"
    elif here.repo_id is not None:
        own = f"repoid:{site}/{here.repo_id}"
    else:
        own = elsewhere(site)
    return frozenset({own} if row is rows.IMMUTABLE else {own, f"site:{site}"})


def elsewhere(site: str) -> str:
    """Return the tag of records that name no repository: any write of the site may change them."""
    return f"elsewhere:{site}"


def _per_page(query: str) -> int:
    """Return GitHub's page size: 30 where none or rubbish is asked for, 100 at most."""
    found = _PER_PAGE.search(query) if query else None
    return min(int(found[1]), 100) or 30 if found else 30


def _label(method: str, here: Place, route: Route) -> str:
    prefix = "" if here.repo is None and here.repo_id is None else "/repos/{owner}/{repo}"
    return f"{_word(method)} {prefix}{route.label}"


def _word(method: str) -> str:
    """Return the method if it is one of GitHub's, or `other`: labels must stay few."""
    return method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} else "other"


def _bypass(
    reason: str,
    route: str,
    call: ApiCall | None = None,
    *,
    resource: str = "core",
    writes: bool = False,
) -> Plan:
    return Plan(
        action="bypass",
        reason=reason,
        route=route,
        site=call.site if call else "",
        where="",
        key=b"",
        access=None,
        row=rows.NEVER,
        tags=frozenset(),
        resource=resource,
        per_page=0,
        writes=writes,
    )


def _graphql(request: Request, call: ApiCall) -> Plan:
    from gh_p2pcache.policy import graphql

    bypass = partial(_bypass, call=call, resource="graphql")
    if request.method != "POST":
        return bypass("not a GraphQL call", "graphql other", writes=request.method not in _SAFE)
    operation = graphql.parse(request.body)
    if operation is None:
        return bypass("GraphQL not understood", "graphql other", writes=True)
    label = f"graphql {operation.kind}"
    if operation.kind == "mutation":
        return bypass("write", label, writes=True)
    reason = "stream" if operation.kind == "subscription" else _past_header(request)
    return bypass(reason, label) if reason else _query(request, call, operation, label)


def _query(request: Request, call: ApiCall, operation: Operation, label: str) -> Plan:
    path = call.root + call.path
    tags = {f"site:{call.site}"} | {f"repo:{call.site}/{repo}" for repo in operation.repos}
    if operation.elsewhere:
        tags.add(elsewhere(call.site))
    access = None
    if operation.member:
        (repo,) = operation.repos
        access = Access(f"{call.site}/{repo}", operation.classes)
    return Plan(
        action="keep",
        reason="",
        route=label,
        site=call.site,
        where=request.host + path,
        key=request_key(
            "POST", request.host, path, call.query, request.headers, extra=operation.canonical
        ),
        access=access,
        row=_graphql_row(operation),
        tags=frozenset(tags),
        resource="graphql",
        per_page=0,
        operation=operation,
    )


def _graphql_row(operation: Operation) -> Row:
    if operation.kind == "introspection":
        return rows.INTROSPECTION
    return rows.STATUS if operation.selects_status else rows.GRAPHQL
