"""Asks a sim in this process, as one of its tokens."""

import asyncio
import json
from typing import Any

from gh_p2pcache.records.message import Headers, Request, Response, header
from gh_p2pcache.sim.clock import Clock
from gh_p2pcache.sim.sim import Sim
from support.sim import SECRETS

NOON = 1_750_000_000.0


def still_sim() -> Sim:
    """A sim whose clock stands until a test shifts it."""
    return Sim(Clock(lambda: NOON))


def request(
    method: str,
    target: str,
    token: str | None = "alice",
    body: object = None,
    *,
    host: str = "api.github.com",
    **headers: str,
) -> Request:
    """A request with gh's usual headers; keyword arguments are further ones (`_` for `-`)."""
    fields = {"host": host, "user-agent": "test", "accept": "*/*"}
    if token is not None:
        fields["authorization"] = f"token {SECRETS.get(token, token)}"
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    packed: Headers = tuple((name.encode(), value.encode()) for name, value in fields.items())
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Request(method, host, target, packed, data)


def ask(
    sim: Sim,
    method: str,
    target: str,
    token: str | None = "alice",
    body: object = None,
    *,
    host: str = "api.github.com",
    **headers: str,
) -> Response:
    """Return the sim's answer; OriginError where a client would see a broken connection."""
    return asyncio.run(sim.handle(request(method, target, token, body, host=host, **headers)))


def field(response: Response, name: str) -> str:
    """Return a header field's first value, empty if it is not there."""
    return (header(response.headers, name.encode()) or b"").decode()


def graphql(sim: Sim, query: str, token: str = "alice", **variables: object) -> Any:
    """Return the answer to a GraphQL document."""
    body = {"query": query, "variables": variables}
    return json.loads(ask(sim, "POST", "/graphql", token, body).body)
