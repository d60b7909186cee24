import os
import stat
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.records.cid import digest
from gh_p2pcache.records.record import Validation
from gh_p2pcache.store import head
from support.store import DATE, KEYS, OTHERS, Shop, a_record


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "cache")


@pytest.fixture(scope="module")
def one_shop(tmp_path_factory):
    return Shop(tmp_path_factory.mktemp("cache"))


@given(body=st.binary(max_size=5000), name=st.text(st.characters(codec="utf-8"), max_size=50))
def test_what_is_put_is_what_is_got(one_shop, body, name):
    record = a_record(name, body=body)
    validation = one_shop.put(record)
    kept = one_shop.get(name)
    assert kept.record == record
    assert kept.validation == validation
    assert (validation.github_date, validation.ttl) == (DATE, 300.0)


def test_what_was_never_put_is_a_miss_without_a_word(shop):
    assert shop.get() is None
    assert not shop.events
    assert not shop.root.exists(), "reading makes no directories"


def test_the_validation_names_the_sealed_blob(shop):
    validation = shop.put(a_record())
    assert digest(shop.path().read_bytes()[head.SIZE :]) == validation.digest


def test_neither_names_nor_bodies_show_on_disk(shop):
    shop.put(a_record("confidential"))
    everything = b"".join(
        str(path).encode() + (path.read_bytes() if path.is_file() else b"")
        for path in shop.root.rglob("*")
    )
    for secret in (b"confidential", b"api.github.com", b"issues", b"etag"):
        assert secret not in everything


def test_one_flipped_bit_in_any_byte_of_a_file_is_a_miss_and_is_set_aside(shop):
    shop.put(a_record())
    path, whole = shop.path(), shop.path().read_bytes()
    for position in range(len(whole)):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << position % 8
        path.write_bytes(flipped)
        assert shop.get() is None
        assert not path.exists()
    assert shop.events == {"quarantined": len(whole)}
    path.write_bytes(whole)
    assert shop.get().record == a_record()


def test_a_file_cut_off_anywhere_is_a_miss_and_is_set_aside(shop):
    shop.put(a_record())
    path, whole = shop.path(), shop.path().read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert shop.get() is None
        assert not path.exists()
    path.write_bytes(whole + b"\0")
    assert shop.get() is None
    path.write_bytes(bytes(len(whole)))
    assert shop.get() is None


def test_a_quarantined_file_stays_to_be_looked_at(shop):
    shop.put(a_record())
    shop.path().write_bytes(b"foreign")
    shop.get()
    (aside,) = (shop.root / "quarantine").iterdir()
    assert aside.read_bytes() == b"foreign"
    assert shop.path().name in aside.name


def _as_directory(path: Path) -> None:
    (path / "inside").mkdir(parents=True)


def _as_link(path: Path) -> None:
    elsewhere = path.parent / "elsewhere"
    elsewhere.write_bytes(b"precious")
    path.symlink_to(elsewhere)


def _as_loop(path: Path) -> None:
    path.symlink_to(path)


def _as_huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


@pytest.mark.parametrize(
    "foreign", [_as_directory, _as_link, _as_loop, os.mkfifo, _as_huge], ids=lambda f: f.__name__
)
def test_what_is_no_file_of_ours_is_a_miss_and_is_set_aside(shop, foreign):
    shop.put(a_record())
    path = shop.path()
    path.unlink()
    foreign(path)
    assert shop.get() is None
    assert shop.events["quarantined"] == 1
    assert shop.put(a_record())
    assert shop.get().record == a_record()


def test_a_link_is_not_followed_when_written(shop):
    shop.put(a_record())
    shop.path().unlink()
    _as_link(shop.path())
    assert shop.put(a_record())
    assert (shop.path().parent / "elsewhere").read_bytes() == b"precious"
    assert shop.get().record == a_record()


def test_a_record_under_anothers_name_is_refused(shop):
    shop.put(a_record("a"))
    shop.put(a_record("b"))
    shop.path("a").replace(shop.path("b"))
    assert shop.get("b") is None
    assert shop.events == {"quarantined": 1}


def test_an_old_head_before_a_new_blob_is_refused(shop):
    shop.put(a_record(body=b"1" * 100))
    old = shop.path().read_bytes()[: head.SIZE]
    shop.put(a_record(body=b"2" * 100))
    new = shop.path().read_bytes()[head.SIZE :]
    shop.path().write_bytes(old + new)
    assert shop.get() is None


def test_a_record_that_names_another_request_or_scope_is_refused(shop):
    tag = KEYS.tag(b"a")
    for record in (a_record("b"), a_record(scope=OTHERS.id)):
        shop.store.put(tag, KEYS, record, validation_date=DATE, validated_at=1.0, ttl=1.0)
        assert shop.get() is None
    assert shop.events == {"quarantined": 2}


def test_one_scope_cannot_read_what_another_wrote(shop):
    shop.put(a_record())
    assert shop.store.get(KEYS.tag(b"a"), OTHERS, b"a") is None
    assert shop.get("a", OTHERS) is None


def test_what_cannot_be_an_answer_is_not_kept(shop):
    assert shop.put(a_record(headers=((b"x", b"a\r\nb"),))) is None
    assert shop.put(a_record(), date=-1) is None
    assert shop.events == {"not_keepable": 2}


class TestOrder:
    def test_an_older_answer_never_replaces_a_newer_one(self, shop):
        shop.put(a_record(body=b"new"), date=DATE + 1)
        assert shop.put(a_record(body=b"old"), date=DATE) is None
        assert shop.get().record.body == b"new"
        assert shop.events == {"outdated": 1}

    def test_of_two_answers_of_one_second_the_later_is_kept(self, shop):
        shop.put(a_record(body=b"first"))
        assert shop.put(a_record(body=b"second"))
        assert shop.get().record.body == b"second"

    def test_a_304_counts_as_a_newer_answer(self, shop):
        first = shop.put(a_record(body=b"old"))
        refreshed = replace(first, github_date=DATE + 5)
        assert shop.store.refresh(KEYS.tag(b"a"), KEYS, refreshed)
        assert shop.put(a_record(body=b"between"), date=DATE + 3) is None
        assert shop.get().record.body == b"old"

    def test_a_damaged_file_has_no_date_to_go_by(self, shop):
        shop.put(a_record(), date=DATE + 9)
        shop.path().write_bytes(b"damage")
        assert shop.put(a_record())
        assert shop.get().record == a_record()


class TestRefresh:
    def test_it_changes_the_validation_and_nothing_else(self, shop):
        first = shop.put(a_record())
        newer = Validation(first.digest, DATE + 9, 12.5, float("inf"))
        inode, size = shop.path().stat().st_ino, shop.path().stat().st_size
        assert shop.store.refresh(KEYS.tag(b"a"), KEYS, newer)
        kept = shop.get()
        assert (kept.record, kept.validation) == (a_record(), newer)
        assert (shop.path().stat().st_ino, shop.path().stat().st_size) == (inode, size)

    def test_it_is_refused_for_another_blob_an_older_date_or_none_at_all(self, shop):
        assert not shop.store.refresh(KEYS.tag(b"a"), KEYS, Validation(bytes(32), DATE, 1.0, 1.0))
        first = shop.put(a_record())
        for stranger in (
            Validation(bytes(32), DATE + 1, 1.0, 1.0),
            replace(first, github_date=DATE - 1),
        ):
            assert not shop.store.refresh(KEYS.tag(b"a"), KEYS, stranger)
        assert shop.get().validation == first
        assert not shop.events

    def test_a_head_torn_at_any_byte_is_a_miss(self, shop):
        first = shop.put(a_record())
        old = shop.path().read_bytes()
        shop.store.refresh(KEYS.tag(b"a"), KEYS, replace(first, github_date=DATE + 99, ttl=7.0))
        new = shop.path().read_bytes()
        for cut in range(head.SIZE):
            torn = new[:cut] + old[cut:]
            if torn not in (old, new):
                shop.path().write_bytes(torn)
                assert shop.get() is None

    def test_readers_meanwhile_see_one_validation_or_the_other(self, shop):
        first = shop.put(a_record())
        shop.store.refresh(KEYS.tag(b"a"), KEYS, replace(first, ttl=0.0))
        done = threading.Event()
        seen = []

        def read():
            while not done.is_set():
                kept = shop.get()
                seen.append(kept and kept.validation.github_date - DATE == kept.validation.ttl)

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for step in range(500):
            step_validation = replace(first, github_date=DATE + step, ttl=float(step))
            assert shop.store.refresh(KEYS.tag(b"a"), KEYS, step_validation)
        done.set()
        for reader in readers:
            reader.join()
        assert seen
        assert all(seen)
        assert not shop.events


class TestRemoving:
    def test_what_is_removed_is_gone(self, shop):
        shop.put(a_record())
        assert shop.store.remove(KEYS.tag(b"a"))
        assert shop.get() is None
        assert not shop.store.remove(KEYS.tag(b"a"))
        assert shop.store.usage().records == 0
        assert not shop.events

    def test_clear_leaves_nothing(self, shop):
        for name in "abc":
            shop.put(a_record(name))
        shop.path("b").write_bytes(b"damage")
        shop.get("b")
        assert shop.store.clear() == 2
        assert shop.on_disk() == (0, 0)
        assert not (shop.root / "quarantine").exists()
        assert shop.store.usage().bytes == 0
        assert shop.put(a_record())


class TestLookingThrough:
    def test_walk_yields_what_the_keys_open(self, shop):
        shop.put(a_record("a"))
        shop.put(a_record("b", OTHERS), keys=OTHERS)
        assert {kept.record.key for _, kept in shop.store.walk([KEYS])} == {b"a"}
        assert {kept.record.key for _, kept in shop.store.walk([KEYS, OTHERS])} == {b"a", b"b"}
        assert sorted(shop.store.tags()) == sorted([KEYS.tag(b"a"), OTHERS.tag(b"b")])

    def test_verify_tells_whole_unknown_and_corrupt_apart(self, shop):
        shop.put(a_record())
        tag = KEYS.tag(b"a")
        assert shop.store.check(tag, [OTHERS, KEYS]) == "ok"
        assert shop.store.check(tag, [OTHERS]) == "unknown key"
        assert not shop.events
        whole = shop.path().read_bytes()
        shop.path().write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert shop.store.check(tag, []) == "corrupt", "the CID tells without the key"
        assert shop.events == {"quarantined": 1}
        assert shop.store.check(tag, [KEYS]) == "gone"

    def test_verify_sees_a_forged_head_only_with_the_key(self, shop):
        shop.put(a_record())
        whole = bytearray(shop.path().read_bytes())
        whole[40] ^= 1
        shop.path().write_bytes(whole)
        assert shop.store.check(KEYS.tag(b"a"), [OTHERS]) == "unknown key"
        assert shop.store.check(KEYS.tag(b"a"), [KEYS]) == "corrupt"

    def test_foreign_files_are_no_records(self, shop):
        shop.put(a_record())
        (shop.path().parent / "README").write_text("hello")
        (shop.path().parent / ("0" * 32)).write_text("a tag of another shard")
        assert list(shop.store.tags()) == [KEYS.tag(b"a")]


class TestAge:
    def _old(self, path: Path) -> None:
        os.utime(path, (time.time() - 7200, time.time() - 7200))

    def test_reading_counts_as_use(self, shop):
        shop.put(a_record())
        self._old(shop.path())
        shop.get()
        assert time.time() - shop.path().stat().st_mtime < 60

    def test_so_does_touch_and_a_304(self, shop):
        validation = shop.put(a_record())
        for use in (
            lambda: shop.store.touch(KEYS.tag(b"a")),
            lambda: shop.store.refresh(KEYS.tag(b"a"), KEYS, validation),
        ):
            self._old(shop.path())
            use()
            assert time.time() - shop.path().stat().st_mtime < 60

    def test_touching_what_is_gone_says_nothing(self, shop):
        shop.store.touch(KEYS.tag(b"a"))
        assert not shop.events


def test_a_record_of_2_kb_takes_one_block(shop):
    body = os.urandom(2048)
    shop.put(a_record(body=body, headers=((b"content-encoding", b"gzip"),)))
    kept = shop.get()
    os.sync()
    assert kept.size == 4096
    assert shop.path().stat().st_blocks * 512 == 4096


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_nobody_else_may_read_whatever_the_umask(tmp_path, umask):
    shop = Shop(tmp_path / "deep" / "cache")
    before = os.umask(umask)
    try:
        shop.put(a_record())
        shop.path().write_bytes(b"damage")
        shop.get()
        shop.put(a_record())
        shop.settle()
    finally:
        os.umask(before)
    assert shop.get().record == a_record()
    for path in [shop.root.parent, shop.root, *shop.root.rglob("*")]:
        mode = stat.S_IMODE(path.lstat().st_mode)
        if path.parent.name != "quarantine":
            assert mode == (0o700 if path.is_dir() else 0o600), path
