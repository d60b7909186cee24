"""The daemon's control socket as a client sees it: HTTP/1.1 and JSON over a Unix socket."""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gh_p2pcache.errors import DaemonError

_PATIENCE = 10.0
_LOST = "the daemon does not answer ({}); gh p2pcache doctor says why"


class UnixConnection(http.client.HTTPConnection):
    """HTTP over the Unix socket `path`; `host` is what the Host field says."""

    def __init__(
        self, path: Path, host: str = "gh-p2pcache", *, timeout: float | None = _PATIENCE
    ) -> None:
        super().__init__(host, timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect. Raises OSError."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def socket_path(state: Path, name: str) -> Path:
    """Return the running daemon's socket `ttl`, `exact` or `control`.

    By its real path: the one through the state directory may be too long for a socket's address.
    """
    return Path(os.path.realpath(state / "run")) / f"{name}.sock"


def get(state: Path, path: str) -> dict[str, Any]:
    """Return what GET `path` says. Raises DaemonError."""
    return _ask(UnixConnection(socket_path(state, "control")), "GET", path)


def post(
    state: Path,
    path: str,
    asked: Mapping[str, object],
    *,
    token: str | None = None,
    timeout: float | None = _PATIENCE,
) -> dict[str, Any]:
    """Return what POST `path` says; `token` introduces itself, so that its records can be opened.

    `timeout` in seconds, None for ever. Raises DaemonError, with the gateway's words where it
    refuses.
    """
    connection = UnixConnection(socket_path(state, "control"), timeout=timeout)
    headers = {"Authorization": f"token {token}"} if token else {}
    return _ask(connection, "POST", path, json.dumps(asked).encode(), headers)


def _ask(connection: UnixConnection, *request: Any) -> dict[str, Any]:
    try:
        connection.request(*request)
        answer = connection.getresponse()
        told = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DaemonError(_LOST.format(error)) from error
    finally:
        connection.close()
    if not isinstance(told, dict):
        raise DaemonError(_LOST.format("not with a JSON object"))
    if answer.status != 200:
        raise DaemonError(str(told.get("error", f"the daemon answered {answer.status}")))
    return told
