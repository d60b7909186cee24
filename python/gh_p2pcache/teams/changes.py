"""What people do with teams: create, invite, join, leave, rotate, trust."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from gh_p2pcache.errors import ConfigError, RejectedError, UsageError
from gh_p2pcache.parsers import parse_multiaddrs, parse_repositories
from gh_p2pcache.records.seal import team_keys
from gh_p2pcache.teams import files, held, invites, vault
from gh_p2pcache.teams.files import Membership, Team
from gh_p2pcache.teams.invites import Invite

GRACE = 7 * 86400.0
"""Seconds that a secret stays readable after its rotation, unless said otherwise."""

Warn = Callable[[str], object]
"""Is told what went another way than asked, in a line."""


def create(
    state: Path, name: str, share: Sequence[str], bootstrap: Sequence[str], warn: Warn
) -> Membership:
    """Make a team and be its first member. Raises UsageError, ConfigError."""
    _check_name(name)
    if files.path_of(state, name).exists():
        raise UsageError(f"this machine is in a team '{name}' already (gh p2pcache team list)")
    team = Team(name, _new_secret(), _patterns(share), _addresses(bootstrap))
    return held.keep(state, _new(team, secrets.token_bytes(8)), warn)


def invite(state: Path, name: str, bootstrap: Sequence[str] = ()) -> str:
    """Return what makes another machine a member; `bootstrap` is remembered for later ones, too.

    Raises UsageError, KeyringError.
    """
    member = held.attended(state, name)
    if not invites.fits(member.team.secret):
        raise UsageError(f"team '{name}' was joined by its secret: that is what others join by")
    team = replace(member.team, bootstrap=_both(member.team.bootstrap, _addresses(bootstrap)))
    if team != member.team:
        files.write(state, replace(member, team=team))
    return invites.encode(
        Invite(
            name=team.name,
            team_id=member.id,
            secret=team.secret,
            generation=member.generation,
            old_until=int(team.old_until),
            share=team.share,
            bootstrap=team.bootstrap,
        )
    )


def join(state: Path, text: str, warn: Warn) -> tuple[Membership, bool]:
    """Become a member by an invite; returns what is, and whether the secret is a new one here.

    An invite with a rotated secret replaces the one that is held, which stays readable for the
    grace that the invite tells. Raises UsageError.
    """
    given = invites.decode(text)
    _check_name(given.name)
    team = Team(given.name, given.secret, _patterns(given.share), _addresses(given.bootstrap))
    if not files.path_of(state, given.name).exists():
        new = replace(_new(team, given.team_id), generation=given.generation)
        return held.keep(state, new, warn), True
    member = _as_held(state, given.name, warn)
    if member.id != given.team_id:
        raise UsageError(
            f"this machine is in another team of the name '{given.name}'"
            f" (gh p2pcache team leave {given.name}, then join)"
        )
    if given.generation < member.generation:
        raise UsageError("this invite is older than the secret that is in use here")
    before = member.team
    team = replace(before, share=team.share, bootstrap=_both(before.bootstrap, team.bootstrap))
    changed = given.secret != before.secret
    if changed and before.secret:
        until = float(given.old_until) or time.time() + GRACE
        team = replace(team, old_secret=before.secret, old_until=until)
    team = replace(team, secret=given.secret)
    now = replace(member, team=team, generation=given.generation)
    return held.keep(state, now, warn), changed


def join_by_secret(
    state: Path, name: str, secret: str, share: Sequence[str], warn: Warn
) -> tuple[Membership, bool]:
    """Become a member of those with this secret (CACHE_P2P_SHARED_SECRET), which can be any text.

    Unlike that variable it is no part of what callers must agree on. Who is one already takes over
    what is shared. Returns what is, and whether it is new here. Raises UsageError.
    """
    _check_name(name)
    if not secret:
        raise UsageError("there is no secret")
    team = Team(name, secret, _patterns(share))
    if not files.path_of(state, name).exists():
        # The same on every machine, so that what one rotates the others can take over.
        return held.keep(state, _new(team, team_keys(secret).id), warn), True
    member = _as_held(state, name, warn)
    if member.team.secret != secret:
        raise UsageError(
            f"this machine is in a team '{name}' of another secret"
            f" (gh p2pcache team leave {name}, then join)"
        )
    return held.keep(
        state, replace(member, team=replace(member.team, share=team.share)), warn
    ), False


def leave(state: Path, name: str, warn: Warn) -> None:
    """Be no member any more. Raises UsageError where this machine is none."""
    member = files.read(files.existing(state, name))
    if member.in_keyring:
        try:
            vault.delete([held.entry(state, name)])
        except vault.KeyringError as error:
            warn(f"the team's secret is still in the keyring: {error}")
    files.path_of(state, name).unlink()


def rotate(state: Path, name: str, grace: float, warn: Warn) -> Membership:
    """Give a team a new secret; that of before stays readable for `grace` seconds."""
    member = held.attended(state, name)
    if member.team.old_secret and member.team.old_until > time.time():
        warn("the secret before this one ends now, too: who still has it is out until it joins")
    team = replace(
        member.team,
        secret=_new_secret(),
        old_secret=member.team.secret if grace else None,
        old_until=time.time() + grace,
    )
    return held.keep(state, replace(member, team=team, generation=member.generation + 1), warn)


def trust(state: Path, names: Iterable[str], peers: Sequence[str], *, only: bool) -> None:
    """Take these peers' records again; with `only`, those of no other peer (none named: of all)."""
    _check_peers(peers)
    for name in names:
        member = files.read(files.existing(state, name))
        team = member.team
        narrowed = tuple(peers) if only else _both(team.trusted, peers if team.trusted else ())
        untrusted = tuple(peer for peer in team.untrusted if peer not in peers)
        team = replace(team, trusted=narrowed, untrusted=untrusted)
        files.write(state, replace(member, team=team))


def untrust(state: Path, names: Iterable[str], peers: Sequence[str]) -> None:
    """Take nothing from these peers any more, whoever trusts them. Raises UsageError."""
    _check_peers(peers)
    for name in names:
        member = files.read(files.existing(state, name))
        team = replace(member.team, untrusted=_both(member.team.untrusted, peers))
        files.write(state, replace(member, team=team))


def _new(team: Team, team_id: bytes) -> Membership:
    return Membership(team, team_id, generation=0, joined=time.time(), in_keyring=False)


def _as_held(state: Path, name: str, warn: Warn) -> Membership:
    """Return a team that is joined anew; a secret out of reach is done without."""
    try:
        return held.attended(state, name)
    except vault.KeyringError as error:
        warn(f"the secret of before is not readable any more: {error}")
        return files.read(files.existing(state, name))


def _both(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _new_secret() -> str:
    return invites.as_text(secrets.token_bytes(invites.SECRET_SIZE))


def _check_name(name: str) -> None:
    if not files.NAME.fullmatch(name) or name == held.SHARED:
        raise UsageError(
            f"a team's name is of small letters, digits, '.', '_' and '-' ('{name}' was given)"
        )


def _patterns(share: Sequence[str]) -> tuple[str, ...]:
    return _both(_parsed("--share", parse_repositories, share), ())


def _addresses(bootstrap: Sequence[str]) -> tuple[str, ...]:
    return _parsed("--bootstrap", parse_multiaddrs, bootstrap)


def _parsed(
    option: str, parse: Callable[[str], tuple[str, ...]], items: Sequence[str]
) -> tuple[str, ...]:
    given = ",".join(items)
    try:
        return parse(given)
    except ConfigError as error:
        raise UsageError(f"{option} {error} ('{given}' was given)") from error


def _check_peers(peers: Sequence[str]) -> None:
    from gh_p2pcache.records.sign import public_of

    for peer in peers:
        try:
            public_of(peer)
        except RejectedError as error:
            raise UsageError(f"{error} (gh p2pcache peers)") from error
