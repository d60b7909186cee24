"""An invite comes through copying whole, or is refused."""

import hashlib

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multiformats import multibase

from gh_p2pcache.teams.invites import PREFIX, Invite, InviteError, as_text, decode, encode

TEXTS = st.lists(st.text(max_size=40), max_size=5).map(tuple)
INVITES = st.builds(
    Invite,
    name=st.text(max_size=32),
    team_id=st.binary(min_size=8, max_size=8),
    secret=st.binary(min_size=32, max_size=32).map(as_text),
    generation=st.integers(0, 1 << 32),
    old_until=st.integers(0, 1 << 40),
    share=TEXTS,
    bootstrap=TEXTS,
)
ONE = encode(Invite("acme", bytes(8), as_text(bytes(32)), 0, 0, ("acme/*",), ()))


def sealed(data: bytes) -> str:
    """An invite of these bytes, its checksum right."""
    whole = data + hashlib.sha256(data).digest()[:4]
    return PREFIX + multibase.get("base58btc").encode(whole)[1:]


@given(INVITES)
def test_what_goes_in_comes_out(invite: Invite) -> None:
    assert decode(encode(invite)) == invite


@given(INVITES, st.data())
def test_it_is_one_word_and_survives_a_mail_s_line_breaks(
    invite: Invite, data: st.DataObject
) -> None:
    word = encode(invite)
    assert word.isascii()
    assert word.replace("_", "").isalnum()
    at = data.draw(st.integers(0, len(word)))
    assert decode(f"  {word[:at]}\n {word[at:]}\r\n") == invite


@given(st.integers(len(PREFIX), len(ONE) - 1), st.sampled_from("123456789ABCDEFabcdef"))
def test_a_mistyped_letter_is_noticed(at: int, letter: str) -> None:
    mistyped = ONE[:at] + letter + ONE[at + 1 :]
    if mistyped != ONE:
        with pytest.raises(InviteError, match="damaged"):
            decode(mistyped)


@given(st.integers(len(PREFIX), len(ONE) - 1))
def test_a_cut_one_is_noticed(length: int) -> None:
    with pytest.raises(InviteError, match="damaged"):
        decode(ONE[:length])


@pytest.mark.parametrize("text", ["", "hello", as_text(bytes(32)), "p2pcacheinvite"])
def test_what_is_no_invite_is_called_that(text: str) -> None:
    with pytest.raises(InviteError, match="this is not an invite"):
        decode(text)


def test_one_of_a_newer_version_is_told_from_a_damaged_one() -> None:
    with pytest.raises(InviteError, match="newer version"):
        decode(sealed(b"\x02whatever comes then"))


@given(
    st.binary(max_size=80)
    | st.lists(st.integers(-9, 1 << 40) | st.text(), max_size=9).map(msgpack.packb)
)
def test_any_other_content_is_refused_too(data: bytes) -> None:
    with pytest.raises(InviteError):
        decode(sealed(b"\x01" + data))


@pytest.mark.parametrize(
    "fields",
    [
        ("acme", bytes(8), bytes(31), 0, 0, [], []),
        ("acme", "8 bytes!", bytes(32), 0, 0, [], []),
        (b"acme", bytes(8), bytes(32), 0, 0, [], []),
        ("acme", bytes(8), bytes(32), -1, 0, [], []),
        ("acme", bytes(8), bytes(32), 0, 0, [1], []),
        ("acme", bytes(8), bytes(32), 0, 0, [], 1),
    ],
)
def test_each_field_has_its_type_and_size(fields: tuple[object, ...]) -> None:
    with pytest.raises(InviteError, match="is not understood"):
        decode(sealed(b"\x01" + bytes(msgpack.packb(fields))))


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    for word in (text, PREFIX + text):
        with pytest.raises(InviteError):
            decode(word)


def test_too_long_a_text_is_not_worked_on() -> None:
    with pytest.raises(InviteError, match="damaged"):
        decode(PREFIX + "z" * 1_000_000)
