"""The real gh: where it is, which version, and the token it would use."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from gh_p2pcache.cli.entry import NAME

OLDEST = (2, 23)
"""The oldest gh whose traffic through the socket was looked at."""

_SECONDS = 10


def find(env: Mapping[str, str]) -> Path | None:
    """Return the first gh in PATH that is not our own shim."""
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        path = Path(folder or ".") / "gh"
        if os.access(path, os.X_OK) and path.is_file() and path.resolve().name != NAME:
            return path
    return None


def version(gh: Path) -> tuple[int, ...]:
    """Return gh's version, () where it does not say."""
    said = _run(gh, {}, "--version")
    found = re.search(r"gh version (\d+)\.(\d+)\.(\d+)", said)
    return tuple(int(part) for part in found.groups()) if found else ()


def token(env: Mapping[str, str], host: str = "") -> str | None:
    """Return the token that gh would send to `host` (its default host without one), if any."""
    gh = find(env)
    if gh is None:
        return None
    return _run(gh, env, "auth", "token", *(("--hostname", host) if host else ())) or None


def _run(gh: Path, env: Mapping[str, str], *arguments: str) -> str:
    try:
        said = subprocess.run(
            [gh, *arguments],
            env={"PATH": os.defpath, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""
