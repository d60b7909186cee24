"""`gh p2pcache init vscode | actions`: files for a project that is to use the cache."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import click

from gh_p2pcache import paths
from gh_p2pcache.cli import entry, jsonc, proposal
from gh_p2pcache.cli.on import YES
from gh_p2pcache.cli.output import examples
from gh_p2pcache.errors import ConfigError, P2PCacheError
from gh_p2pcache.shell.profile import read

_TASKS = ("status", "stats", "monitor", "purge --all")
_ON_WINDOWS = "${env:USERPROFILE}\\.local\\share\\gh-p2pcache\\shim;${env:PATH}"
_ORIGIN = re.compile(
    r"(?:https://(?:[^/@]+@)?|git://|(?:ssh://)?git@)github\.com(?::\d+)?[/:]"
    r"([^/]+/[^/]+?)(?:\.git)?/?"
)
_OWNER = "OWNER"
_WORKFLOW = Path(__file__).with_name("workflow.yml")


@click.group(epilog=examples("gh p2pcache init vscode", "gh p2pcache init actions --yes"))
def command() -> None:
    """Write what a project needs to use the cache; you see it first."""


@command.command(epilog=examples("gh p2pcache init vscode", "gh p2pcache init vscode --yes"))
@YES
def vscode(*, yes: bool) -> None:
    """Have VS Code's terminals of this folder behind the cache, and tasks to look at it.

    Writes .vscode/settings.json and .vscode/tasks.json, or adds to them: comments and everything
    else in them stay.
    """
    folder = Path.cwd() / ".vscode"
    edits = {folder / "settings.json": with_terminals, folder / "tasks.json": with_tasks}
    wanted = {}
    for path, edit in edits.items():
        try:
            wanted[path] = edit(read(path))
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error
    _write(wanted, yes=yes)


@command.command(epilog=examples("gh p2pcache init actions", "gh p2pcache init actions --yes"))
@YES
def actions(*, yes: bool) -> None:
    """Write an example workflow whose every gh is behind the cache."""
    action = _action()
    text = _WORKFLOW.read_text(encoding="utf-8").replace("@ACTION@", action)
    if action.startswith(f"{_OWNER}/"):
        what = f"put the owner of gh-p2pcache on GitHub in place of {_OWNER} in the workflow"
        why = "the clone that is installed here has no origin on GitHub to tell it"
        click.echo(f"gh-p2pcache: {what}: {why}", err=True)
    _write({_top() / ".github/workflows/gh-p2pcache.yml": text}, yes=yes)


def with_terminals(text: str) -> str:
    """Return settings.json's text with the shim first in the terminals' PATH."""
    home = Path(os.environ.get("HOME", "/"))
    shim = paths.data_dir(os.environ) / "shim"
    usual = shim == home / ".local/share/gh-p2pcache/shim"
    first = "${env:HOME}/.local/share/gh-p2pcache/shim" if usual else str(shim)
    for system in ("linux", "osx", "windows"):
        key = f"terminal.integrated.env.{system}"
        put_first = _ON_WINDOWS if system == "windows" else f"{first}:${{env:PATH}}"
        there = _member(jsonc.read(text), key)
        old = _member(there, "PATH") if isinstance(there, dict) else None
        if isinstance(old, str):
            if "gh-p2pcache" in old:
                continue
            put_first = put_first.replace("${env:PATH}", old)
        text = jsonc.put(text, (key, "PATH"), put_first)
    return text


def with_tasks(text: str) -> str:
    """Return tasks.json's text with our tasks; one that has such a label already stays."""
    tasks = _member(jsonc.read(text), "tasks") or []
    labels = {_member(task, "label") for task in tasks} if isinstance(tasks, list) else set()
    if not _member(jsonc.read(text), "version"):
        text = jsonc.put(text, ("version",), "2.0.0")
    for words in _TASKS:
        label = f"gh p2pcache {words}"
        if label not in labels:
            text = jsonc.append(text, "tasks", _task(label, words.split()))
    return text


def _task(label: str, words: list[str]) -> dict[str, Any]:
    return {
        "label": label,
        "type": "process",
        "command": "gh",
        "args": ["p2pcache", *words],
        "presentation": {"panel": "dedicated"},
        "problemMatcher": [],
    }


def _member(value: object, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _write(wanted: dict[Path, str], *, yes: bool) -> None:
    changed = proposal.offer(wanted, yes=yes)
    if changed:
        click.echo(f"{', '.join(map(proposal.shown, changed))} written.")
    else:
        click.echo("Everything is there already.")


def _top() -> Path:
    said = _git(Path.cwd(), "rev-parse", "--show-toplevel")
    return Path(said) if said else Path.cwd()


def _action() -> str:
    """Return where the set-up action lies, by the checkout that this engine was made of."""
    try:
        checkout = entry.find(os.environ).parent
    except P2PCacheError:
        return f"{_OWNER}/gh-p2pcache/.github/actions/setup@main"
    origin = _ORIGIN.fullmatch(_git(checkout, "remote", "get-url", "origin"))
    commit = _git(checkout, "rev-parse", "HEAD")
    where = origin[1] if origin else f"{_OWNER}/gh-p2pcache"
    return f"{where}/.github/actions/setup@{commit or 'main'}"


def _git(folder: Path, *arguments: str) -> str:
    said = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
    )
    return said.stdout.strip() if said.returncode == 0 else ""
