"""git's credentials from gh, by `gh p2pcache credential`: only where the user has asked for it."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

from gh_p2pcache import paths
from gh_p2pcache.installer.progress import Progress
from gh_p2pcache.installer.register import ENTRY, git_config

_BEFORE = "git-credential-before.json"
_CALL = " credential"
_HOST = re.compile(r"([a-z0-9][a-z0-9.-]*):", re.IGNORECASE)


def offer(data: Path, checkout: Path, progress: Progress, *, wanted: bool) -> None:
    """Have git ask gh for the hosts that gh knows, if that is wanted; else say how to.

    As `gh auth setup-git` does, an empty entry before ours keeps other helpers from being asked.
    What was set before is noted for `restore`.
    """
    call = f"!{shlex.quote(str(checkout / ENTRY))}{_CALL}"
    hosts = _hosts()
    there = {key: _get(key) for key in map(_key, hosts)}
    if not wanted:
        # The checkout may have moved.
        there = {key: values for key, values in there.items() if _has_ours(values)}
    if not there:
        progress.say("  git's own logins from gh too: ./install.sh --credential-helper")
        return
    note = data / _BEFORE
    before = json.loads(note.read_text(encoding="utf-8")) if note.exists() else {}
    before |= {key: values for key, values in there.items() if not _has_ours(values)}
    note.write_text(json.dumps(before, indent=2), encoding="utf-8")
    for key, values in there.items():
        renewed = [call if _is_ours(value) else value for value in values]
        new = renewed if call in renewed else ["", call]
        if values != new:
            _set(key, new)
    named = ", ".join(host for host in hosts if _key(host) in there)
    progress.say(f"  git asks gh for the credentials of {named}")


def restore(data: Path, progress: Progress) -> None:
    """Take ours out and set again what was set before; what the user has added since stays."""
    note = data / _BEFORE
    if not note.exists():
        return
    for key, values in json.loads(note.read_text(encoding="utf-8")).items():
        there = _get(key)
        if _has_ours(there):
            added = _without_ours(there)
            _set(key, [*values, *added])
            more = ", with what was added since" if added else ""
            progress.say(f"  {key} is as it was before{more}")
    note.unlink()


def _hosts() -> list[str]:
    """Return github.com, what gh is logged in to (hosts.yml), and where their gists are."""
    try:
        rows = (paths.gh_config_dir(os.environ) / "hosts.yml").read_text("utf-8").splitlines()
    except (OSError, UnicodeError):
        rows = []
    found = [match[1].lower() for row in rows if (match := _HOST.match(row))]
    named = dict.fromkeys(["github.com", *found])
    return [host for name in named for host in (name, f"gist.{name}")]


def _key(host: str) -> str:
    return f"credential.https://{host}.helper"


def _get(key: str) -> list[str]:
    said = git_config("-z", "--get-all", key)
    return said.split("\0")[:-1] if said else []


def _set(key: str, values: list[str]) -> None:
    git_config("--unset-all", key)
    for value in values:
        git_config("--add", key, value)


def _has_ours(values: list[str]) -> bool:
    return any(map(_is_ours, values))


def _is_ours(value: str) -> bool:
    return value.endswith(_CALL) and ENTRY in value


def _without_ours(values: list[str]) -> list[str]:
    """Leave out our call, and the empty entry in front of it that came with it."""
    rest: list[str] = []
    for value in values:
        if not _is_ours(value):
            rest.append(value)
        elif rest and not rest[-1]:
            rest.pop()
    return rest
