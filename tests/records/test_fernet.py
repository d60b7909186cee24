import base64
import hmac

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.records.fernet import RawFernet

keys = st.binary(min_size=32, max_size=32)


@given(keys, st.binary(max_size=3000))
def test_the_library_opens_what_this_seals(key, plain):
    token = base64.urlsafe_b64encode(RawFernet(key).encrypt(plain))
    assert Fernet(base64.urlsafe_b64encode(key)).decrypt(token) == plain


@given(keys, st.binary(max_size=3000))
def test_this_opens_what_the_library_seals(key, plain):
    token = Fernet(base64.urlsafe_b64encode(key)).encrypt(plain)
    assert RawFernet(key).decrypt(base64.urlsafe_b64decode(token)) == plain


def test_the_examples_of_the_specification():
    key = base64.urlsafe_b64decode("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=")
    token = base64.urlsafe_b64decode(
        "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
    )
    assert RawFernet(key).decrypt(token) == b"hello"


def test_no_two_tokens_have_the_same_start():
    seal = RawFernet(bytes(32)).encrypt
    assert len({seal(b"same")[9:25] for _ in range(100)}) == 100


@pytest.mark.parametrize("version", [b"\x80", b"\x81"])
def test_a_right_mac_over_anything_else_is_refused_too(version):
    key = bytes(range(32))
    for length in range(42):
        signed = version[:length].ljust(length, b"\0")
        with pytest.raises(RejectedError):
            RawFernet(key).decrypt(signed + hmac.digest(key[:16], signed, "sha256"))


def test_another_version_is_refused_though_all_else_is_right():
    key = bytes(range(32))
    signed = b"\x81" + RawFernet(key).encrypt(b"hello")[1:-32]
    with pytest.raises(RejectedError):
        RawFernet(key).decrypt(signed + hmac.digest(key[:16], signed, "sha256"))
