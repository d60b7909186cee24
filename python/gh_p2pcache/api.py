"""The cache for Python programs: values of your own in the store that gh's answers lie in.

`get_global_cache()` is the way in; docs/python-api.md shows its use.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Any, TypedDict, final
from weakref import WeakSet

from gh_p2pcache import settings
from gh_p2pcache._values import DataError, dumps, loads, question
from gh_p2pcache.engine.clock import Clock, TimeSource
from gh_p2pcache.engine.principals import machine_secret
from gh_p2pcache.errors import StoreError
from gh_p2pcache.records.record import Record
from gh_p2pcache.records.seal import ScopeKeys, derive, team_keys
from gh_p2pcache.store.disk import DiskStore
from gh_p2pcache.store.report import Reporter

__all__ = ["Cache", "CacheStats", "DataError", "Found", "get_global_cache"]

_LOG = logging.getLogger(__name__)
_HOST = "(python)"
"""Where GitHub's records name a host: parentheses are part of none."""
_ROOM = "/python/"
"""What the names of entries begin with for `gh p2pcache purge '/python/*'`."""


@dataclass(frozen=True, slots=True)
class Found:
    """An entry: `age` is the seconds since it was put, `ttl` how many of them it is fresh for."""

    data: Any
    age: float
    ttl: float

    @property
    def fresh(self) -> bool:
        """Tell whether `get` would return it."""
        return self.age < self.ttl


class CacheStats(TypedDict):
    """What `Cache.get_stats` returns; all but `store_…` counts what this process did.

    `stale`: answers of `get_stale` that `get` would not have given; `hit_rate`: 0 to 1;
    `store_bytes`: disk that the whole store takes, GitHub's answers included; `events`: what the
    store reports (`quarantined`, `evicted`, `write_failed`, …) by name.
    """

    hits: int
    misses: int
    stale: int
    kept: int
    not_kept: int
    hit_rate: float
    store_records: int
    store_bytes: int
    events: dict[str, int]


@final
class Cache:
    """Values by operation and arguments, sealed, on disk, shared by all processes of the user.

    Safe among threads, processes and forked children. Every operation has an `a…` twin for
    asyncio, which works in a thread. Nothing here raises for a bad disk: that is a miss, or not
    kept, counted and logged. What can be data and arguments: docs/python-api.md; DataError for
    the rest.
    """

    def __init__(self, configured: settings.Settings, time: TimeSource | None = None) -> None:
        self._settings = configured
        self._clock = Clock(time)
        self._derived: ScopeKeys | None = None
        self._open()
        _caches.add(self)

    def get(self, operation: str, /, *args: object, **kwargs: object) -> Any:
        """Return the fresh data of an operation with these arguments, or None."""
        found = self.find(operation, *args, **kwargs)
        if found is None or not found.fresh:
            self._count("misses")
            return None
        self._count("hits")
        return found.data

    def get_stale(self, operation: str, /, *args: object, **kwargs: object) -> Any:
        """Return the data although it may have expired, at most CACHE_MAX_STALE old; or None."""
        found = self.find(operation, *args, **kwargs)
        if found is None:
            return None
        if not found.fresh:
            self._count("stale")
        return found.data

    def find(self, operation: str, /, *args: object, **kwargs: object) -> Found | None:
        """Return what `get_stale` would, with its age; tells a kept None from none kept."""
        key, _ = question(operation, args, kwargs)
        keys = self._keys()
        kept = None if keys is None else self._disk.get(keys.tag(key), keys, key)
        if kept is None:
            return None
        validation = kept.validation
        age = self._clock.age(validation.validated_at, validation.github_date)
        if age >= validation.ttl and age > self._settings.max_stale:
            return None
        return Found(loads(kept.record.body), age, validation.ttl)

    def put(
        self,
        operation: str,
        data: object,
        /,
        ttl: float | None = None,
        *args: object,
        **kwargs: object,
    ) -> bool:
        """Keep `data`, fresh for `ttl` seconds (None: CACHE_DEFAULT_TTL); tell whether it is kept.

        It replaces what was there. Larger data than CACHE_MAX_ENTRY is not kept.
        """
        key, name = question(operation, args, kwargs)
        body = dumps(data)
        life = self._settings.default_ttl if ttl is None else ttl
        if not life >= 0:
            raise DataError(f"a lifetime is 0 seconds or more, not {ttl!r}")
        kept = self._write(key, name, body, float(life))
        self._count("kept" if kept else "not_kept")
        return kept

    def invalidate(self, operation: str, /, *args: object, **kwargs: object) -> bool:
        """Drop the entry of exactly these arguments; tell whether there was one."""
        key, _ = question(operation, args, kwargs)
        keys = self._keys()
        return keys is not None and self._disk.remove(keys.tag(key))

    def invalidate_pattern(self, pattern: str) -> int:
        """Drop every entry whose name begins with `pattern`, whoever put it; return how many.

        A name is `operation:argument:…:keyword=argument:…`; `*`, `?` and `[…]` stand for what they
        do in a shell. Reads the whole store.
        """
        keys = self._keys()
        if keys is None:
            return 0
        wanted = f"{_ROOM}{pattern}*"
        return sum(
            self._disk.remove(tag)
            for tag, kept in self._disk.walk([keys])
            if kept.record.host == _HOST and fnmatchcase(kept.record.target, wanted)
        )

    def clear(self) -> int:
        """Drop all entries that this API put, in whichever process; return how many.

        GitHub's answers stay (`gh p2pcache purge` drops those). Reads the whole store.
        """
        return self.invalidate_pattern("")

    def get_stats(self) -> CacheStats:
        """Return the counters of this process and what the store holds."""
        usage = self._disk.usage()
        with self._lock:
            counts, events = self._counts.copy(), dict(self._events)
        asked = counts["hits"] + counts["misses"]
        return CacheStats(
            hits=counts["hits"],
            misses=counts["misses"],
            stale=counts["stale"],
            kept=counts["kept"],
            not_kept=counts["not_kept"],
            hit_rate=counts["hits"] / asked if asked else 0.0,
            store_records=usage.records,
            store_bytes=usage.bytes,
            events=events,
        )

    @property
    def hits(self) -> int:
        """How many times `get` had fresh data, in this process."""
        return self._counts["hits"]

    @property
    def misses(self) -> int:
        """How many times `get` had none, in this process."""
        return self._counts["misses"]

    async def aget(self, operation: str, /, *args: object, **kwargs: object) -> Any:
        """See `get`."""
        return await asyncio.to_thread(self.get, operation, *args, **kwargs)

    async def aget_stale(self, operation: str, /, *args: object, **kwargs: object) -> Any:
        """See `get_stale`."""
        return await asyncio.to_thread(self.get_stale, operation, *args, **kwargs)

    async def afind(self, operation: str, /, *args: object, **kwargs: object) -> Found | None:
        """See `find`."""
        return await asyncio.to_thread(self.find, operation, *args, **kwargs)

    async def aput(
        self,
        operation: str,
        data: object,
        /,
        ttl: float | None = None,
        *args: object,
        **kwargs: object,
    ) -> bool:
        """See `put`."""
        return await asyncio.to_thread(self.put, operation, data, ttl, *args, **kwargs)

    async def ainvalidate(self, operation: str, /, *args: object, **kwargs: object) -> bool:
        """See `invalidate`."""
        return await asyncio.to_thread(self.invalidate, operation, *args, **kwargs)

    async def ainvalidate_pattern(self, pattern: str) -> int:
        """See `invalidate_pattern`."""
        return await asyncio.to_thread(self.invalidate_pattern, pattern)

    async def aclear(self) -> int:
        """See `clear`."""
        return await asyncio.to_thread(self.clear)

    async def aget_stats(self) -> CacheStats:
        """See `get_stats`."""
        return await asyncio.to_thread(self.get_stats)

    def __enter__(self) -> Cache:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Do nothing: what was put is on disk, and nothing is held open."""

    async def __aenter__(self) -> Cache:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Do nothing; see `__exit__`."""

    def _open(self) -> None:
        """Start afresh: at the beginning, and in a forked child, where locks may be held for ever.

        The counters of a child start at zero.
        """
        self._lock = threading.Lock()
        self._deriving = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._events: Counter[str] = Counter()
        self._report = Reporter(self._event)
        self._disk = DiskStore(
            self._settings.cache_dir, self._settings.max_size, on_event=self._event
        )

    def _keys(self) -> ScopeKeys | None:
        """Return the scope of this machine or team, None where it cannot be had.

        The first time takes 20 ms, with a shared secret up to 120 ms.
        """
        with self._deriving:
            if self._derived is None:
                try:
                    self._derived = self._derive()
                except StoreError as error:
                    self._report("no_key", error)
            return self._derived

    def _derive(self) -> ScopeKeys:
        if self._settings.secret:
            return team_keys(self._settings.secret)
        return derive(machine_secret(self._settings.state_dir), "machine")

    def _write(self, key: bytes, name: str, body: bytes, ttl: float) -> bool:
        keys = self._keys()
        if keys is None:
            return False
        if len(body) > self._settings.max_entry:
            self._report("too_large", f"{len(body)} bytes by put()")
            return False
        now = self._clock.now()
        record = Record(
            key=key,
            method="PUT",
            host=_HOST,
            target=_ROOM + name,
            status=200,
            headers=(),
            body=body,
            # The store keeps the newest by this date; of two processes here the last one wins.
            github_date=0,
            fetched_at=now,
            scope=keys.id,
            tags=(),
            publisher=keys.pseudonym(b"python"),
            access=None,
        )
        kept = self._disk.put(
            keys.tag(key), keys, record, validation_date=0, validated_at=now, ttl=ttl
        )
        return kept is not None

    def _count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1

    def _event(self, name: str) -> None:
        with self._lock:
            self._events[name] += 1


def get_global_cache() -> Cache:
    """Return this process's cache, made at the first call from the environment and config.toml."""
    if "cache" not in _global:
        _global.setdefault("cache", Cache(_configured(os.environ)))
    return _global["cache"]


def _configured(env: Mapping[str, str]) -> settings.Settings:
    configured = settings.in_force(env)
    for warning in configured.warnings:
        _LOG.warning("%s", warning)
    return configured


_global: dict[str, Cache] = {}
_caches: WeakSet[Cache] = WeakSet()


def _reopen() -> None:
    for cache in _caches:
        cache._open()  # noqa: SLF001 - a function of this module, not of the class, since weak


os.register_at_fork(after_in_child=_reopen)
