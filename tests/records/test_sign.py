"""Signatures: what a machine vouches for, and that nobody can change a bit of it."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.records.record import Validation
from gh_p2pcache.records.sign import (
    Signer,
    check_record,
    check_validation,
    peer_id,
    public_of,
    sign_record,
    sign_validation,
)
from support.store import a_record

SIGNER = Signer(bytes(range(32)))
OTHER = Signer(bytes(32))
TAG = "ab" * 16
VALIDATION = Validation(b"d" * 32, 1_700_000_000, 12.5, 300.0)


def test_a_signed_record_and_validation_are_accepted() -> None:
    check_record(sign_record(SIGNER, a_record()))
    check_validation(b"s" * 8, TAG, sign_validation(SIGNER, b"s" * 8, TAG, VALIDATION))


@pytest.mark.parametrize(
    "change",
    [
        {"body": b"forged"},
        {"headers": ((b"etag", b'"1"'),)},
        {"github_date": 1},
        {"fetched_at": 1.0},
        {"key": b"other"},
        {"scope": b"other---"},
        {"tags": ()},
        {"access": "github.com/o/other issues"},
        {"publisher": b"q" * 16},
        {"signer": OTHER.public},
        {"signer": b"", "signature": b""},
        {"signature": bytes(64)},
    ],
)
def test_any_change_of_a_record_breaks_its_signature(change: dict[str, object]) -> None:
    signed = sign_record(SIGNER, a_record())
    with pytest.raises(RejectedError):
        check_record(dataclasses.replace(signed, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scope", "tag", "change"),
    [
        (b"t" * 8, TAG, {}),
        (b"s" * 8, "cd" * 16, {}),
        (b"s" * 8, TAG, {"github_date": 1_700_000_001}),
        (b"s" * 8, TAG, {"ttl": 301.0}),
        (b"s" * 8, TAG, {"digest": b"e" * 32}),
        (b"s" * 8, TAG, {"signer": OTHER.public}),
    ],
)
def test_a_validation_counts_for_one_blob_of_one_tag(
    scope: bytes, tag: str, change: dict[str, object]
) -> None:
    signed = sign_validation(SIGNER, b"s" * 8, TAG, VALIDATION)
    with pytest.raises(RejectedError):
        check_validation(scope, tag, dataclasses.replace(signed, **change))  # type: ignore[arg-type]


def test_the_local_time_of_a_validation_is_nobody_elses_business() -> None:
    signed = sign_validation(SIGNER, b"s" * 8, TAG, VALIDATION)
    check_validation(b"s" * 8, TAG, dataclasses.replace(signed, validated_at=99.0))


@given(st.binary(min_size=32, max_size=32))
def test_peer_ids_are_libp2ps_and_come_back(seed: bytes) -> None:
    public = Signer(seed).public
    text = peer_id(public)
    assert text.startswith("12D3KooW")
    assert public_of(text) == public


@given(st.text(max_size=60))
def test_other_texts_are_no_peer_ids(text: str) -> None:
    with pytest.raises(RejectedError):
        public_of(text)
