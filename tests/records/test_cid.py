import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multiformats import CID

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.records.cid import cid_text, digest, parse_cid

# `printf '' | ipfs add --cid-version=1 --only-hash --raw-leaves -q`
EMPTY = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"


@given(st.binary())
def test_a_cid_is_what_ipfs_would_call_the_blob(blob):
    sha256 = hashlib.sha256(blob).digest()
    # Version 1, codec raw (0x55), sha2-256 (0x12), 32 bytes of it, in multibase base32 (`b`).
    spelled = base64.b32encode(b"\x01\x55\x12\x20" + sha256).decode().lower().rstrip("=")
    assert digest(blob) == sha256
    assert cid_text(sha256) == f"b{spelled}"
    assert parse_cid(f"b{spelled}") == sha256


def test_the_empty_blob_has_its_known_name():
    assert cid_text(digest(b"")) == EMPTY


@given(st.text() | st.text(alphabet="abcdefghijklmnopqrstuvwxyz234567", min_size=58, max_size=60))
def test_any_other_text_is_refused_and_nothing_else_is_raised(text):
    with pytest.raises(RejectedError):
        parse_cid(text if text[:1] != "b" else f"b{text}" * 2)


@given(st.integers(0, len(EMPTY) - 1), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_one_other_character_names_another_blob_or_nothing(position, character):
    changed = EMPTY[:position] + character + EMPTY[position + 1 :]
    try:
        assert (parse_cid(changed) == digest(b"")) == (changed == EMPTY)
    except RejectedError:
        assert changed != EMPTY


@pytest.mark.parametrize(
    "text",
    [
        str(CID("base58btc", 1, "raw", ("sha2-256", digest(b"")))),
        str(CID("base58btc", 0, "dag-pb", ("sha2-256", digest(b"")))),
        str(CID("base32", 1, "dag-pb", ("sha2-256", digest(b"")))),
        str(CID("base32", 1, "raw", ("sha3-256", digest(b"")))),
        EMPTY.upper(),
        EMPTY + "a",
        EMPTY[:-1],
        f" {EMPTY[1:]}",
        "b" * 100_000,
    ],
)
def test_other_kinds_of_cid_are_refused(text):
    with pytest.raises(RejectedError):
        parse_cid(text)
