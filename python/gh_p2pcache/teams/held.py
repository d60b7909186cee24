"""The teams of this machine with their secrets, from the keyring or from the files."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gh_p2pcache.settings import Settings
from gh_p2pcache.teams import files, vault
from gh_p2pcache.teams.files import Membership, Team

SHARED = "shared"
"""The team of the bare secret, CACHE_P2P_SHARED_SECRET."""


def load_teams(
    there: Settings, warn: Callable[[str], object], *, timeout: float = vault.UNATTENDED
) -> tuple[Team, ...]:
    """Return the teams in order of joining, then that of the bare secret.

    A team that cannot be used is left out, and `warn` is told why. Waits for the keyring, where
    one holds a secret, `timeout` seconds at most.
    """
    found = _with_secrets(there.state_dir, warn, timeout)
    if there.secret:
        found.append(Team(SHARED, there.secret, there.share))
    now = time.time()
    return tuple(_as_of(team, now) for team in found)


def keep(state: Path, membership: Membership, warn: Callable[[str], object]) -> Membership:
    """Write a team; its secrets go to the keyring where there is one, else into the file.

    `warn` is told of a keyring that refuses. Raises ConfigError where the file cannot be written.
    """
    team = membership.team
    try:
        both = " ".join(filter(None, (team.secret, team.old_secret)))
        vault.put({entry(state, team.name): both})
        membership = replace(membership, in_keyring=True)
    except vault.NoKeyringError:
        membership = replace(membership, in_keyring=False)
    except vault.KeyringError as error:
        warn(f"{error}: the secret is in {files.path_of(state, team.name)} instead")
        membership = replace(membership, in_keyring=False)
    files.write(state, membership)
    return membership


def entry(state: Path, name: str) -> str:
    """Return the name of a team's entry in the keyring: two state directories share none."""
    return f"{state}/{name}"


def attended(state: Path, name: str) -> Membership:
    """Return a team with its secrets, for a person who may have to unlock the keyring.

    Raises UsageError where this machine is in no such team, KeyringError, ConfigError.
    """
    held = files.read(files.existing(state, name))
    if not held.in_keyring:
        return held
    found = vault.get([entry(state, name)], vault.ATTENDED)
    if entry(state, name) not in found:
        raise vault.KeyringError(
            f"the keyring has no secret of team '{name}' (join again with a new invite)"
        )
    return _opened(held, found[entry(state, name)])


def _with_secrets(state: Path, warn: Callable[[str], object], timeout: float) -> list[Team]:
    """Return the teams whose secret is within reach; the keyring is asked once for all."""
    joined = files.memberships(state, warn)
    wanted = [entry(state, m.team.name) for m in joined if m.in_keyring]
    found: dict[str, str] = {}
    why = "the keyring does not have it"
    if wanted:
        try:
            found = vault.get(wanted, timeout)
        except vault.KeyringError as error:
            why = str(error)
    opened = []
    for membership in joined:
        secret = found.get(entry(state, membership.team.name))
        if not membership.in_keyring:
            opened.append(membership.team)
        elif secret:
            opened.append(_opened(membership, secret).team)
        else:
            warn(f"team '{membership.team.name}' is left out, for want of its secret: {why}")
    return opened


def _opened(held: Membership, kept: str) -> Membership:
    secret, _, old = kept.partition(" ")
    return replace(held, team=replace(held.team, secret=secret, old_secret=old or None))


def _as_of(team: Team, now: float) -> Team:
    """Return a team without a secret of before whose time is over."""
    return team if team.old_until > now else replace(team, old_secret=None, old_until=0.0)
