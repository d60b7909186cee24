"""The operating system's keyring, in a process of its own: it may hang, or ask somebody.

`python -I keyring_child.py get|set|delete SERVICE NAME…`; `set` reads {name: secret} from stdin,
`get` writes it. Exit code 0; 3 where there is no keyring that keeps secrets from other users' and
other programs' eyes; 1 with a line on stderr where it says no.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

NO_KEYRING = 3
_NOT_REAL = ("keyring.backends.fail", "keyring.backends.null", "keyrings.")
"""Backends that keep nothing, and those of keyrings.alt: files, in plain text or with a password
that is asked for."""


def main(command: str, service: str, names: list[str]) -> int:
    """Do one command; returns the exit code."""
    _find_session_bus()
    import keyring
    import keyring.errors

    if not _is_real(keyring.get_keyring()):
        return NO_KEYRING
    try:
        match command:
            case "get":
                found = {name: keyring.get_password(service, name) for name in names}
                json.dump(found, sys.stdout)
            case "set":
                for name, secret in json.load(sys.stdin).items():
                    keyring.set_password(service, name, secret)
            case "delete":
                for name in names:
                    keyring.delete_password(service, name)
    except keyring.errors.KeyringError as error:
        print(f"{type(error).__name__} {error}".strip(), file=sys.stderr)
        return 1
    return 0


def _is_real(backend: object) -> bool:
    """Say whether secrets would go where they belong; of a chain the first backend counts."""
    chained = getattr(backend, "backends", None)
    first = chained[0] if chained else backend
    return not type(first).__module__.startswith(_NOT_REAL)


def _find_session_bus() -> None:
    """Name the session's D-Bus as systemd does: a daemon has not its starter's environment."""
    bus = Path(os.environ.get("XDG_RUNTIME_DIR", ""), "bus")
    if bus.is_absolute() and bus.exists():
        os.environ.setdefault("DBUS_SESSION_BUS_ADDRESS", f"unix:path={bus}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
