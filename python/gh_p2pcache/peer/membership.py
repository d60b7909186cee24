"""Who is a member: both sides of a connection prove the membership keys that they have in common.

/gh-p2pcache/member/1, the first stream of a connection, opened by the side that dialled; until it
is done no other is answered. D dialled, L listens:

    D  Challenge(nonce)
    L  Challenge(nonce)
    D  Membership(proofs)            of every scope that D has; they name none to who has no key
    L  Membership(proofs)            of those alone that D proved; nobody proved: L hangs up
    D  Whereabouts, L Whereabouts    then both, whenever something of it changes

A proof is HMAC-SHA256(membership key, text), text being "gh-p2pcache member 1", the prover's role,
both nonces and both peer ids, the prover's first. Noise has proved the ids: a proof is of no use on
another connection, nor for the other side of this one.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable, Mapping
from typing import TypeVar

import trio

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.message import Message, frame, read_message
from gh_p2pcache.peer.wire import Stream
from gh_p2pcache.peer.wire_messages import MEMBER, Challenge, Membership

HANDSHAKE_SECONDS = 4.0
_NONCE = 32
_M = TypeVar("_M", bound=Message)


class Handshake:
    """One side of it, without IO; `keys` are our membership keys by scope id."""

    def __init__(
        self, own: str, other: str, keys: Mapping[bytes, bytes], *, dialer: bool, nonce: bytes = b""
    ) -> None:
        self.challenge = Challenge(nonce or os.urandom(_NONCE))
        self._keys = keys
        self._ends = {True: (b"dialer", own), False: (b"listener", other)}
        if not dialer:
            self._ends = {True: (b"listener", own), False: (b"dialer", other)}

    def prove(self, theirs: Challenge, scopes: Iterable[bytes]) -> tuple[bytes, ...]:
        """Return our proofs of these scopes, in an order that tells nothing."""
        return tuple(sorted(self._proof(scope, theirs, ours=True) for scope in scopes))

    def common(self, theirs: Challenge, proofs: Iterable[bytes]) -> frozenset[bytes]:
        """Return the scopes that the other side proved; raises RejectedError when it is none."""
        given = tuple(proofs)
        expected = {scope: self._proof(scope, theirs, ours=False) for scope in self._keys}
        proved = frozenset(
            scope
            for scope, proof in expected.items()
            if any(hmac.compare_digest(proof, one) for one in given)
        )
        if not proved:
            raise RejectedError("no member of any scope of ours")
        return proved

    def _proof(self, scope: bytes, theirs: Challenge, *, ours: bool) -> bytes:
        role, own = self._ends[ours]
        _, other = self._ends[not ours]
        nonces = (self.challenge.nonce, theirs.nonce)
        first, second = nonces if ours else reversed(nonces)
        text = b"\0".join(
            (b"gh-p2pcache member 1", role, first + second, own.encode(), other.encode())
        )
        return hmac.digest(self._keys[scope], text, "sha256")


async def prove(stream: Stream, handshake: Handshake, scopes: Iterable[bytes]) -> frozenset[bytes]:
    """Be the dialer's side; returns the common scopes. Raises RejectedError, PeerError."""
    with trio.move_on_after(HANDSHAKE_SECONDS):
        await stream.write(frame(handshake.challenge))
        theirs = await _expect(stream, Challenge)
        proofs = handshake.prove(theirs, scopes)
        await stream.write(frame(Membership(proofs)))
        answer = await _expect(stream, Membership)
        return handshake.common(theirs, answer.proofs)
    raise RejectedError("no proof of membership in time")


async def judge(stream: Stream, handshake: Handshake) -> frozenset[bytes]:
    """Be the listener's side; returns the common scopes. Raises RejectedError, PeerError."""
    with trio.move_on_after(HANDSHAKE_SECONDS):
        theirs = await _expect(stream, Challenge)
        await stream.write(frame(handshake.challenge))
        claim = await _expect(stream, Membership)
        common = handshake.common(theirs, claim.proofs)
        proofs = handshake.prove(theirs, common)
        await stream.write(frame(Membership(proofs)))
        return common
    raise RejectedError("no proof of membership in time")


async def _expect(stream: Stream, what: type[_M]) -> _M:
    message = await read_message(stream, MEMBER)
    if not isinstance(message, what):
        raise RejectedError(f"no {what.kind!r} where one must be")
    return message
