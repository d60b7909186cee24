"""Work on the store as a whole: purge and verify, with the keys that this process knows."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from gh_p2pcache.engine.desk import Desk
from gh_p2pcache.engine.principals import Principals
from gh_p2pcache.errors import UsageError
from gh_p2pcache.policy.hosts import api_root
from gh_p2pcache.records.message import Headers, header
from gh_p2pcache.records.seal import ScopeKeys

Chosen = Callable[[str, tuple[str, ...]], bool]
"""Tells from path and tags whether a record is to go."""


def ring(desk: Desk, principals: Principals, machine: ScopeKeys) -> list[ScopeKeys]:
    """Return every key that can open records now."""
    own = [principal.keys for principal in principals.all()]
    return [machine, *own, *(keys for team in desk.teams.all for keys in team.ring)]


async def purge_all(desk: Desk) -> int:
    """Remove every record, whoever's; returns how many there were."""
    desk.shelf.forget_all()
    return await asyncio.to_thread(desk.shelf.disk.clear)


async def purge_repo(desk: Desk, keys: Sequence[ScopeKeys], site: str, name: str) -> int:
    """Bury everything of a repository (no key is needed for that) and remove what can be opened."""
    tag = f"repo:{site}/{name.lower()}"
    desk.tombstones.purge([tag])
    return await _remove(desk, keys, lambda _target, tags: tag in tags)


async def purge_matching(desk: Desk, keys: Sequence[ScopeKeys], pattern: str) -> int:
    """Remove the records whose path (`/repos/acme/*`) matches, of those that can be opened."""
    anchored = pattern if pattern.startswith(("/", "*")) else f"/{pattern}"
    return await _remove(desk, keys, lambda path, _tags: fnmatchcase(path, anchored))


async def forget_token(desk: Desk, principals: Principals, headers: Headers) -> int:
    """Drop the keys of a token that is refused, its proofs, and the records it alone can open.

    What a gateway of before still writes for it is buried as GitHub's 401 would (engine/fill).
    """
    if not header(headers, b"authorization"):
        raise UsageError("forget takes a token")
    principal = await principals.of(headers)
    date = int(desk.clock.github_now())
    desk.proofs.withdraw_all(principal.id, date)
    desk.tombstones.bury([f"scope:{principal.keys.id.hex()}"], date)
    principals.forget(principal)
    return await _remove(desk, [principal.keys], lambda _target, _tags: True)


async def verify(desk: Desk, keys: Sequence[ScopeKeys]) -> Counter[str]:
    """Check every record's CID, seal and key; counts verdicts (`ok`, `corrupt`, …)."""
    disk = desk.shelf.disk

    def check() -> Counter[str]:
        return Counter(disk.check(tag, keys) for tag in list(disk.tags()))

    return await asyncio.to_thread(check)


async def _remove(desk: Desk, keys: Sequence[ScopeKeys], chosen: Chosen) -> int:
    disk = desk.shelf.disk

    def remove() -> int:
        removed = 0
        for tag, kept in disk.walk(keys):
            record = kept.record
            call = api_root(record.host, record.target)
            path = call.path if call is not None else record.target
            if chosen(path, record.tags):
                removed += disk.remove(tag)
        return removed

    removed = await asyncio.to_thread(remove)
    desk.shelf.forget_all()
    return removed
