"""The way to an IPFS node: sealed blobs put, fetched and removed by their CID.

Over Kubo's RPC (https://docs.ipfs.tech/reference/kubo/rpc/) and a trustless gateway
(https://specs.ipfs.tech/http-gateways/trustless-gateway/), either of which may be missing. Of what
a node says nothing is believed but bytes that have the digest they were asked by.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping
from functools import cached_property

import aiohttp
import yarl

from gh_p2pcache.origin.client import system_tls
from gh_p2pcache.origin.node import LARGEST, IpfsError
from gh_p2pcache.origin.proxy import proxy_for
from gh_p2pcache.origin.trouble import words
from gh_p2pcache.records.cid import cid_text, digest

_WRITE_SECONDS = 10.0
_CONNECTIONS = 16
_RAW = "application/vnd.ipld.raw"
_PUT = "cid-codec=raw&format=raw&mhtype=sha2-256&pin=true"
"""`format` is what `cid-codec` was called before Kubo 0.12, and still is in js-ipfs."""


class IpfsNode:
    """One node: `api` is the base URL of its RPC, `gateway` that of a gateway, which only reads."""

    def __init__(self, api: str | None, gateway: str | None, env: Mapping[str, str]) -> None:
        """Load the system's CAs where https needs them: in a thread, best. Raises OSError."""
        self._api = api
        self._gateway = gateway
        self._env = env
        secure = any(url and url.startswith("https:") for url in (api, gateway))
        self._tls = system_tls(env) if secure else True
        cid_text(bytes(32))  # its import takes 56 ms

    @cached_property
    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=self._tls),
            headers={"User-Agent": "gh-p2pcache", "Accept-Encoding": "identity"},
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def put(self, blob: bytes) -> None:
        """See Node."""
        form = aiohttp.FormData()
        form.add_field("data", blob, filename="block", content_type="application/octet-stream")
        status, said = await self._rpc(f"block/put?{_PUT}", form)
        if status != 200:
            raise IpfsError(f"block/put: {_message(status, said)}")
        if _field(said, "Key") != cid_text(digest(blob)):
            raise IpfsError("block/put: it gave the block another name")

    async def get(self, sha256: bytes, seconds: float) -> bytes | None:
        """See Node; where there are two ways to it, the quicker one's."""
        cid = cid_text(sha256)
        ways = []
        if self._api is not None:
            ways.append(self._rpc(f"block/get?arg={cid}", seconds=seconds))
        if self._gateway is not None:
            url = f"{self._gateway}/ipfs/{cid}?format=raw"
            ways.append(self._send("GET", url, seconds=seconds, headers={"Accept": _RAW}))
        asking = [asyncio.ensure_future(_blob_of(way, sha256)) for way in ways]
        trouble = None
        try:
            for answer in asyncio.as_completed(asking):
                given = await answer
                if isinstance(given, bytes):
                    return given
                trouble = given or trouble
        finally:
            for task in asking:
                task.cancel()
        if trouble is not None:
            raise trouble
        return None

    async def remove(self, sha256: bytes) -> None:
        """See Node."""
        cid = cid_text(sha256)
        status, said = await self._rpc(f"pin/rm?arg={cid}")
        if status != 200 and "not pinned" not in _message(status, said):
            raise IpfsError(f"pin/rm: {_message(status, said)}")
        # Kubo collects garbage only where it is told to.
        status, said = await self._rpc(f"block/rm?arg={cid}&force=true")
        if status != 200:
            raise IpfsError(f"block/rm: {_message(status, said)}")

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def _rpc(
        self, call: str, data: aiohttp.FormData | None = None, *, seconds: float = _WRITE_SECONDS
    ) -> tuple[int, bytes]:
        """Make a call of the RPC, all of which are POST."""
        return await self._send("POST", f"{self._api}/api/v0/{call}", data=data, seconds=seconds)

    async def _send(
        self,
        method: str,
        url: str,
        *,
        seconds: float,
        data: aiohttp.FormData | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        """Return status and body; no redirect is followed, no body read beyond a block."""
        where = yarl.URL(url)
        try:
            async with self._session.request(
                method,
                where,
                data=data,
                headers=headers,
                allow_redirects=False,
                proxy=proxy_for(where, self._env) if where.scheme == "https" else None,
                timeout=aiohttp.ClientTimeout(total=seconds),
            ) as response:
                return response.status, await _body(response)
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError, ValueError) as error:
            raise IpfsError(f"{where.host} could not be reached: {words(error)}") from error


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > LARGEST:
            raise IpfsError("an answer that is larger than a block")
    return bytes(body)


async def _blob_of(
    asking: Coroutine[None, None, tuple[int, bytes]], sha256: bytes
) -> bytes | IpfsError | None:
    try:
        status, body = await asking
    except IpfsError as error:
        return error
    if status != 200:
        return None
    return body if digest(body) == sha256 else IpfsError("it gave other bytes than it was asked by")


def _message(status: int, said: bytes) -> str:
    return f"{status} {_field(said, 'Message')[:200]}"


def _field(said: bytes, name: str) -> str:
    try:
        return str(json.loads(said)[name])
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
