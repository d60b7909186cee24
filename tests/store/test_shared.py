"""What the peer process may read from the store: signed records of the asked scope, whole ones."""

from pathlib import Path

import pytest

from gh_p2pcache.records.seal import ScopeKeys
from gh_p2pcache.records.sign import Signer, check_validation
from gh_p2pcache.store.disk import Kept
from gh_p2pcache.store.identity import load_identity
from gh_p2pcache.store.shared import read_shared
from support.store import DATE, KEYS, Shop, a_record

SIGNER = Signer(bytes(32))
TAG = KEYS.tag(b"a")


def put(shop: Shop, keys: ScopeKeys = KEYS, *, signer: Signer | None = SIGNER) -> Kept:
    kept = shop.store.put(
        keys.tag(b"a"), keys, a_record(),
        validation_date=DATE, validated_at=1.0, ttl=60.0, signer=signer,
    )  # fmt: skip
    assert kept is not None
    return kept


def test_a_signed_record_is_shared_as_it_lies_there(tmp_path: Path) -> None:
    kept = put(Shop(tmp_path))
    shared = read_shared(tmp_path / "records", KEYS.id, TAG)
    assert shared is not None
    check_validation(KEYS.id, TAG, shared.validation)
    assert shared.validation == kept.validation
    assert KEYS.open(shared.blob)


def test_what_nobody_signed_is_private(tmp_path: Path) -> None:
    put(Shop(tmp_path), signer=None)
    assert read_shared(tmp_path / "records", KEYS.id, TAG) is None


def test_another_scope_gets_nothing(tmp_path: Path) -> None:
    put(Shop(tmp_path))
    assert read_shared(tmp_path / "records", b"another-", TAG) is None


@pytest.mark.parametrize("at", [60, 250, -1])
def test_a_damaged_file_is_not_handed_on(tmp_path: Path, at: int) -> None:
    shop = Shop(tmp_path)
    put(shop)
    data = bytearray(shop.path().read_bytes())
    data[at] ^= 1
    shop.path().write_bytes(data)
    shared = read_shared(tmp_path / "records", KEYS.id, TAG)
    assert shared is None


def test_a_judged_blob_is_kept_as_it_came(tmp_path: Path) -> None:
    first, second = Shop(tmp_path / "one"), Shop(tmp_path / "two")
    put(first)
    shared = read_shared(first.root / "records", KEYS.id, TAG)
    assert shared is not None
    assert second.store.adopt(TAG, KEYS, shared.blob, shared.validation)
    assert read_shared(second.root / "records", KEYS.id, TAG) == shared
    assert (found := second.get()) is not None
    assert found.record == a_record()


def test_one_identity_for_all_who_start_at_once(tmp_path: Path) -> None:
    assert load_identity(tmp_path).public == load_identity(tmp_path).public
    assert (tmp_path / "identity").stat().st_mode & 0o777 == 0o600
