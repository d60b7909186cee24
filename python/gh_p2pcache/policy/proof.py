"""What an answer proves about the principal that got it: access to a class of a repository."""

from __future__ import annotations

import json
from collections.abc import Iterator

from gh_p2pcache.policy.classes import with_implied
from gh_p2pcache.policy.graphql import Evidence
from gh_p2pcache.policy.plan import Access, Plan
from gh_p2pcache.records.message import Response

_REST = frozenset({200, 304})


def proved(plan: Plan, response: Response, decoded_body: bytes) -> frozenset[tuple[str, str]]:
    """Return the (repository, class) pairs that an answer of GitHub's own proves.

    REST: a 200, or a 304 to an ETag that only this token's answer can have. GraphQL: the classes
    of which an error-free 200 returned an object; an empty list proves nothing, as GitHub hides
    what a token may not see.
    """
    access = plan.access
    if access is None:
        return frozenset()
    if plan.operation is None:
        return _pairs(access, access.classes if response.status in _REST else frozenset())
    if response.status != 200:
        return frozenset()
    try:
        document = json.loads(decoded_body)
    except (ValueError, RecursionError):
        return frozenset()
    if not isinstance(document, dict) or document.get("errors"):
        return frozenset()
    shown = {e.access_class for e in plan.operation.evidence if _shows(document.get("data"), e)}
    return _pairs(access, frozenset(shown))


def _pairs(access: Access, classes: frozenset[str]) -> frozenset[tuple[str, str]]:
    return frozenset((access.repo, name) for name in with_implied(classes))


def _shows(data: object, evidence: Evidence) -> bool:
    return any(
        isinstance(found, dict)
        and (evidence.typename is None or found.get("__typename") == evidence.typename)
        for found in _reach(data, evidence.path)
    )


def _reach(data: object, path: tuple[str, ...]) -> Iterator[object]:
    """Yield what lies at `path`, through lists on the way."""
    heap = [(data, 0)]
    while heap:
        value, depth = heap.pop()
        if isinstance(value, list):
            heap.extend((item, depth) for item in value)
        elif depth == len(path):
            yield value
        elif isinstance(value, dict) and path[depth] in value:
            heap.append((value[path[depth]], depth + 1))
