"""The dashboard on loopback TCP: static files, and what they show to whoever holds a session.

Why it is safe there, where every local process and every page in the browser can connect: the files
lie under a path of this gateway's own; the figures are given for a session that the page keeps for
its origin (host and port, which cookies don't tell apart) and sends in a header field of its own,
which no other page can do; and a Host that is no loopback name is refused, so that no name can be
made to lead here (DNS rebinding).
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from gh_p2pcache.engine.flow import Engine
from gh_p2pcache.errors import UsageError
from gh_p2pcache.gateway.activity import Activity, shown
from gh_p2pcache.gateway.app import Receive, Scope, Send
from gh_p2pcache.gateway.sessions import TICKET_SECONDS, Sessions
from gh_p2pcache.records.message import Headers, header

PREFIX = b"/dashboard/"
_FILES = Path(__file__).with_name("dashboard")
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_LOOPBACK = re.compile(rb"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?")
_TOLD = frozenset({"activity", "history", "peers", "stats", "status"})
_HIDDEN = frozenset({"http_url"})
"""What opens another door."""

_BODY_LIMIT = 4096
_FIELDS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
Json = dict[str, Any]
Told = Callable[[str, bytes], Awaitable["Json | None"]]


class Board:
    """ASGI app for targets below PREFIX; `told` answers as the control socket does."""

    def __init__(
        self,
        engine: Engine,
        activity: Activity,
        told: Told,
        listen: Callable[[], Awaitable[int]],
        port: int | None,
    ) -> None:
        self._engine = engine
        self._activity = activity
        self._told = told
        self._listen = listen
        self._port = port
        self._page = secrets.token_urlsafe(24)
        self._sessions = Sessions()
        self._files = {path.name: path for path in _FILES.iterdir() if path.suffix in _KINDS}

    async def open(self) -> Json:
        """Return an address that is good once: {url, seconds}. Raises OSError without a port."""
        if self._port is None:
            self._port = await self._listen()
        ticket = self._sessions.ticket()
        path = f"{PREFIX.decode()}{self._page}/"
        return {"url": f"http://127.0.0.1:{self._port}{path}#{ticket}", "seconds": TICKET_SECONDS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of the browser's."""
        status, kind, body = await self._answer(scope, receive)
        fields = _FIELDS | {"content-type": kind, "content-length": str(len(body))}
        headers = [(name.encode(), value.encode()) for name, value in fields.items()]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, str, bytes]:
        path = scope["raw_target"].partition(b"?")[0].removeprefix(PREFIX)
        page, slash, name = path.decode("latin-1").partition("/")
        known = hmac.compare_digest(page.encode(), self._page.encode())
        if not known or not slash or not _is_ours(tuple(scope["headers"])):
            return 404, "text/plain", b""
        if name.startswith("api/"):
            status, told = await self._api(name.removeprefix("api/"), scope, receive)
            return status, "application/json", json.dumps(told).encode()
        file = self._files.get(name or "index.html")
        if file is None or scope["method"] not in {"GET", "HEAD"}:
            return 404, "text/plain", b""
        return 200, _KINDS[file.suffix], file.read_bytes()

    async def _api(self, name: str, scope: Scope, receive: Receive) -> tuple[int, Json]:
        headers, method = tuple(scope["headers"]), scope["method"]
        if (method, name) == ("POST", "session"):
            session = self._sessions.redeem(str((await _json(receive)).get("ticket")))
            return (200, {"session": session}) if session else (403, {"error": "used or too old"})
        if not self._sessions.holds(
            (header(headers, b"x-p2pcache-session") or b"").decode("latin-1")
        ):
            return 403, {"error": "no session"}
        try:
            if method == "GET" and name in _TOLD:
                told = await self._told(f"/{name}", scope["query_string"]) or {}
                return 200, {key: value for key, value in told.items() if key not in _HIDDEN}
            if (method, name) == ("POST", "explain"):
                return 200, await self._explain((await _json(receive)).get("n"))
        except UsageError as error:
            return 400, {"error": str(error)}
        return 404, {"error": "not here"}

    async def _explain(self, n: object) -> Json:
        """Return what would be done now with a call that was seen."""
        call = self._activity.call(n) if isinstance(n, int) else None
        if call is None:
            raise UsageError("this call is not remembered any more, or was too large to be")
        request = call.request
        told: Json = json.loads((await self._engine.explain(call)).body)
        named = f"{request.method} https://{request.host}{shown(request.target)}"
        return told | {"request": named, "caller": call.caller}


def _is_ours(headers: Headers) -> bool:
    """Tell whether a request can come from our page: by Host, Origin and Sec-Fetch-Site."""
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1 or not _LOOPBACK.fullmatch(hosts[0].lower()):
        return False
    origin, site = header(headers, b"origin"), header(headers, b"sec-fetch-site")
    same = origin is None or origin.lower() == b"http://" + hosts[0].lower()
    return same and site in {None, b"same-origin", b"none"}


async def _json(receive: Receive) -> Json:
    body = b""
    while len(body) <= _BODY_LIMIT:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body"):
            break
    try:
        asked = json.loads(body)
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}
