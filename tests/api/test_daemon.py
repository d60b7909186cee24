"""The daemon and the Python API on one store: each knows the other's entries for what they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gh_p2pcache import settings
from gh_p2pcache.engine import upkeep
from gh_p2pcache.engine.assembly import House, build
from support.caches import environment, new_cache

SECRETS = [{}, {"CACHE_P2P_SHARED_SECRET": "p2pcache_team"}]


@pytest.fixture(params=SECRETS, ids=["machine", "team"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    env = environment(tmp_path, **request.param)
    house = await build(settings.load(env), env)
    yield house
    await house.close()


async def test_verify_and_purge_reach_entries(
    tmp_path: Path, request: pytest.FixtureRequest, house: House
) -> None:
    cache = new_cache(tmp_path, None, **request.node.callspec.params["house"])
    for branch in ("main", "next"):
        await cache.aput("failures", [], 60, "acme/site", branch=branch)
    await cache.aput("report", 1, 60)
    keys = upkeep.ring(house.desk, house.engine.principals, house.machine)
    assert await upkeep.verify(house.desk, keys) == {"ok": 3}
    assert await upkeep.purge_matching(house.desk, keys, "/repos/*") == 0
    assert await upkeep.purge_matching(house.desk, keys, "/python/failures*") == 2
    assert await cache.aget("failures", "acme/site", branch="main") is None
    assert await cache.aget("report") == 1
    assert await upkeep.purge_all(house.desk) == 1
    assert await cache.aget("report") is None
