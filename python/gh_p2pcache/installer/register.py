"""What makes the engine reachable: gh's extension, the alias `git ghapi`, the shim; and back."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from gh_p2pcache.installer.progress import InstallError, Progress

ENTRY = "gh-p2pcache"
_ALIAS = "alias.ghapi"

# git runs a `!` alias in the repository's top directory; GIT_PREFIX leads back to the caller's.
_BEFORE, _AFTER = '!f() { cd "${GIT_PREFIX:-.}" && exec ', ' api "$@"; }; f'


def extension_path(data_home: Path) -> Path:
    """Return where gh looks for the extension `p2pcache` (gh's own rule, without a version)."""
    return data_home / "gh/extensions" / ENTRY


def add_extension(data_home: Path, checkout: Path, progress: Progress) -> None:
    """Make the link that `gh extension install .` makes, which itself wants a login.

    Raises InstallError if another extension of this name is there.
    """
    link = extension_path(data_home)
    if link.is_symlink() and not link.exists():
        link.unlink()
    if link.is_symlink() or link.exists():
        if link.resolve() != checkout:
            raise InstallError(
                f"gh has an extension p2pcache already, in {link.resolve()}\n"
                "    to have this one instead: gh extension remove p2pcache, then install.sh again"
            )
    else:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(checkout)
    progress.say("  gh p2pcache is registered")


def remove_extension(data_home: Path, checkout: Path, progress: Progress) -> None:
    """Remove the link if it leads to this checkout; a clone that gh made is gh's to remove."""
    link = extension_path(data_home)
    if link.is_symlink():
        if link.resolve() == checkout or not link.exists():
            link.unlink()
            progress.say("  gh p2pcache is no longer registered")
    elif link.is_dir() and link.resolve() == checkout:
        progress.say("  gh keeps this extension itself; to remove it: gh extension remove p2pcache")


def add_alias(checkout: Path, progress: Progress) -> None:
    """Define `git ghapi` for this user; an alias of that name that is not ours stays."""
    value = _BEFORE + shlex.quote(str(checkout / ENTRY)) + _AFTER
    there = git_config("--get", _ALIAS)
    if there and not _is_ours(there):
        progress.say(
            f"  git ghapi is an alias of yours already and stays: {there}\n"
            f"    to have ours: git config --global --unset {_ALIAS}, then install.sh again"
        )
        return
    if there != value and git_config(_ALIAS, value) is None:
        progress.say("  git ghapi could not be defined: git's global configuration is not writable")
        return
    progress.say("  git ghapi is defined")


def remove_alias(progress: Progress) -> None:
    """Take `git ghapi` back if it is ours."""
    there = git_config("--get", _ALIAS)
    if there and _is_ours(there) and git_config("--unset", _ALIAS) is not None:
        progress.say("  git ghapi is no longer defined")


def add_shim(data: Path, checkout: Path) -> None:
    """Make the directory whose `gh` is our entry point, and what a shell's profile reads.

    man-db looks for pages in `man` beside each directory of PATH, and so beside the shim.
    """
    _lead(data / "man", Path("engine/man"))
    _lead(data / "shim/gh", checkout / ENTRY)
    for name in ("env.sh", "env.fish"):
        _lead(data / "shell" / name, checkout / "python/gh_p2pcache/shell" / name)


def _lead(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    temporary = link.with_name(f"{link.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)


def _is_ours(alias: str) -> bool:
    """Say whether install.sh defined this alias, for this checkout or for another one."""
    return alias.startswith(_BEFORE) and alias.endswith(_AFTER) and ENTRY in alias


def git_config(*arguments: str) -> str | None:
    """Run `git config --global`; returns its output, or None where it exits with an error."""
    try:
        said = subprocess.run(
            ["git", "config", "--global", *arguments], check=False, capture_output=True, text=True
        )
    except FileNotFoundError:
        return None
    return said.stdout.rstrip("\n") if said.returncode == 0 else None
