"""Requests, answers and plans as policy sees them, in the fewest words a test needs."""

from __future__ import annotations

import json
from typing import Any

from gh_p2pcache.policy.plan import Plan, plan
from gh_p2pcache.records.message import Headers, Request, Response

GH = (
    (b"accept", b"*/*"),
    (b"accept-encoding", b"gzip"),
    (b"authorization", b"token one"),
    (b"content-type", b"application/json; charset=utf-8"),
    (b"time-zone", b"Europe/Berlin"),
    (b"user-agent", b"GitHub CLI 2.103.3"),
)
"""What gh 2.103 sends with every call."""


def fields(**named: str) -> Headers:
    """Header fields from keywords, `if_none_match` for If-None-Match."""
    return tuple((n.replace("_", "-").encode(), v.encode()) for n, v in named.items())


def get(target: str, host: str = "api.github.com", *, method: str = "GET", **more: str) -> Request:
    """A read as gh sends it, with `more` header fields."""
    return Request(method, host, target, GH + fields(**more))


def graphql(query: str, variables: object = None, **more: str) -> Request:
    """A GraphQL call as gh sends it; `operation_name` goes into the body."""
    said: dict[str, Any] = {"query": query}
    if variables is not None:
        said["variables"] = variables
    if name := more.pop("operation_name", None):
        said["operationName"] = name
    body = json.dumps(said).encode()
    return Request("POST", "api.github.com", "/graphql", GH + fields(**more), body)


def planned(target: str, **more: str) -> Plan:
    """The plan of a GET that is kept."""
    made = plan(get(target, **more))
    assert made.action == "keep", made.reason
    return made


def asked(query: str, variables: object = None) -> Plan:
    """The plan of a GraphQL query that is kept."""
    made = plan(graphql(query, variables))
    assert made.action == "keep", made.reason
    return made


def answer(body: object = b"", status: int = 200, **named: str) -> Response:
    """An answer; a body that is not bytes becomes JSON, with the content type that says so."""
    if isinstance(body, bytes):
        return Response(status, fields(**named), body)
    json_type = fields(content_type="application/json; charset=utf-8")
    return Response(status, fields(**named) + json_type, json.dumps(body).encode())
