"""Loopback TCP for clients other than gh: everything under one secret path, nothing without it."""

from __future__ import annotations

import hmac
import logging
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gh_p2pcache.errors import StoreError
from gh_p2pcache.gateway.app import App, Receive, Scope, Send
from gh_p2pcache.settings import Settings

_LOG = logging.getLogger(__name__)
_API_HOST = b"api.github.com"
_CONTROL = frozenset({"/metrics", "/health"})


class HttpDoor:
    """`http://127.0.0.1:PORT/SECRET/…` is api.github.com/…; `/metrics` and `/health` besides."""

    door: App
    control: App

    def __init__(self, secret: str, port: int) -> None:
        self.port = port
        self._prefix = f"/{secret}".encode()
        self.url = f"http://127.0.0.1:{port}/{secret}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Strip the prefix and hand on; close without a word where it is missing or wrong."""
        target: bytes = scope["raw_target"]
        given, rest = target[: len(self._prefix)], target[len(self._prefix) :]
        if not hmac.compare_digest(given, self._prefix) or not rest.startswith(b"/"):
            await closed(scope, receive, send)
            return
        path = rest.partition(b"?")[0].decode("latin-1")
        if path in _CONTROL:
            await self.control({**scope, "path": path}, receive, send)
            return
        headers = [field for field in scope["headers"] if field[0] != b"host"]
        inner = {**scope, "raw_target": rest, "headers": [*headers, (b"host", _API_HOST)]}
        await self.door(inner, receive, send)


async def closed(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 404 and nothing else: whoever has no secret learns nothing."""
    del scope, receive
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@dataclass(frozen=True)
class Opened:
    """What came of CACHE_HTTP_PORT: a door and its socket, or `warnings` that say why not."""

    listener: socket.socket | None = None
    door: HttpDoor | None = None
    warnings: tuple[str, ...] = ()


def open_http_door(configured: Settings, on_event: Callable[[str], None]) -> Opened:
    """Listen on CACHE_HTTP_PORT; a port that is taken costs this door only."""
    if configured.http_port is None:
        return Opened()
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", configured.http_port))
    except OSError as error:
        warning = f"CACHE_HTTP_PORT {configured.http_port}: {error.strerror}; it is left out"
        _LOG.warning("%s", warning)
        on_event("http_port_failed")
        listener.close()
        return Opened(warnings=(warning,))
    return Opened(listener, HttpDoor(_secret(configured.state_dir), configured.http_port))


def _secret(state: Path) -> str:
    """Return the path prefix that lets a loopback client in, the same over restarts (0600)."""
    path = state / "http-secret"
    try:
        path.touch(mode=0o600)
        secret = path.read_text(encoding="ascii").strip() or secrets.token_urlsafe(24)
        path.write_text(secret, encoding="ascii")
    except OSError as error:
        raise StoreError(f"{path} cannot be used: {error.strerror}") from error
    return secret
