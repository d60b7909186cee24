"""Where things lie: XDG directories.

Standard library only: the supervisor reads it without site-packages.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

APP = "gh-p2pcache"


def _xdg(env: Mapping[str, str], name: str, fallback: str) -> Path:
    value = env.get(name, "")
    base = Path(value) if value.startswith("/") else Path(env.get("HOME", "/")) / fallback
    return base / APP


def state_dir(env: Mapping[str, str]) -> Path:
    """Return the directory that selects the daemon: identity, lock, statistics, logs, overlays."""
    if own := env.get("CACHE_STATE_DIR"):
        return Path(own).absolute()
    return _xdg(env, "XDG_STATE_HOME", ".local/state")


def cache_dir(env: Mapping[str, str]) -> Path:
    """Return the default place of the store (`CACHE_DIR` is a setting; see settings)."""
    return _xdg(env, "XDG_CACHE_HOME", ".cache")


def data_dir(env: Mapping[str, str]) -> Path:
    """Return where the engine's environment and the shim are installed."""
    return _xdg(env, "XDG_DATA_HOME", ".local/share")


def config_file(env: Mapping[str, str]) -> Path:
    """Return the path of config.toml."""
    return _xdg(env, "XDG_CONFIG_HOME", ".config") / "config.toml"


def unusable(called: str, directory: Path) -> str:
    """Return why nobody can have `directory`, "" where one can: it is made, as a call would."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return f"the {called} {directory} can't be made: {error.strerror}"
    return ""


def gh_config_dir(env: Mapping[str, str]) -> Path:
    """Return gh's own configuration directory, by gh's rules (GH_CONFIG_DIR, XDG, ~/.config)."""
    if own := env.get("GH_CONFIG_DIR"):
        return Path(own).absolute()
    if xdg := env.get("XDG_CONFIG_HOME"):
        return Path(xdg) / "gh"
    return Path(env.get("HOME", "/")) / ".config" / "gh"
