"""One line of `doctor`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Env = Mapping[str, str]
"""The environment of the `doctor` command."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found and, unless all is well, what to do.

    `ok`: in order; `note`: works, but worth knowing; `broken`: calls go past the cache, or fail.
    """

    verdict: Literal["ok", "note", "broken"]
    what: str
    do: str = ""


def ok(what: str) -> Finding:
    """Return a finding that asks for nothing."""
    return Finding("ok", what)


def note(what: str, do: str) -> Finding:
    """Return something that works but is worth knowing."""
    return Finding("note", what, do)


def broken(what: str, do: str) -> Finding:
    """Return something that keeps the cache from doing its work."""
    return Finding("broken", what, do)
