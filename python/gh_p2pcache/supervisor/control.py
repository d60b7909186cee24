"""One small HTTP exchange with the gateway's control socket, without http.client's 15 ms."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping

from gh_p2pcache.errors import DaemonError


def post(path: str, target: str, body: Mapping[str, object], timeout: float) -> dict[str, object]:
    """Return the JSON object that the gateway answers. Raises DaemonError."""
    payload = json.dumps(body).encode()
    head = (
        f"POST {target} HTTP/1.1\r\nHost: gh-p2pcache\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(payload)}\r\nConnection: close\r\n\r\n"
    )
    deadline = time.monotonic() + timeout
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.settimeout(timeout)
            connection.connect(path)
            connection.sendall(head.encode() + payload)
            answer = b""
            while part := connection.recv(65536):
                answer += part
                connection.settimeout(max(0.001, deadline - time.monotonic()))
        except OSError as error:
            raise DaemonError(f"the daemon does not answer ({error})") from error
    status_line, _, _ = answer.partition(b"\r\n")
    _, _, content = answer.partition(b"\r\n\r\n")
    try:
        parsed: dict[str, object] = json.loads(content)
    except ValueError as error:
        said = status_line.decode("latin-1") or "nothing"
        raise DaemonError(f"the daemon answered {said}") from error
    if "error" in parsed:
        raise DaemonError(f"the daemon answered: {parsed['error']}")
    return parsed
