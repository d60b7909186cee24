"""A disk that fails costs misses, never an exception."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gh_p2pcache.api import Cache
from support.caches import new_cache


def works_without_keeping(cache: Cache) -> None:
    assert cache.put("op", 1, 60) is False
    assert cache.get("op") is None
    assert cache.get_stale("op") is None
    assert cache.find("op") is None
    assert cache.invalidate("op") is False
    assert cache.invalidate_pattern("op") == 0
    assert cache.clear() == 0
    stats = cache.get_stats()
    assert (stats["misses"], stats["not_kept"], stats["store_records"]) == (1, 1, 0)


@pytest.mark.parametrize("name", ["CACHE_DIR", "CACHE_STATE_DIR"])
def test_a_directory_that_cannot_be(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    cache = new_cache(tmp_path, None, **{name: str(tmp_path / "file" / "below")})
    with caplog.at_level(logging.WARNING):
        works_without_keeping(cache)
    assert cache.get_stats()["events"]
    assert str(tmp_path / "file") in caplog.text


def test_a_state_directory_that_comes_back(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = new_cache(tmp_path, CACHE_STATE_DIR=str(tmp_path / "file"))
    works_without_keeping(cache)
    (tmp_path / "file").unlink()
    assert cache.put("op", 1, 60)
    assert cache.get("op") == 1


def test_a_store_deleted_under_it(tmp_path: Path, cache: Cache) -> None:
    cache.put("op", 1, 60)
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    shutil.rmtree(tmp_path / "state")
    assert cache.get("op") is None
    assert cache.put("op", 2, 60)
    assert cache.get("op") == 2


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flip(data: bytes) -> bytes:
    return data[:-40] + bytes([data[-40] ^ 1]) + data[-39:]


def empty(_: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("damage", [cut, flip, empty])
def test_a_damaged_entry_is_a_miss_and_is_set_aside(
    tmp_path: Path, cache: Cache, damage: Callable[[bytes], bytes]
) -> None:
    cache.put("op", "data", 60)
    (file,) = (path for path in (tmp_path / "cache/records").rglob("*") if path.is_file())
    file.write_bytes(damage(file.read_bytes()))
    assert cache.get("op") is None
    assert cache.get_stats()["events"] == {"quarantined": 1}
    assert cache.put("op", "again", 60)
    assert cache.get("op") == "again"


def test_an_entry_in_the_place_of_another_is_a_miss(tmp_path: Path, cache: Cache) -> None:
    """Somebody who can write the store but lacks the key moves answers about."""
    records = tmp_path / "cache/records"
    cache.put("op", "one", 60, 1)
    (one,) = (path for path in records.rglob("*") if path.is_file())
    cache.put("op", "two", 60, 2)
    (two,) = (path for path in records.rglob("*") if path.is_file() and path != one)
    two.write_bytes(one.read_bytes())
    assert cache.get("op", 2) is None
    assert cache.get("op", 1) == "one"
