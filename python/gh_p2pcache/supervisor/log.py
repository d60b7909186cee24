"""The daemon's log: the supervisor's lines and whatever the gateway writes to its stderr."""

from __future__ import annotations

import os
import time

LIMIT = 1 << 20


def open_file(state: str) -> int:
    """Return a descriptor that appends to `state/log/daemon.log`. Raises OSError."""
    directory = os.path.join(state, "log")
    os.makedirs(directory, mode=0o700, exist_ok=True)
    path = os.path.join(directory, "daemon.log")
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)


def say(text: str) -> None:
    """Write one line to stderr, which is the log (or the terminal's, under `serve`)."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    try:
        os.write(2, f"{now} supervisor: {text}\n".encode(errors="backslashreplace"))
    except OSError:
        # A full disk or a closed terminal must not end the daemon; there is nowhere to say so.
        return


def rotate(state: str) -> None:
    """Keep one old log beside the one in use once that is over LIMIT.

    Copied and cut, not renamed: the gateway has the same open file and goes on appending.
    """
    path = os.path.join(state, "log", "daemon.log")
    try:
        if os.stat(path).st_size <= LIMIT:
            return
        with open(path, "rb") as log, open(f"{path}.1.new", "wb") as old:
            os.fchmod(old.fileno(), 0o600)
            log.seek(-LIMIT, os.SEEK_END)
            old.write(log.read())
        os.replace(f"{path}.1.new", f"{path}.1")
        os.truncate(path, 0)
    except OSError as error:
        say(f"the log was not rotated: {error}")
