"""Which records a write may change: tags on the one side, what a write names on the other.

Tags: `site:SITE` on all that a write of unknown reach may change, `elsewhere:SITE` on what names
no repository, `repo:SITE/owner/name`, its alias `repoid:SITE/123`, and `node:ID`.
"""

from __future__ import annotations

import json
import re
from typing import Literal

from gh_p2pcache.policy.graphql import Operation, parse
from gh_p2pcache.policy.hosts import ApiCall, api_root
from gh_p2pcache.policy.paths import place
from gh_p2pcache.policy.plan import Plan, elsewhere
from gh_p2pcache.records.message import Request, Response

_NODE_ID = re.compile(rb'"node_id"\s*:\s*"([^"\\]{1,200})"')
_FULL_NAME = re.compile(rb'"full_name"\s*:\s*"([\w.-]+/[\w.-]+)"')
_REPOSITORY_URL = re.compile(rb'"repository_url"\s*:\s*"[^"\\]*/repos/([\w.-]+/[\w.-]+)"')
_URL = re.compile(rb'url"\s*:\s*"[^"\\]*/repos/([\w.-]+/[\w.-]+)[/"]')
_REPOSITORY = re.compile(
    rb'"id"\s*:\s*(\d+)\s*,\s*"node_id"\s*:\s*"[^"\\]*"\s*,\s*"name"\s*:\s*"[^"\\]*"\s*,'
    rb'\s*"full_name"\s*:\s*"([^"\\]+)"'
)
_REPOSITORY_LINK = re.compile(rb"/repositories/(\d+)\b")
_NAME_WITH_OWNER = re.compile(rb'"nameWithOwner"\s*:\s*"([\w.-]+/[\w.-]+)"')
_ACCOUNT = (b"U_", b"BOT_", b"O_", b"M_", b"MDQ6VXNlcj", b"MDM6Qm90", b"MDEyOk9yZ2FuaXphdGlvbj")
_LOOKS_LIKE_ID = re.compile(r'"((?:[A-Za-z]{1,8}_[\w-]{4,190}|MD[A-Za-z0-9+/]{6,190}={0,2}))\\?"')

Outcome = Literal["done", "undecided", "refused"]


def response_tags(plan: Plan, response: Response, decoded_body: bytes) -> frozenset[str]:
    """Return the tags that an answer itself gives its record.

    Ids of users, bots and organizations are left out: a mutation that names an assignee changes
    nothing but the issue, though every repository has records that show that user.
    """
    if plan.operation is not None:
        ids = _graphql_ids(plan.operation, decoded_body)
        repos = set(_NAME_WITH_OWNER.findall(decoded_body))
        numbers: set[bytes] = set()
    else:
        ids = set(_NODE_ID.findall(decoded_body))
        repos, numbers = _rest_repositories(plan, response, decoded_body)
    tags = {f"node:{id_.decode('latin-1')}" for id_ in ids if not id_.startswith(_ACCOUNT)}
    tags |= {f"repo:{plan.site}/{repo.decode().lower()}" for repo in repos}
    tags |= {f"repoid:{plan.site}/{number.decode()}" for number in numbers}
    return frozenset(tags)


def _graphql_ids(operation: Operation, decoded_body: bytes) -> set[bytes]:
    names = {"id"} | {key for key, fields in operation.fields.items() if "id" in fields}
    names_of_ids = "|".join(map(re.escape, sorted(names)))
    return set(
        re.findall(rb'"(?:%b)"\s*:\s*"([^"\\]{1,200})"' % names_of_ids.encode(), decoded_body)
    )


def _rest_repositories(
    plan: Plan, response: Response, decoded_body: bytes
) -> tuple[set[bytes], set[bytes]]:
    """Return the names and numbers of the repositories that an answer shows or links to."""
    repos = set(_FULL_NAME.findall(decoded_body)) | set(_REPOSITORY_URL.findall(decoded_body))
    numbers = {
        number
        for number, name in _REPOSITORY.findall(decoded_body)
        if f"repo:{plan.site}/{name.decode('latin-1').lower()}" in plan.tags
    }
    for name, value in response.headers:
        if name in {b"link", b"location"}:
            numbers.update(_REPOSITORY_LINK.findall(value))
    if any(tag.startswith("repoid:") for tag in plan.tags) and (url := _URL.search(decoded_body)):
        repos.add(url[1])
    return repos, numbers


def written_tags(request: Request) -> frozenset[str]:
    """Return the tags of what an unsafe request may change, as far as the request tells.

    A write to a repository changes that and whatever names none (searches, lists of an account);
    one to another place may change anything of its site, and so may the update of a pull request's
    branch: it is pushed to the fork that the request does not name. Uploads of release assets go by
    another host to the same repository. A GraphQL mutation is told by `mutation_nodes`; a body
    that is not understood may be one.
    """
    call = api_root(request.host, request.target)
    if call is None:
        return frozenset()
    if call.surface == "graphql":
        operation = parse(request.body)
        if operation is None:
            return frozenset({f"site:{call.site}"})
        if operation.kind != "mutation":
            return frozenset()
        pushes = b"updatePullRequestBranch" in request.body
        return frozenset({f"site:{call.site}" if pushes else elsewhere(call.site)})
    return _written_by_rest(call)


def _written_by_rest(call: ApiCall) -> frozenset[str]:
    here = place(call.path)
    if call.path.endswith("/update-branch"):
        here = None
    if here is not None and here.repo is not None:
        return frozenset({f"repo:{call.site}/{here.repo}", elsewhere(call.site)})
    if here is not None and here.repo_id is not None:
        return frozenset({f"repoid:{call.site}/{here.repo_id}", elsewhere(call.site)})
    return frozenset({f"site:{call.site}"})


def mutation_nodes(body: bytes, response_body: bytes | None) -> frozenset[str]:
    """Return the `node:` tags of everything that looks like an id in a mutation or its answer.

    More than ids may look like one (`PULL_REQUEST`): such a tag is on no record and does nothing.
    Both forms of GitHub's global ids count, `PR_kwDO…` and base64 (`MDU6SXNzdWUx`).
    """
    found: set[str] = set()
    for text in (body, response_body):
        if text:
            found.update(_LOOKS_LIKE_ID.findall(_unescaped(text)))
    return frozenset(f"node:{id_}" for id_ in found)


def _unescaped(text: bytes) -> str:
    """Return JSON with every escaped ASCII character as itself, other text as it is."""
    try:
        return json.dumps(json.loads(text))
    except (ValueError, RecursionError):
        return text.decode("latin-1")


def outcome(status: int | None) -> Outcome:
    """Tell what became of a write by the status of its answer; None: there was no answer.

    A definite 4xx did nothing (RFC 9110 section 15.5: the client erred, also 429 of RFC 6585),
    but 408 (section 15.5.9) tells of the connection, not of the write. A 5xx leaves it open.
    """
    if status is None or status >= 500 or status == 408:
        return "undecided"
    return "refused" if status >= 400 else "done"
