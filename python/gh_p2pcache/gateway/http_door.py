"""Loopback TCP for clients other than gh: everything under one secret path, nothing without it."""

from __future__ import annotations

import hmac

from gh_p2pcache.gateway.app import App, Receive, Scope, Send

_API_HOST = b"api.github.com"
_CONTROL = frozenset({"/metrics", "/health"})


class HttpDoor:
    """`http://127.0.0.1:PORT/SECRET/…` is api.github.com/…; `/metrics` and `/health` besides."""

    door: App
    control: App

    def __init__(self, secret: str, port: int) -> None:
        self._prefix = f"/{secret}".encode()
        self.url = f"http://127.0.0.1:{port}/{secret}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Strip the prefix and hand on; close without a word where it is missing or wrong."""
        target: bytes = scope["raw_target"]
        given, rest = target[: len(self._prefix)], target[len(self._prefix) :]
        if not hmac.compare_digest(given, self._prefix) or not rest.startswith(b"/"):
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        path = rest.partition(b"?")[0].decode("latin-1")
        if path in _CONTROL:
            await self.control({**scope, "path": path}, receive, send)
            return
        headers = [field for field in scope["headers"] if field[0] != b"host"]
        inner = {**scope, "raw_target": rest, "headers": [*headers, (b"host", _API_HOST)]}
        await self.door(inner, receive, send)
