"""The line in a shell's profile that puts gh behind the cache there.

Standard library only: `install.sh --uninstall` takes the line out, too.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from gh_p2pcache import paths

SHELLS = ("bash", "zsh", "fish")
MARK = "# gh p2pcache on"

_BARE = " (no newline before)"
"""Behind the mark where the profile's own text had no newline at its end, to leave it so."""

_LINE = rf"^[^\n]*gh-p2pcache/shell/env\.[^\n]*{re.escape(MARK)}"
_END = r"[ \t\r]*(?:\n|\Z)"
_OURS = re.compile(
    # The newline before is ours only while nothing comes after.
    rf"\n{_LINE}{re.escape(_BARE)}{_END}\Z"
    # What `>>` has put behind a line without a newline is the user's.
    rf"|{_LINE}(?:{re.escape(_BARE)})?(?:{_END}|(?=\S))",
    re.MULTILINE,
)


def path(shell: str, env: Mapping[str, str]) -> Path:
    """Return the file that this shell reads when it is interactive.

    On macOS a terminal's bash is a login shell, which does not read ~/.bashrc.
    """
    home = Path(env.get("HOME", "/"))
    if shell == "zsh":
        return Path(env.get("ZDOTDIR") or home) / ".zshrc"
    if shell == "fish":
        return Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "fish/config.fish"
    return home / (".bash_profile" if sys.platform == "darwin" else ".bashrc")


def line(shell: str, env: Mapping[str, str]) -> str:
    """Return the line: it starts no process, and does nothing where the file it reads is gone."""
    file = paths.data_dir(env) / "shell" / ("env.fish" if shell == "fish" else "env.sh")
    home = Path(env.get("HOME", "/"))
    usual = home / ".local/share" in file.parents
    quoted = f'"$HOME/{file.relative_to(home)}"' if usual else shlex.quote(str(file))
    if shell == "fish":
        return f"status is-interactive; and test -r {quoted}; and source {quoted}  {MARK}"
    return f"[[ $- != *i* || ! -r {quoted} ]] || . {quoted}  {MARK}"


def added(text: str, new: str) -> str:
    """Return a profile's text with the line, at its end unless it is there already."""
    if any(new in match[0] and match[0].endswith("\n") for match in _OURS.finditer(text)):
        return text
    rest = removed(text)
    if not rest or rest.endswith("\n"):
        return f"{rest}{new}\n"
    return f"{rest}\n{new}{_BARE}\n"


def removed(text: str) -> str:
    """Return a profile's text as it was before `added`."""
    return _OURS.sub("", text)


def read(file: Path) -> str:
    """Return a profile's text, "" where there is none; any bytes and line ends survive `write`."""
    try:
        with file.open(encoding="utf-8", errors="surrogateescape", newline="") as opened:
            return opened.read()
    except FileNotFoundError:
        return ""


def where_on(env: Mapping[str, str]) -> list[Path]:
    """Return the profiles that have the line."""
    return [file for file in (path(shell, env) for shell in SHELLS) if _has_line(file)]


def _has_line(file: Path) -> bool:
    try:
        return file.is_file() and _OURS.search(read(file)) is not None
    except OSError:
        return False  # what we can't read, this user's shell can't either


def is_on(env: Mapping[str, str]) -> bool:
    """Tell whether a plain `gh` of this environment is the shim."""
    shim = paths.data_dir(env) / "shim/gh"
    found = shutil.which("gh", path=env.get("PATH", os.defpath))
    return found is not None and Path(found).resolve() == shim.resolve()
