"""Mutations: each changes the world as the REST API does and returns what it changed."""

from __future__ import annotations

from gh_p2pcache.sim.answers import Call
from gh_p2pcache.sim.graphql.walk import Object


def mutation_root(call: Call) -> Object:
    """Return the root object of a mutation."""
    del call
    return {"__typename": "Mutation"}
