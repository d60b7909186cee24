"""The one way out to GitHub: verbatim requests, streamed answers, nothing added on the way."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from functools import cached_property, lru_cache

import aiohttp
import yarl
from multidict import CIMultiDict

from gh_p2pcache.errors import OriginError, UnsentError
from gh_p2pcache.origin.proxy import proxy_for
from gh_p2pcache.origin.trouble import words
from gh_p2pcache.origin.upstream import Streamed
from gh_p2pcache.records.message import Headers, Request

_AUTOMATIC = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")
_READS = frozenset({"GET", "HEAD"})
_CONNECT_SECONDS = 10.0
_HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"upgrade",
     b"proxy-authenticate", b"proxy-authorization", b"transfer-encoding"}
)  # fmt: skip

_UNCONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class _BrokenOff(aiohttp.ClientError):
    """The connection ended before an answer came: the request may have been done or not."""


async def _send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a PUT or DELETE again by itself when its connection breaks."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
        raise _BrokenOff(words(error)) from error


def system_tls(env: Mapping[str, str]) -> ssl.SSLContext:
    """Return a context with the system's CAs, or those SSL_CERT_FILE and SSL_CERT_DIR name."""
    context = ssl.create_default_context()
    if env.get("SSL_CERT_FILE") or env.get("SSL_CERT_DIR"):
        context.load_verify_locations(
            cafile=env.get("SSL_CERT_FILE") or None, capath=env.get("SSL_CERT_DIR") or None
        )
    return context


class _Exchange:
    """One request and its answer; an answer that was not read to its end costs its connection.

    A class where a generator would read better: each miss comes here.
    """

    __slots__ = ("_host", "_response", "_sending")

    _response: aiohttp.ClientResponse

    def __init__(
        self, request: Request, sending: Coroutine[None, None, aiohttp.ClientResponse]
    ) -> None:
        self._host = request.host
        self._sending = sending

    async def __aenter__(self) -> Streamed:
        try:
            response = self._response = await self._sending
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError, ValueError) as error:
            said = words(error)
            kind = UnsentError if isinstance(error, _UNCONNECTED) else OriginError
            raise kind(f"{self._host} could not be reached: {said} (gh p2pcache doctor)") from error
        return Streamed(response.status, _incoming(response), _chunks(self._host, response))

    async def __aexit__(self, *_: object) -> None:
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()


class Origin:
    """Connections to GitHub's hosts, or to the one upstream that stands in for them.

    `upstream`: None (https to the host itself), https://BASE, http://LOOPBACK or unix:///PATH.
    """

    def __init__(self, upstream: str | None, env: Mapping[str, str] | None = None) -> None:
        self._upstream = upstream
        self._env = os.environ if env is None else env
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """The context of every connection to an https upstream; raises OSError for bad CAs."""
        return system_tls(self._env)

    def _session(self, *, reuse: bool) -> aiohttp.ClientSession:
        if reuse not in self._sessions:
            self._sessions[reuse] = aiohttp.ClientSession(
                connector=self._connector(reuse=reuse),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                max_line_size=65536,
                max_field_size=65536,
            )
        return self._sessions[reuse]

    def _connector(self, *, reuse: bool) -> aiohttp.BaseConnector:
        if self._upstream and self._upstream.startswith("unix://"):
            path = self._upstream.removeprefix("unix://")
            return aiohttp.UnixConnector(path, limit=0, force_close=not reuse)
        if self._upstream and self._upstream.startswith("http://"):
            return aiohttp.TCPConnector(limit=0, force_close=not reuse)
        return aiohttp.TCPConnector(limit=0, ssl=self.tls, force_close=not reuse)

    def _url(self, request: Request) -> yarl.URL:
        if self._upstream is None:
            return yarl.URL(f"https://{request.host}{request.target}", encoded=True)
        if self._upstream.startswith("unix://"):
            return yarl.URL(f"http://{request.host}{request.target}", encoded=True)
        return yarl.URL(f"{self._upstream}{request.target}", encoded=True)

    def _proxy(self, url: yarl.URL) -> str | None:
        if self._upstream and not self._upstream.startswith("https://"):
            return None
        return proxy_for(url, self._env)

    def open(
        self,
        request: Request,
        body: AsyncIterator[bytes] | None = None,
        *,
        reuse: bool = True,
        silence: float | None = None,
    ) -> AbstractAsyncContextManager[Streamed]:
        """Send `request` with its header fields as they are and yield the answer's head.

        `body` streams what `request.body` does not hold. `reuse=False` takes a connection of its
        own: for a write, since a pooled one that GitHub had just closed would fail a command that
        plain gh would have made, and a write is never sent twice. Raises OriginError when no
        complete answer comes; `silence` bounds, in seconds, the wait for its head and between two
        pieces of its body.
        """
        return _Exchange(request, self._send(request, body, reuse=reuse, silence=silence))

    async def _send(
        self,
        request: Request,
        body: AsyncIterator[bytes] | None,
        *,
        reuse: bool,
        silence: float | None,
    ) -> aiohttp.ClientResponse:
        url = self._url(request)
        # aiohttp itself sends a read again, once, when its connection breaks.
        guards = () if request.method in _READS else (_send_once,)
        headers = _outgoing(request)
        absent = [name for name in _AUTOMATIC if name not in headers]
        for fresh in (False, True):
            try:
                return await self._session(reuse=reuse).request(
                    request.method,
                    url,
                    headers=headers,
                    data=request.body or body,
                    allow_redirects=False,
                    skip_auto_headers=absent or None,
                    proxy=self._proxy(url),
                    timeout=_limits(silence),
                    middlewares=guards,
                )
            except _BrokenOff:
                # A pooled connection may have died of idleness; a second try gets a new one.
                if fresh or not reuse or body is not None:
                    raise
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()


@lru_cache(64)
def _limits(silence: float | None) -> aiohttp.ClientTimeout:
    # `connect` bounds the search for the address too.
    return aiohttp.ClientTimeout(total=None, connect=_CONNECT_SECONDS, sock_read=silence)


def _outgoing(request: Request) -> CIMultiDict[str]:
    fields = CIMultiDict[str]()
    fields.add("Host", request.host)
    for name, value in request.headers:
        # Expect was answered by our own server (RFC 9110 section 10.1.1).
        if name not in _HOP_BY_HOP and name not in {b"host", b"expect"}:
            fields.add(name.decode("latin-1"), _text(value))
    return fields


def _text(value: bytes) -> str:
    """Return what aiohttp, which writes UTF-8, turns into `value` again."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _incoming(response: aiohttp.ClientResponse) -> Headers:
    return tuple(
        [
            (name, value.strip())
            for field, value in response.raw_headers
            if (name := field.lower()) not in _HOP_BY_HOP
        ]
    )


async def _chunks(host: str, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.content.iter_any():
            yield chunk
    except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
        raise OriginError(f"{host} broke off its answer: {words(error)}") from error
