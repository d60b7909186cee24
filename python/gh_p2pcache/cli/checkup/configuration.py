"""The settings: values that cannot be used, a secret that others can read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gh_p2pcache import paths, settings
from gh_p2pcache.cli.checkup.finding import Env, Finding, broken, note, ok
from gh_p2pcache.errors import ConfigError


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
    if env.get("CACHE_DISABLE"):
        yield note("CACHE_DISABLE is set: every call goes to plain gh", "unset CACHE_DISABLE")
    if is_toml and not there.warnings:
        yield ok(f"settings ({path}{'' if path.exists() else ', not there: defaults'})")


def _exposed(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & 0o077)
    except FileNotFoundError:
        return False
