import os
import time

from gh_p2pcache.store.locks import Locks
from support.store import DATE, KEYS, Shop, a_record
from support.wait import until

BLOCK = 4096


def _age(shop: Shop, name: str, seconds: float) -> None:
    os.utime(shop.path(name), (time.time() - seconds, time.time() - seconds))


def _fill(shop: Shop, count: int, start: int = 0) -> None:
    """Put `count` records of one block each, the first being the one used longest ago."""
    for number in range(start, start + count):
        assert shop.put(a_record(str(number)))
        _age(shop, str(number), 100_000 - number)


def _put_until_evicted(shop: Shop, name: str, left: int) -> None:
    """Put one record, again while the thread that evicts is still busy with the first count."""

    def done() -> bool:
        assert shop.put(a_record(name))
        return shop.store.usage().records <= left

    until(done)


def _names(shop: Shop) -> set[int]:
    return {int(kept.record.key) for _, kept in shop.store.walk([KEYS])}


def test_the_longest_unused_go_and_leave_some_room(tmp_path):
    shop = Shop(tmp_path / "cache", max_size=128 * BLOCK)
    _fill(shop, 116)
    assert not shop.events["evicted"]
    left = 124 - 16  # a 32nd of the bound is the quarantine's, an eighth of the rest is left free
    _put_until_evicted(shop, "116", left)
    assert _names(shop) == set(range(117 - left, 117))
    until(lambda: shop.events == {"evicted": 117 - left})


def test_what_is_used_stays(tmp_path):
    shop = Shop(tmp_path / "cache", max_size=128 * BLOCK)
    _fill(shop, 116)
    shop.get("0")
    shop.store.touch(KEYS.tag(b"1"))
    _put_until_evicted(shop, "116", 109)
    assert {0, 1} < _names(shop)
    assert not {2, 3, 4, 5} & _names(shop)


def test_the_bound_holds_at_every_moment(tmp_path):
    bound = 64 * BLOCK
    shop = Shop(tmp_path / "cache", max_size=bound)
    for number in range(150):
        assert shop.put(a_record(str(number), body=os.urandom(number * 137 % 20_000)))
        assert shop.on_disk()[1] <= bound
    assert shop.on_disk()[1] > bound // 2
    assert set(shop.events) == {"evicted"}


def test_a_file_that_many_share_one_age_with_does_not_take_them_all_along(tmp_path):
    shop = Shop(tmp_path / "cache", max_size=128 * BLOCK)
    for number in range(117):
        shop.put(a_record(str(number)))
    for path in shop.files():
        os.utime(path, (1_000_000, 1_000_000))
    _put_until_evicted(shop, "last", 109)
    assert shop.on_disk()[0] > 90


def test_a_record_larger_than_the_store_is_not_kept_and_costs_nobody_its_place(tmp_path):
    shop = Shop(tmp_path / "cache", max_size=16 * BLOCK)
    _fill(shop, 5)
    assert shop.put(a_record("huge", body=os.urandom(20 * BLOCK))) is None
    assert shop.events == {"too_large": 1}
    assert _names(shop) == set(range(5))


def test_a_large_record_gets_the_room_it_needs(tmp_path):
    shop = Shop(tmp_path / "cache", max_size=64 * BLOCK)
    _fill(shop, 50)
    large = a_record("1000", body=os.urandom(40 * BLOCK))
    assert shop.put(large)
    assert shop.get("1000").record == large
    assert shop.on_disk()[1] <= 64 * BLOCK


def test_while_another_process_evicts_for_long_a_full_store_keeps_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("gh_p2pcache.store.housekeeping._PATIENCE", 0.01)
    shop = Shop(tmp_path / "cache", max_size=64 * BLOCK)
    shop.put(a_record())
    shop.settle()
    with Locks(shop.root / "locks").held("evict"):
        kept = [number for number in range(70) if shop.put(a_record(str(number)))]
        assert len(kept) == 61
        assert shop.events == {"full": 9}
        assert shop.on_disk()[1] <= 64 * BLOCK
    assert shop.put(a_record("later"))


def test_growing_in_place_counts_too(tmp_path):
    shop = Shop(tmp_path / "cache", max_size=16 * BLOCK)
    for turn in range(60):
        for name in "abc":
            shop.put(a_record(name, body=os.urandom((turn * 7 % 5) * BLOCK)), date=DATE + turn)
            assert shop.on_disk()[1] <= 16 * BLOCK


def test_another_process_that_fills_the_store_is_seen(tmp_path):
    bound = 64 * BLOCK
    shops = [Shop(tmp_path / "cache", max_size=bound) for _ in range(3)]
    for number in range(200):
        assert shops[number % 3].put(a_record(str(number)))
        assert shops[0].on_disk()[1] <= bound


def test_the_quarantine_is_bounded(tmp_path):
    shop = Shop(tmp_path / "cache", max_size=320 * BLOCK)
    aside = shop.root / "quarantine"
    for number in range(40):
        shop.put(a_record(str(number)))
        shop.path(str(number)).write_bytes(bytes(number * 500))
        assert shop.get(str(number)) is None
        sizes = [path.stat().st_blocks * 512 for path in aside.iterdir()]
        assert len(sizes) <= 16
        assert sum(sizes) <= 10 * BLOCK
    assert len(sizes) >= 2
    assert (aside / max(aside.iterdir(), key=lambda path: path.stat().st_mtime_ns)).stat().st_size
    assert shop.store.usage().records == 0


def test_foreign_files_among_the_records_cannot_break_the_bound(tmp_path):
    shop = Shop(tmp_path / "cache", max_size=64 * BLOCK)
    shop.put(a_record())
    shop.settle()
    foreign = shop.path().parent / "copied-here"
    foreign.write_bytes(bytes(70 * BLOCK))
    os.utime(foreign, (1_000_000, 1_000_000))
    (shop.root / "usage").unlink()
    shop.put(a_record("b"))
    until(lambda: not foreign.exists(), what="the count after one put to evict")
    assert shop.get("a")
    assert shop.get("b")
