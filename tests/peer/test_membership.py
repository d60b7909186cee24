"""The proof of membership, without IO."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.membership import Handshake
from gh_p2pcache.peer.wire_messages import Challenge

A, B, C = "12D3KooWA", "12D3KooWB", "12D3KooWC"
KEYS = {bytes([n]) * 8: bytes([n]) * 32 for n in range(6)}


def pair(ours: dict[bytes, bytes], theirs: dict[bytes, bytes]) -> tuple[Handshake, Handshake]:
    return Handshake(A, B, ours, dialer=True), Handshake(B, A, theirs, dialer=False)


some = st.sets(st.sampled_from(sorted(KEYS)))


@given(some, some)
def test_both_sides_find_exactly_what_they_have_in_common(
    mine: set[bytes], its: set[bytes]
) -> None:
    dialer, listener = pair({s: KEYS[s] for s in mine}, {s: KEYS[s] for s in its})
    proofs = dialer.prove(listener.challenge, mine)
    if not mine & its:
        with pytest.raises(RejectedError):
            listener.common(dialer.challenge, proofs)
        return
    common = listener.common(dialer.challenge, proofs)
    assert common == mine & its
    answer = listener.prove(dialer.challenge, common)
    assert len(answer) == len(common)  # what else it is a member of is not told
    assert dialer.common(listener.challenge, answer) == common


@given(st.binary(min_size=32, max_size=32), st.lists(st.binary(min_size=32, max_size=32)))
def test_what_is_made_up_proves_nothing(key: bytes, made_up: list[bytes]) -> None:
    scope = b"scope..."
    dialer, listener = pair({scope: key}, {scope: b"k" * 32})
    proofs = [*made_up, *dialer.prove(listener.challenge, [scope])]
    if key != b"k" * 32:
        with pytest.raises(RejectedError):
            listener.common(dialer.challenge, proofs)


def test_a_proof_is_good_for_one_connection_one_peer_and_one_side() -> None:
    scope = next(iter(KEYS))
    dialer, listener = pair(KEYS, KEYS)
    proofs = dialer.prove(listener.challenge, [scope])
    assert listener.common(dialer.challenge, proofs) == {scope}
    again = Handshake(B, A, KEYS, dialer=False)  # another nonce
    thief = Handshake(B, C, KEYS, dialer=False, nonce=listener.challenge.nonce)
    mirror = Handshake(A, B, KEYS, dialer=False, nonce=listener.challenge.nonce)
    for judge, challenge in (
        (again, dialer.challenge),
        (thief, dialer.challenge),
        (mirror, dialer.challenge),
        (listener, Challenge(b"n" * 32)),
    ):
        with pytest.raises(RejectedError):
            judge.common(challenge, proofs)
    with pytest.raises(RejectedError):  # sent back to who made them
        dialer.common(listener.challenge, proofs)
