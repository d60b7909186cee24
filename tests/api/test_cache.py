"""One cache in one process: questions, counters, what others' entries and keys are to it."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path

import pytest

from gh_p2pcache.api import Cache, DataError
from gh_p2pcache.engine.principals import machine_secret
from gh_p2pcache.records.record import Record
from gh_p2pcache.records.seal import ScopeKeys, derive
from gh_p2pcache.store.disk import DiskStore
from support.caches import new_cache


def test_what_was_put_is_got(cache: Cache) -> None:
    report = {"runs": [{"id": 1, "ok": True}], "raw": b"\x00\xff", "share": 0.5, "note": None}
    assert cache.put("report", report, 60, "acme/site", branch="main")
    assert cache.get("report", "acme/site", branch="main") == report
    assert cache.get("report", "acme/site") is None
    assert cache.get("report", "acme/site", branch="other") is None
    assert (cache.hits, cache.misses) == (1, 2)


def test_a_second_put_replaces_the_first(cache: Cache) -> None:
    cache.put("op", "first", 60)
    cache.put("op", "second", 60)
    assert cache.get("op") == "second"


def test_any_keyword_may_be_part_of_a_question(cache: Cache) -> None:
    cache.put("op", 1, 60, operation="a", data="b", self="c")
    assert cache.get("op", operation="a", data="b", self="c") == 1


def test_none_that_is_kept_is_told_from_none_kept(cache: Cache) -> None:
    cache.put("op", None, 60)
    assert cache.get("op") is None
    assert cache.hits == 1
    found = cache.find("op")
    assert found is not None
    assert found.data is None
    assert cache.find("other") is None


def test_what_is_got_is_the_callers_own(cache: Cache) -> None:
    cache.put("op", ["kept"], 60)
    cache.get("op").append("changed")
    assert cache.get("op") == ["kept"]


def test_data_that_cannot_be_kept_leaves_what_is_there(cache: Cache) -> None:
    cache.put("op", "data", 60)
    with pytest.raises(DataError):
        cache.put("op", object(), 60)
    assert cache.get("op") == "data"


def test_an_entry_as_large_as_allowed_is_kept_and_a_larger_one_is_not(tmp_path: Path) -> None:
    cache = new_cache(tmp_path, CACHE_MAX_ENTRY="1000")
    assert cache.put("op", os.urandom(990), 60)
    assert not cache.put("op2", os.urandom(1000), 60)
    stats = cache.get_stats()
    assert (stats["kept"], stats["not_kept"], stats["events"]) == (1, 1, {"too_large": 1})


def test_statistics(cache: Cache) -> None:
    cache.put("op", 1, 60)
    cache.put("old", 1, 0)
    cache.get("op")
    cache.get("op")
    cache.get("op")
    cache.get("old")
    cache.get_stale("old")
    cache.get_stale("op")
    stats = cache.get_stats()
    assert stats.pop("store_bytes") >= 1000  # type: ignore[misc]
    assert stats == {
        "hits": 3,
        "misses": 1,
        "stale": 1,
        "kept": 2,
        "not_kept": 0,
        "hit_rate": 0.75,
        "store_records": 2,
        "events": {},
    }


def test_a_pattern_is_the_beginning_of_a_name(cache: Cache) -> None:
    for operation in ("list_runs", "list_repos", "get_run"):
        for repository in ("acme/site", "acme/app"):
            cache.put(operation, 1, 60, repository, page=1)
    assert cache.invalidate_pattern("list_repos:acme/site") == 1
    assert cache.invalidate_pattern("*:acme/app") == 3
    assert cache.invalidate_pattern("list_") == 1
    assert cache.get("get_run", "acme/site", page=1) == 1


def test_names_that_look_alike_do_not_hide_each_other(cache: Cache) -> None:
    cache.put("op", 1, 60, 1)
    cache.put("op", 2, 60, "1")
    assert cache.invalidate_pattern("op:1") == 2


@pytest.mark.parametrize("argument", ["a\nb", "\ud800", "[x]", "\0", datetime.now(timezone.utc)])
def test_a_pattern_reaches_entries_with_odd_names(cache: Cache, argument: object) -> None:
    assert cache.put("op", 1, 60, argument)
    assert cache.invalidate_pattern("op:") == 1
    assert cache.get("op", argument) is None


def github_record(keys: ScopeKeys) -> Record:
    return Record(
        key=b"k" * 32,
        method="GET",
        host="api.github.com",
        target="/python/op",
        status=200,
        headers=(),
        body=b"{}",
        github_date=1_700_000_000,
        fetched_at=1_700_000_000.0,
        scope=keys.id,
        tags=(),
        publisher=b"",
        access=None,
    )


def test_clear_drops_its_own_and_leaves_githubs(tmp_path: Path, cache: Cache) -> None:
    keys = derive(machine_secret(tmp_path / "state"), "machine")
    disk = DiskStore(tmp_path / "cache", 1 << 28, on_event=pytest.fail)
    record = github_record(keys)
    tag = keys.tag(record.key)
    assert disk.put(tag, keys, record, validation_date=1, validated_at=1.0, ttl=1.0)
    cache.put("op", 1, 60)
    cache.put("op", 2, 60, "argument")
    assert cache.clear() == 2
    assert cache.clear() == 0
    assert disk.get(tag, keys, record.key) is not None


def test_the_daemons_verify_knows_the_key(tmp_path: Path, cache: Cache) -> None:
    cache.put("op", 1, 60)
    disk = DiskStore(tmp_path / "cache", 1 << 28, on_event=pytest.fail)
    machine = derive(machine_secret(tmp_path / "state"), "machine")
    assert [disk.check(tag, [machine]) for tag in disk.tags()] == ["ok"]


def test_a_secret_is_a_room_of_its_own(tmp_path: Path) -> None:
    machine = new_cache(tmp_path)
    team = new_cache(tmp_path, CACHE_P2P_SHARED_SECRET="p2pcache_one")
    mate = new_cache(tmp_path, CACHE_P2P_SHARED_SECRET="p2pcache_one")
    other = new_cache(tmp_path, CACHE_P2P_SHARED_SECRET="p2pcache_two")
    team.put("op", "team", 60)
    assert mate.get("op") == "team"
    assert machine.get("op") is None
    assert other.get("op") is None
    assert other.clear() == 0
    assert mate.clear() == 1


def test_the_secret_reaches_over_machines_that_share_a_store(tmp_path: Path) -> None:
    one = new_cache(tmp_path, CACHE_P2P_SHARED_SECRET="p2pcache_one")
    one.put("op", "data", 60)
    elsewhere = str(tmp_path / "another-state")
    two = new_cache(tmp_path, CACHE_P2P_SHARED_SECRET="p2pcache_one", CACHE_STATE_DIR=elsewhere)
    assert two.get("op") == "data"


def test_nothing_on_disk_tells_what_is_kept(tmp_path: Path) -> None:
    cache = new_cache(tmp_path, CACHE_P2P_SHARED_SECRET="p2pcache_tell-tale-secret")
    cache.put("tell-tale-operation", "tell-tale-data", 60, "tell-tale-argument")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any("records" in path.parts for path in files)
    for path in files:
        assert b"tell-tale" not in path.read_bytes() + str(path.relative_to(tmp_path)).encode()
        assert path.stat().st_mode & 0o777 == 0o600


def test_with_names_a_cache_and_closes_nothing(cache: Cache) -> None:
    with cache as the_same:
        the_same.put("op", 1, 60)
    assert cache.get("op") == 1
