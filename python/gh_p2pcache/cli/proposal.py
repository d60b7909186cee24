"""A change of the user's own files: shown as a diff, agreed to, then written."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from gh_p2pcache.errors import ConfigError, UsageError
from gh_p2pcache.shell.profile import read
from gh_p2pcache.shell.replace import replace

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def offer(wanted: Mapping[Path, str], *, yes: bool) -> list[Path]:
    """Bring files to the texts wanted, if the user agrees; returns those that changed.

    Raises click.Abort on a no, UsageError where nobody can be asked, ConfigError for a file that
    can't be written.
    """
    before = {path: read(path) for path in wanted}
    changed = [path for path, text in wanted.items() if text != before[path]]
    for path in changed:
        _show(path, before[path], wanted[path])
    if changed and not yes:
        if not sys.stdin.isatty():
            raise UsageError("nothing is written: there is no terminal to ask at (--yes)")
        click.confirm("Write this?", abort=True, err=True)
    for path in changed:
        try:
            replace(path, wanted[path])
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
    return changed


def shown(path: Path) -> str:
    """Return a path with ~ for the home."""
    home = os.environ.get("HOME", "")
    return f"~{str(path)[len(home) :]}" if home and home in map(str, path.parents) else str(path)


def _show(path: Path, before: str, after: str) -> None:
    name = shown(path)
    rows = difflib.unified_diff(
        before.splitlines(), after.splitlines(), name, name, lineterm="", n=2
    )
    for row in rows:
        text = row.encode(errors="replace").decode()
        click.echo(click.style(text, fg=_COLOURS.get(row[:1])), err=True)
