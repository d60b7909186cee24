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
_SILENT_GIT = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "GCM_INTERACTIVE": "never"}


def find(env: Mapping[str, str]) -> Path | None:
    """Return the first gh in PATH that is not our own shim."""
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        path = Path(folder or ".") / "gh"
        if os.access(path, os.X_OK) and path.is_file() and path.resolve().name != NAME:
            return path
    return None


def version(gh: Path) -> tuple[int, ...]:
    """Return gh's version, () where it does not say."""
    found = re.search(
        r"gh version (\d+)\.(\d+)\.(\d+)", _output([str(gh), "--version"], os.environ)
    )
    return tuple(int(part) for part in found.groups()) if found else ()


def token(env: Mapping[str, str], host: str = "") -> str | None:
    """Return the token that gh has for `host` (its default host without one), if any."""
    gh = find(env)
    if gh is None:
        return None
    chosen = ["--hostname", host] if host else []
    return _output([str(gh), "auth", "token", *chosen], env) or None


def any_token(env: Mapping[str, str], host: str = "") -> str | None:
    """Return gh's token, else git's credential for the host, as `gh p2pcache api` does."""
    if found := token(env, host):
        return found
    asked = f"protocol=https\nhost={host or env.get('GH_HOST') or 'github.com'}\n\n"
    said = _output(["git", "credential", "fill"], {**env, **_SILENT_GIT}, asked)
    rows = dict(row.partition("=")[::2] for row in said.splitlines())
    return rows.get("password") or None


def token_variable(host: str) -> str:
    """Return the variable in which gh takes a token for this host (`gh help environment`)."""
    is_cloud = host in {"", "github.com"} or host.endswith(".ghe.com")
    return "GH_TOKEN" if is_cloud else "GH_ENTERPRISE_TOKEN"


def _output(command: list[str], env: Mapping[str, str], given: str = "") -> str:
    try:
        said = subprocess.run(
            command, env=dict(env), input=given, capture_output=True, text=True,
            timeout=_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""
