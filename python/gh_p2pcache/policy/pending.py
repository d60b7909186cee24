"""Answers that are about to change: runs, checks and merge states still being worked out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gh_p2pcache.policy.graphql import Operation
from gh_p2pcache.policy.plan import Plan

_UNFINISHED = frozenset(
    {
        "building",
        "expected",
        "in_progress",
        "pending",
        "queued",
        "requested",
        "unknown",
        "waiting",
    }
)
_LISTS = ("workflow_runs", "jobs", "check_runs", "check_suites", "statuses")
_STATE_FIELDS = frozenset({"state", "status", "mergeable", "mergeStateStatus"})
_CHECK_LISTS = frozenset({"contexts", "checkRuns", "checkSuites"})


def pending(plan: Plan, decoded_body: bytes) -> bool:
    """Tell whether a *status* answer is pending; one that cannot be read counts as such.

    Pending is an empty list (checks start moments after a push), anything not completed, and a
    merge state that GitHub is still computing (`mergeable` null or UNKNOWN).
    """
    try:
        document = json.loads(decoded_body)
    except (ValueError, RecursionError):
        return True
    if plan.operation is not None:
        return _graphql_pending(document, plan.operation)
    if isinstance(document, list):
        return not document or any(map(_unfinished, document))
    if not isinstance(document, dict):
        return True
    for name in _LISTS:
        items = document.get(name)
        if isinstance(items, list) and (not items or any(map(_unfinished, items))):
            return True
    return _unfinished(document)


def _unfinished(item: object) -> bool:
    if not isinstance(item, dict):
        return False
    if item.get("state") == "open" and "mergeable" in item:
        return item["mergeable"] is None or item.get("mergeable_state") == "unknown"
    if "conclusion" in item and item.get("status") != "completed":
        return True
    return any(
        isinstance(word, str) and word in _UNFINISHED
        for word in (item.get("status"), item.get("state"))
    )


def _graphql_pending(document: object, operation: Operation) -> bool:
    return any(
        _says_pending(operation.fields.get(key) or frozenset({key}), value)
        for key, value in _members(document)
    )


def _says_pending(fields: frozenset[str], value: object) -> bool:
    """Judge one value by the fields that its name may stand for."""
    if isinstance(value, str):
        return value.lower() in _UNFINISHED and not _STATE_FIELDS.isdisjoint(fields)
    if isinstance(value, dict):
        return not _CHECK_LISTS.isdisjoint(fields) and _is_empty(value)
    return value is None and "statusCheckRollup" in fields


def _is_empty(connection: dict[str, Any]) -> bool:
    said = [connection[name] for name in ("nodes", "edges", "totalCount") if name in connection]
    return bool(said) and not any(said)


def _members(document: object) -> Iterator[tuple[str, object]]:
    """Yield every (name, value) of every object in a JSON document, however deep."""
    heap = [document]
    while heap:
        item = heap.pop()
        if isinstance(item, dict):
            yield from item.items()
            heap.extend(item.values())
        elif isinstance(item, list):
            heap.extend(item)
