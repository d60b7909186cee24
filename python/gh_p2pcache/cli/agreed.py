"""Whether a call of this shell may go through the running daemon: entry/compare.sh in Python."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gh_p2pcache import settings
from gh_p2pcache.published import salted_hash

_MUST_AGREE = frozenset(
    name.name for name in (settings.SECRET, settings.UPSTREAM, settings.TRUST, settings.SHARE)
)


def against(state: Path, env: Mapping[str, str]) -> str:
    """Return why the entry point would send a call past the daemon, "" where it would not.

    As there, of the settings only those count that say where a token may go; and what the daemon
    has from config.toml or by default is not contradicted by an environment that is silent.
    """
    published = state / "run/settings"
    try:
        rows = published.read_text(encoding="utf-8", errors="surrogateescape").splitlines()[1:]
    except OSError:
        return f"{published} can't be read (gh p2pcache restart)"
    for row in rows:
        name, _, rest = row.partition(" ")
        source, _, theirs = rest.partition(" ")
        mine = env.get(name, "").replace("\n", " ")
        if name.startswith("CACHE_") and name not in _MUST_AGREE:
            continue
        if _same(name, mine, theirs) or not (mine or source == "env"):
            continue
        if name in _MUST_AGREE:
            return (
                f"{name} differs from the running daemon's"
                " (gh p2pcache restart, or put it in config.toml)"
            )
        return f"{name} differs from the running daemon's (gh p2pcache restart)"
    return ""


def _same(name: str, mine: str, theirs: str) -> bool:
    is_hashed = name == settings.SECRET.name or "@" in mine
    if mine and is_hashed:
        return salted_hash(mine, theirs.partition(":")[0]) == theirs
    return mine == theirs
