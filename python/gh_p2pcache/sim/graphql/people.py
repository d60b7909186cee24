"""Actors as GraphQL objects."""

from __future__ import annotations

from gh_p2pcache.sim.answers import Call
from gh_p2pcache.sim.clock import iso
from gh_p2pcache.sim.graphql.walk import Object
from gh_p2pcache.sim.rest.shapes import user_node


def actor(call: Call, login: str | None) -> Object | None:
    """Return a user, an organization or a bot; None for nobody."""
    account = call.world.account(login) if login else None
    if account is None:
        return None
    name = account.login.removesuffix("[bot]")
    return {
        "__typename": account.kind,
        "id": user_node(account),
        "databaseId": account.id,
        "login": name,
        "name": account.name,
        "email": account.email or "",
        "url": f"{call.site}/{name}",
        "resourcePath": f"/{name}",
        "avatarUrl": f"https://avatars.githubusercontent.com/u/{account.id}?v=4",
        "createdAt": iso(account.created_at),
        "updatedAt": iso(account.updated_at),
        "slug": name,
        "organizations": lambda _a: [
            actor(call, org)
            for org, logins in call.world.members.items()
            if account.login in logins
        ],
    }


def viewer(call: Call) -> Object | None:
    """Return the caller with what only the caller sees."""
    me = actor(call, call.token.login)
    if me is None:
        return None
    return me | {"isViewer": True, "projectsV2": []}
