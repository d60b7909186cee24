"""The asyncio twins do the same, and do it off the loop."""

from __future__ import annotations

import asyncio
import inspect
import threading
from pathlib import Path

from gh_p2pcache.api import Cache
from support.caches import VirtualTime, new_cache


class WatchedTime(VirtualTime):
    """Knows which threads have asked for the time, as every look at an entry does."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[int] = set()

    def steady(self) -> float:
        self.threads.add(threading.get_ident())
        return super().steady()


async def test_the_twins_do_the_same(cache: Cache) -> None:
    async with cache as the_same:
        assert await the_same.aput("op", {"a": 1}, 60, "x", page=1)
        assert await the_same.aput("old", 2, 0)
        assert await the_same.aget("op", "x", page=1) == {"a": 1}
        assert await the_same.aget("old") is None
        assert await the_same.aget_stale("old") == 2
        found = await the_same.afind("old")
        assert found is not None
        assert not found.fresh
        stats = await the_same.aget_stats()
        assert (stats["hits"], stats["misses"], stats["stale"]) == (1, 1, 1)
        assert await the_same.ainvalidate("op", "x", page=1)
        assert await the_same.ainvalidate_pattern("ol") == 1
        assert await the_same.aput("op", 1)
        assert await the_same.aclear() == 1


async def test_the_loop_does_none_of_the_work(tmp_path: Path) -> None:
    time = WatchedTime()
    cache = new_cache(tmp_path, time)
    time.threads.clear()
    await cache.aput("op", 1, 60)
    await asyncio.gather(*(cache.aget("op") for _ in range(20)))
    await cache.aget_stale("op")
    await cache.afind("op")
    assert time.threads
    assert threading.get_ident() not in time.threads


def test_every_operation_has_a_twin_with_the_same_parameters() -> None:
    operations = [
        name
        for name, method in inspect.getmembers(Cache, inspect.isfunction)
        if not name.startswith(("_", "a"))
    ]
    assert len(operations) == 8
    for name in operations:
        one = inspect.signature(getattr(Cache, name))
        twin = inspect.signature(getattr(Cache, f"a{name}"))
        assert one == twin, name
