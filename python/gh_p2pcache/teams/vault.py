"""Team secrets in the operating system's keyring, where there is one (see keyring_child)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from gh_p2pcache.errors import P2PCacheError
from gh_p2pcache.teams import keyring_child

ATTENDED, UNATTENDED = 60.0, 1.5
"""Seconds: for a person who may have to unlock it, and for a daemon that somebody waits for."""

_CHILD = Path(keyring_child.__file__)
_SERVICE = "gh-p2pcache"


class KeyringError(P2PCacheError):
    """The keyring is locked, refused, or did not answer."""


class NoKeyringError(KeyringError):
    """There is no keyring here, or none that keeps secrets."""


def get(names: Sequence[str], timeout: float) -> dict[str, str]:
    """Return the secrets of these names that are there. Raises KeyringError."""
    told: dict[str, str | None] = json.loads(_run("get", names, timeout))
    return {name: secret for name, secret in told.items() if secret}


def put(secrets: Mapping[str, str], timeout: float = ATTENDED) -> None:
    """Keep secrets under their names. Raises KeyringError."""
    _run("set", (), timeout, json.dumps(dict(secrets)))


def delete(names: Sequence[str], timeout: float = ATTENDED) -> None:
    """Forget the secrets of these names. Raises KeyringError."""
    _run("delete", names, timeout)


def _run(command: str, names: Sequence[str], timeout: float, given: str = "") -> str:
    """Run the child; a secret is never in its arguments."""
    try:
        said = subprocess.run(
            [sys.executable, "-I", str(_CHILD), command, _SERVICE, *names],
            input=given,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise KeyringError(f"the keyring did not answer within {timeout:g} s") from error
    if said.returncode == keyring_child.NO_KEYRING:
        raise NoKeyringError("there is no keyring here")
    if said.returncode:
        raise KeyringError(f"the keyring says no ({said.stderr.strip() or said.returncode})")
    return said.stdout
