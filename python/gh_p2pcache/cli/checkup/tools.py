"""The programs: git, gh, our engine, the shim."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from gh_p2pcache import __version__, paths
from gh_p2pcache.cli import entry
from gh_p2pcache.cli import gh as real_gh
from gh_p2pcache.cli.checkup.finding import Env, Finding, broken, note, ok
from gh_p2pcache.errors import P2PCacheError

_GET_GH = "get it from https://cli.github.com"


def git(env: Env) -> Iterator[Finding]:
    """Find git."""
    said = _output(["git", "--version"], env)
    if said:
        yield ok(said)
    else:
        yield broken("git is not found", "install git")


def gh(env: Env) -> Iterator[Finding]:
    """Find the real gh, its version and whether it has a token."""
    path = real_gh.find(env)
    if path is None:
        yield broken("gh is not found in PATH", _GET_GH)
        return
    version = real_gh.version(path)
    shown = ".".join(map(str, version)) or "of an unknown version"
    if version < real_gh.OLDEST:
        wanted = ".".join(map(str, real_gh.OLDEST))
        yield broken(f"gh {shown} ({path}) is older than {wanted}", _GET_GH)
        return
    yield ok(f"gh {shown} ({path})")
    if real_gh.token(env, env.get("GH_HOST", "")):
        yield ok("gh has a token")
    else:
        yield note(
            "gh has no token",
            "gh auth login, or set GH_TOKEN; gh p2pcache api takes git's own credentials meanwhile",
        )


def engine(env: Env) -> Iterator[Finding]:
    """Compare the engine in use with the checkout it was made of."""
    python = f"Python {platform.python_version()}"
    if chosen := env.get("GH_P2PCACHE_ENGINE"):
        yield note(
            f"engine {__version__}, {python}: GH_P2PCACHE_ENGINE={chosen}",
            "unset GH_P2PCACHE_ENGINE to use the one that is set up",
        )
        return
    link = paths.data_dir(env) / "engine"
    built = _first_line(link / "BUILD")
    if not built:
        yield broken(f"no engine is set up in {link}", "gh p2pcache setup")
        return
    version, _, commit = built.partition(" ")
    try:
        checkout = entry.find(env).parent
    except P2PCacheError as error:
        yield broken(f"engine {version}: {error}", "clone the repository and run its install.sh")
        return
    there = _version_of(checkout), _output(["git", "-C", str(checkout), "rev-parse", "HEAD"], env)
    if there in {(version, commit), (version, "")}:
        yield ok(f"engine {version}, {python} ({link.resolve()})")
    else:
        yield note(
            f"engine {version} ({commit[:9]}), but {checkout} has {there[0]} ({there[1][:9]})",
            "gh p2pcache setup",
        )


def shim(env: Env) -> Iterator[Finding]:
    """Tell whether a plain `gh` of this shell goes through the cache."""
    folder = paths.data_dir(env) / "shim"
    if not (folder / "gh").exists():
        yield note(
            f"no shim in {folder}: gh p2pcache exec has nothing to work with", "gh p2pcache setup"
        )
        return
    first = _first_gh(env)
    if first is not None and first.resolve().name == entry.NAME:
        yield ok("every gh of this shell goes through the cache (the shim is first in PATH)")
    elif str(folder) in env.get("PATH", "").split(os.pathsep):
        yield note(
            f"the shim is in PATH, but {first} comes before it",
            "make the line of gh p2pcache on the last of your profile",
        )
    else:
        yield ok(
            "gh typed in this shell goes to GitHub itself;"
            " gh p2pcache exec -- CMD has it cached, gh p2pcache on every gh of your shells"
        )


def _first_gh(env: Env) -> Path | None:
    found = shutil.which("gh", path=env.get("PATH", os.defpath))
    return Path(found) if found else None


def _version_of(checkout: Path) -> str:
    source = _text(checkout / "python/gh_p2pcache/__init__.py")
    found = re.search(r'__version__ = "([^"]+)"', source)
    return found[1] if found else "no version"


def _first_line(path: Path) -> str:
    return _text(path).partition("\n")[0]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _output(command: list[str], env: Env) -> str:
    try:
        said = subprocess.run(
            command, env=dict(env), capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""
