"""The settings: values that cannot be used, a secret that others can read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gh_p2pcache import paths, settings
from gh_p2pcache.cli.checkup.finding import Env, Finding, broken, note, ok
from gh_p2pcache.errors import ConfigError

_SHORT = 16
"""Characters: what people choose below that can be tried word by word."""
_MAKES_ONE = """python3 -c 'import secrets; print("p2pcache_" + secrets.token_urlsafe(32))'"""


def problems(env: Env) -> Iterator[Finding]:
    """Look through environment and config.toml."""
    path = paths.config_file(env)
    is_toml = True
    try:
        there = settings.load(env, settings.read_file(path))
    except ConfigError as error:
        yield broken(str(error), "correct it; until then the file is left out as a whole")
        there, is_toml = settings.load(env), False
    for warning in there.warnings:
        yield note(warning, "gh p2pcache config set, or unset")
    exposed = _exposed(path)
    if exposed and there.effective[settings.SECRET.name].source == "file":
        yield note(f"{path} holds the team secret, and others can read it", f"chmod 600 {path}")
    if there.secret and len(there.secret) < _SHORT:
        yield note(
            f"the team secret has {len(there.secret)} characters: who gets what it seals, from a"
            " backup say, can guess it",
            f"one that can't be guessed, on all machines: {_MAKES_ONE}",
        )
    if settings.is_disabled(env):
        yield note("CACHE_DISABLE is set: every call goes to plain gh", "unset CACHE_DISABLE")
    if is_toml and not there.warnings:
        yield ok(f"settings ({path}{'' if path.exists() else ', not there: defaults'})")


def _exposed(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & 0o077)
    except FileNotFoundError:
        return False
