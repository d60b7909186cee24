"""What an answer proves about the principal that got it: access to a class of a repository."""

from __future__ import annotations

import json
from collections.abc import Iterator

from gh_p2pcache.policy.classes import ANY, ITSELF, with_implied
from gh_p2pcache.policy.graphql import Evidence, Operation
from gh_p2pcache.policy.plan import Plan
from gh_p2pcache.records.message import Response

_REST = frozenset({200, 304})


def proved(
    plan: Plan, response: Response, decoded_body: bytes, digest: bytes = b""
) -> frozenset[tuple[str, str]]:
    """Return the (repository, class) pairs that an answer of GitHub's own proves.

    `digest` names the record that the answer made or confirmed; without one the class `itself`
    is not proven.

    REST: a 200, or a 304 to an ETag that only this token's answer can have. GraphQL: the classes
    of which an error-free 200 returned an object; an empty list proves nothing, as GitHub hides
    what a token may not see.
    """
    access = plan.access
    if access is None:
        return frozenset()
    if plan.operation is not None:
        classes = _shown(plan.operation, response, decoded_body)
    elif response.status in _REST:
        classes = access.for_record(digest).classes if digest else access.classes - {ITSELF}
        classes |= {ANY}
    else:
        classes = frozenset()
    return frozenset((access.repo, name) for name in with_implied(classes))


def _shown(operation: Operation, response: Response, decoded_body: bytes) -> frozenset[str]:
    """Return the classes of which an answer to a query holds an object."""
    try:
        document = json.loads(decoded_body) if response.status == 200 else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or document.get("errors"):
        return frozenset()
    data = document.get("data")
    return frozenset(e.access_class for e in operation.evidence if _shows(data, e))


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
