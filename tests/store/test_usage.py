import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.store.locks import Locks
from gh_p2pcache.store.usage import SHARDS, Usage, UsageTable
from support.store import KEYS, Shop, a_record
from support.wait import until


@given(st.lists(st.tuples(st.sampled_from(SHARDS), st.integers(0, 9), st.integers(0, 1 << 50))))
def test_the_table_adds_up(tmp_path_factory, changes):
    table = UsageTable(tmp_path_factory.mktemp("table") / "usage")
    records = size = 0
    for shard, more_records, more_size in changes:
        records += more_records
        size += more_size
        assert table.add(shard, more_records, more_size).usage == Usage(records, size)
    assert table.read().usage == Usage(records, size)


def test_no_slot_falls_below_nothing_or_rises_without_end(tmp_path):
    table = UsageTable(tmp_path / "usage")
    assert table.add("00", -5, -4096).usage == Usage(0, 0)
    table.put("00", 1 << 80, 1 << 80)
    assert table.add("00", 1, 1).usage.bytes == (1 << 64) - 1


def test_threads_that_share_a_table_lose_no_count(tmp_path):
    table = UsageTable(tmp_path / "usage")
    locks = Locks(tmp_path / "locks")

    def work():
        for turn in range(200):
            shard = SHARDS[turn % 4]
            with locks.held(shard):
                table.add(shard, 1, 4096)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert table.read().usage == Usage(800, 800 * 4096)


def test_usage_is_what_du_says_after_every_kind_of_change(tmp_path):
    shop = Shop(tmp_path / "cache")
    for name in "abcdef":
        shop.put(a_record(name, body=os.urandom(3000)))
    shop.put(a_record("a", body=os.urandom(30_000)))
    shop.put(a_record("b", body=b""))
    shop.store.remove(KEYS.tag(b"c"))
    shop.path("d").write_bytes(shop.path("d").read_bytes()[:-1])
    shop.get("d")
    records, size = shop.on_disk()
    assert shop.store.usage() == Usage(records, size) == Usage(4, size)


@pytest.mark.parametrize("damage", [b"", b"x" * 5000, b"\xff" * 4104, None])
def test_a_lost_or_damaged_table_is_made_anew(tmp_path, damage):
    first = Shop(tmp_path / "cache")
    for name in "abcdef":
        first.put(a_record(name))
    first.settle()
    table = first.root / "usage"
    table.unlink()
    if damage is not None:
        table.write_bytes(damage)

    later = Shop(tmp_path / "cache")
    later.put(a_record("g"))
    until(lambda: later.store.usage() == Usage(*later.on_disk()) == Usage(7, 7 * 4096))
    assert not later.events


def test_usage_counts_by_itself_where_nobody_ever_did(tmp_path):
    first = Shop(tmp_path / "cache")
    first.put(a_record())
    first.settle()
    (first.root / "usage").unlink()
    assert Shop(tmp_path / "cache").store.usage() == Usage(1, 4096)


def test_what_a_killed_writer_left_goes_at_the_next_count(tmp_path):
    shop = Shop(tmp_path / "cache")
    shop.put(a_record())
    shop.settle()
    left, fresh = shop.path().parent / ".left", shop.path().parent / ".fresh"
    left.write_bytes(bytes(9000))
    fresh.write_bytes(b"somebody writes this now")
    os.utime(left, (1, 1))
    (shop.root / "usage").unlink()
    shop.put(a_record("b"))
    until(lambda: not left.exists())
    assert fresh.exists()
    assert {kept.record.key for _, kept in shop.store.walk([KEYS])} == {b"a", b"b"}
