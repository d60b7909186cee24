"""An invite: everything that makes a machine a member of a team, in one word that can be copied.

`p2pcacheinvite_` and, in base58, a version byte, a msgpack list and the first four bytes of the
SHA-256 of both. It holds the team's secret.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

import msgpack  # type: ignore[import-untyped]

from gh_p2pcache.errors import UsageError
from gh_p2pcache.records.seal import GENERATED_PREFIX

PREFIX = "p2pcacheinvite_"
_VERSION = 1
_CHECK = 4
_LONGEST = 16_384
"""Characters: room for 100 bootstrap addresses."""

SECRET_SIZE = 32


class InviteError(UsageError):
    """A text that is no invite, or not all of one."""


@dataclass(frozen=True, slots=True)
class Invite:
    """What a member hands out. `team_id` (8 bytes) stays when the secret is rotated.

    `generation` counts rotations; `old_until` (Unix seconds, 0: never rotated) ends the grace of
    the secret before this one.
    """

    name: str
    team_id: bytes
    secret: str
    generation: int
    old_until: int
    share: tuple[str, ...]
    bootstrap: tuple[str, ...]


def fits(secret: str) -> bool:
    """Tell whether a secret is one that we made, which is what an invite has room for."""
    try:
        data = urlsafe_b64decode(secret.removeprefix(GENERATED_PREFIX) + "=")
    except ValueError:
        return False
    return len(data) == SECRET_SIZE and as_text(data) == secret


def encode(invite: Invite) -> str:
    """Return the invite as a word."""
    from multiformats import multibase

    secret = urlsafe_b64decode(invite.secret.removeprefix(GENERATED_PREFIX) + "=")
    fields = (
        invite.name, invite.team_id, secret, invite.generation, invite.old_until,
        invite.share, invite.bootstrap,
    )  # fmt: skip
    data = bytes([_VERSION]) + bytes(msgpack.packb(fields))
    return PREFIX + multibase.get("base58btc").encode(data + _check(data))[1:]


def decode(text: str) -> Invite:
    """Read an invite; white space, as of a wrapped line, does not matter. Raises InviteError."""
    word = "".join(text.split())
    if not word.startswith(PREFIX):
        raise InviteError(f"this is not an invite (one begins with {PREFIX})")
    data = _decoded(word.removeprefix(PREFIX))
    if data[0] != _VERSION:
        raise InviteError("this invite is of a newer version (gh extension upgrade p2pcache)")
    try:
        name, team_id, secret, generation, old_until, share, bootstrap = msgpack.unpackb(data[1:])
        invite = Invite(
            name, team_id, as_text(secret), generation, old_until, tuple(share), tuple(bootstrap)
        )
    except (ValueError, TypeError) as error:
        raise InviteError("this invite is not understood") from error
    if not _is_sound(invite, secret):
        raise InviteError("this invite is not understood")
    return invite


def as_text(secret: bytes) -> str:
    """Return 256 random bits as a secret whose prefix says that they are."""
    return GENERATED_PREFIX + urlsafe_b64encode(secret).decode().rstrip("=")


def _decoded(word: str) -> bytes:
    """Return what the checksum confirms."""
    from multiformats import multibase

    damaged = "this invite is damaged: a part is missing or mistyped (copy all of it again)"
    try:
        data = bytes(multibase.decode("z" + word[:_LONGEST]))
    except (ValueError, LookupError) as error:
        raise InviteError(damaged) from error
    if len(data) <= _CHECK or data[-_CHECK:] != _check(data[:-_CHECK]):
        raise InviteError(damaged)
    return data[:-_CHECK]


def _check(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:_CHECK]


def _is_sound(invite: Invite, secret: object) -> bool:
    texts = (invite.name, *invite.share, *invite.bootstrap)
    numbers = (invite.generation, invite.old_until)
    return (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(number, int) and number >= 0 for number in numbers)
        and isinstance(invite.team_id, bytes)
        and isinstance(secret, bytes)
        and len(secret) == SECRET_SIZE
    )
