"""Whether a call of this shell may go through the running daemon: entry/compare.sh in Python."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gh_p2pcache import published, settings

_MUST_AGREE = frozenset(
    name.name for name in (settings.SECRET, settings.UPSTREAM, settings.TRUST, settings.SHARE)
)


def against(state: Path, env: Mapping[str, str]) -> str:
    """Return why the entry point would send a call past the daemon, "" where it would not.

    As there, of the settings only those count that say where a token may go; and what the daemon
    has from config.toml or by default is not contradicted by an environment that is silent.
    """
    path = state / "run/settings"
    try:
        rows = published.read(path)
    except OSError:
        return f"{path} can't be read (gh p2pcache restart)"
    for row in rows:
        if row.name.startswith("CACHE_") and row.name not in _MUST_AGREE:
            continue
        mine = env.get(row.name, "")
        if row.is_same(mine) or not (mine or row.source == "env"):
            continue
        if row.name in _MUST_AGREE:
            return (
                f"{row.name} differs from the running daemon's"
                " (gh p2pcache restart, or put it in config.toml)"
            )
        return f"{row.name} differs from the running daemon's (gh p2pcache restart)"
    return ""
