"""The root of a query."""

from __future__ import annotations

from gh_p2pcache.sim.answers import Call
from gh_p2pcache.sim.graphql.walk import Object


def query_root(call: Call) -> Object:
    """Return the root object of a query."""
    del call
    return {"__typename": "Query"}
