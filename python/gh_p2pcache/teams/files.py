"""`state/teams/NAME.toml`: one file a team, mode 0600; its secret, unless a keyring has that."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gh_p2pcache import settings
from gh_p2pcache.errors import ConfigError, UsageError

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")


@dataclass(frozen=True, slots=True)
class Team:
    """What a scope is made of, and who may publish in it.

    `share`: patterns of [HOST/]OWNER/REPO. `old_secret` is readable until `old_until` (Unix
    seconds).
    `trusted`: ids of the only peers that may publish, () for every member; `untrusted` never may.
    """

    name: str
    secret: str = field(repr=False)
    share: tuple[str, ...]
    bootstrap: tuple[str, ...] = ()
    old_secret: str | None = field(default=None, repr=False)
    old_until: float = 0.0
    trusted: tuple[str, ...] = ()
    untrusted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Membership:
    """A team as its file has it; the secrets are "" while they lie in the keyring.

    `id` and `generation` are those of its invites; `joined` orders teams.
    """

    team: Team
    id: bytes
    generation: int
    joined: float
    in_keyring: bool


def memberships(state: Path, warn: Callable[[str], object]) -> list[Membership]:
    """Return the teams in order of joining, as their files have them.

    A file that cannot be used is left out, and `warn` is told why.
    """
    found = []
    for path in (state / "teams").glob("*.toml"):
        try:
            found.append(read(path))
        except ConfigError as error:
            warn(f"a team is left out: {error}")
    return sorted(found, key=lambda m: (m.joined, m.team.name))


def path_of(state: Path, name: str) -> Path:
    """Return where a team's file lies."""
    return state / "teams" / f"{name}.toml"


def existing(state: Path, name: str) -> Path:
    """Return the file of a team. Raises UsageError where this machine is in none of the name."""
    path = path_of(state, name)
    if not NAME.fullmatch(name) or not path.exists():
        raise UsageError(f"this machine is in no team '{name}' (gh p2pcache team list)")
    return path


def read(path: Path) -> Membership:
    """Return the team of one file. Raises ConfigError."""
    try:
        held = settings.read_file(path)
        team = Team(
            name=path.stem,
            secret=_typed(held, "secret", str, ""),
            share=_texts(held, "share"),
            bootstrap=_texts(held, "bootstrap"),
            old_secret=_typed(held, "old_secret", str, "") or None,
            old_until=float(_typed(held, "old_until", (int, float), 0.0)),
            trusted=_texts(held, "trusted"),
            untrusted=_texts(held, "untrusted"),
        )
        membership = Membership(
            team,
            id=bytes.fromhex(_typed(held, "id", str, "")),
            generation=_typed(held, "generation", int, 0),
            joined=float(_typed(held, "joined", (int, float), 0.0)),
            in_keyring=_typed(held, "keyring", bool, default=False),
        )
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error
    if not membership.in_keyring and not team.secret:
        raise ConfigError(f"{path}: it has no secret")
    return membership


def _typed(held: dict[str, object], key: str, kind: Any, default: Any) -> Any:
    value = held.get(key, default)
    if not isinstance(value, kind):
        raise ValueError(f"{key} cannot be used")  # noqa: TRY004 - a TypeError would be a bug
    return value


def _texts(held: dict[str, object], key: str) -> tuple[str, ...]:
    values = _typed(held, key, list, [])
    if not all(isinstance(value, str) for value in values):
        raise ValueError(f"{key} cannot be used")
    return tuple(values)


def write(state: Path, membership: Membership) -> None:
    """Replace the file at once, readable by its owner only."""
    import tomlkit

    team = membership.team
    document = tomlkit.document()
    document.add(tomlkit.comment("Written by gh p2pcache team."))
    rows: dict[str, object] = {
        "id": membership.id.hex(),
        "generation": membership.generation,
        "joined": membership.joined,
        "share": list(team.share),
        "bootstrap": list(team.bootstrap),
        "trusted": list(team.trusted),
        "untrusted": list(team.untrusted),
        "old_until": team.old_until,
        "keyring": membership.in_keyring,
    }
    if not membership.in_keyring:
        rows |= {"secret": team.secret, "old_secret": team.old_secret or ""}
    for key, value in rows.items():
        document.add(key, tomlkit.item(value))
    path = path_of(state, team.name)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = path.with_name(f"{team.name}.{secrets.token_hex(4)}")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(document.as_string())
        new.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
