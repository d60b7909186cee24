"""supervisor.sock: one JSON object a line, a request and its reply on each connection."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping

from gh_p2pcache.errors import DaemonError

_LIMIT = 1 << 20
"""Longest request: `restart` carries an environment."""


class Conversation:
    """The supervisor's end of one connection."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._heard = b""
        self.open = _same_user(connection)

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._connection.fileno()

    def hear(self) -> dict[str, object] | None:
        """Return the request once it is complete. A client that hangs up or babbles is closed."""
        try:
            more = self._connection.recv(65536)
        except BlockingIOError:
            return None
        except OSError:
            more = b""
        self._heard += more
        line, end, _ = self._heard.partition(b"\n")
        if not end:
            if not more or len(self._heard) > _LIMIT:
                self.close()
            return None
        self._heard = b""
        try:
            request = json.loads(line)
        except ValueError:
            request = None
        if isinstance(request, dict):
            return request
        self.reply({"error": "a JSON object is expected"})
        self.close()
        return None

    def reply(self, answer: Mapping[str, object]) -> None:
        """Send one line; small enough for any socket buffer, so it never waits."""
        try:
            self._connection.send(json.dumps(answer).encode() + b"\n")
        except OSError:
            self.close()

    def close(self) -> None:
        """End the conversation."""
        self.open = False
        self._connection.close()


def ask(
    run: str, command: str, timeout: float, *, to_the_end: bool = False, **more: object
) -> dict[str, object]:
    """Send a command to the supervisor of runtime directory `run` and return its reply.

    With `to_the_end` it returns when the supervisor hangs up. Raises DaemonError.
    """
    request = json.dumps({"command": command, **more}).encode() + b"\n"
    try:
        # Empty: it became the next engine with our request unread. Its socket is still there.
        received = _exchange(run, request, timeout, to_the_end) or _exchange(
            run, request, timeout, to_the_end
        )
    except OSError as error:
        raise DaemonError(f"the daemon does not answer ({error})") from error
    try:
        answer: dict[str, object] = json.loads(received)
    except ValueError as error:
        raise DaemonError("the daemon hung up") from error
    if "error" in answer:
        raise DaemonError(str(answer["error"]))
    return answer


def _exchange(run: str, request: bytes, timeout: float, to_the_end: bool) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        # By its real path: the one through a deep state directory is no socket's address.
        connection.connect(f"{os.path.realpath(run)}/supervisor.sock")
        received = b""
        try:
            connection.sendall(request)
            while to_the_end or not received.endswith(b"\n"):
                part = connection.recv(65536)
                if not part:
                    break
                received += part
        except (ConnectionResetError, BrokenPipeError):
            return received
        return received


def _same_user(connection: socket.socket) -> bool:
    """Check the caller's uid where the kernel tells it; the directory is this user's anyway."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int.from_bytes(credentials[4:8], "little") in {0, os.getuid()}
