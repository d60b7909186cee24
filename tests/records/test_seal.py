import base64
import hashlib

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.records.seal import ScopeKeys, derive, key_id

KEYS = ScopeKeys(b"k" * 32)
OTHERS = ScopeKeys(b"o" * 32)


@given(st.binary(max_size=5000))
def test_what_is_sealed_opens_again_and_does_not_show(plain):
    blob = KEYS.seal(plain)
    assert KEYS.open(blob) == plain
    assert len(plain) < 8 or plain not in blob
    assert key_id(blob) == KEYS.id


def test_every_single_flipped_bit_is_refused():
    blob = KEYS.seal(b"an answer")
    for bit in range(len(blob) * 8):
        flipped = bytearray(blob)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(RejectedError):
            KEYS.open(bytes(flipped))


@given(st.binary(max_size=300))
def test_anything_else_is_refused_and_nothing_else_is_raised(blob):
    for foreign in (blob, KEYS.seal(b"")[:9] + blob, KEYS.seal(blob)[:-1], KEYS.seal(blob) + b"x"):
        with pytest.raises(RejectedError):
            KEYS.open(foreign)


def test_another_scope_opens_nothing():
    with pytest.raises(RejectedError):
        OTHERS.open(KEYS.seal(b"an answer"))


def test_sealing_twice_gives_two_blobs():
    assert KEYS.seal(b"same") != KEYS.seal(b"same")


@pytest.mark.parametrize(
    ("kind", "iterations"),
    [("token", 100_000), ("generated", 100_000), ("machine", 100_000), ("secret", 600_000)],
)
def test_every_member_derives_the_same_keys_as_the_format_says(kind, iterations):
    salt = b"gh-p2pcache/1/" + kind.encode()
    scope_key = hashlib.pbkdf2_hmac("sha256", b"hunter2", salt, iterations)
    sealing = HKDF(SHA256(), 32, salt=None, info=b"gh-p2pcache/1/seal").derive(scope_key)

    blob = derive(b"hunter2", kind).seal(b"an answer")

    token = base64.urlsafe_b64encode(blob[9:])
    assert Fernet(base64.urlsafe_b64encode(sealing)).decrypt(token) == b"an answer"


def test_the_names_that_keys_give_stay_the_same_over_versions():
    keys = derive(b"ghp_example", "token")
    assert keys.id.hex() == "5ad48c85fa485e0d"
    assert keys.tag(b"request") == "2998084d6867cbd2bee70c7edc3f08ca"
    assert keys.pseudonym(b"request").hex() == "61ff2320a172353c6b05c38087d2f19a"
    assert (
        keys.mac(b"head").hex()
        == "2c7d2de837ea6586f1f02aaa56af2b9b3c922333070d4fac94b65d3e6000bb3e"
    )


def test_scopes_of_one_secret_but_another_kind_have_nothing_in_common():
    token, secret = derive(b"same", "token"), derive(b"same", "secret")
    assert token.id != secret.id
    assert token.tag(b"request") != secret.tag(b"request")


def test_a_tag_is_no_pseudonym_and_no_mac():
    names = {KEYS.tag(b"x"), KEYS.pseudonym(b"x").hex(), KEYS.mac(b"x")[:16].hex()}
    assert len(names) == 3
    assert KEYS.pseudonym(b"x") != OTHERS.pseudonym(b"x")


def test_a_seal_adds_little_since_the_base64_is_gone():
    # Format and key id 9, Fernet's version, time, IV and MAC 57, padding of up to one AES block.
    assert 66 <= len(KEYS.seal(b"x" * 1000)) - 1000 <= 66 + 16


def test_keys_do_not_show_themselves():
    assert "k" * 4 not in repr(KEYS)
    assert not hasattr(KEYS, "__dict__")
