"""An IPFS node's HTTP for tests: RPC and gateway, answering as js-ipfs 0.66.1 did when asked."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from gh_p2pcache.records.cid import cid_text, digest

_MOST = 1 << 20


@dataclass
class StandIn:
    """`api` and `gateway` are its base URLs; what it does is in `behaves`.

    `well`; `hung`: it takes requests and answers none; `lying`: it gives other bytes and names;
    `failing`: 500; `moved`: it redirects; `endless`: bodies of 4 MiB.
    """

    behaves: str = "well"
    blocks: dict[str, bytes] = field(default_factory=dict)
    pins: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    """Methods and paths, without what is asked for."""
    agents: set[str] = field(default_factory=set)
    """Every header field that came."""

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.api = self.gateway = self._do(self._start())

    @property
    def urls(self) -> tuple[str, str]:
        return self.api, self.gateway

    def pinned(self, sha256: bytes) -> bool:
        return cid_text(sha256) in self.pins

    def holds(self, sha256: bytes) -> bool:
        return cid_text(sha256) in self.blocks

    def stop(self) -> None:
        """Be gone: connections are refused."""
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work) -> str:  # type: ignore[no-untyped-def]
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _end(self) -> str:
        self._gone.set()
        await self._site.stop()
        await _turns()  # a connection that is being accepted is
        await self._runner.cleanup()
        for transport in list(self._loop._transports.values()):  # type: ignore[attr-defined]
            transport.abort()  # what still waits to be read by a client that is gone
        await _turns()
        return ""

    async def _start(self) -> str:
        self._gone = asyncio.Event()
        app = web.Application(client_max_size=4 * _MOST, middlewares=[self._guard])
        rpc: dict[str, Callable[[web.Request], object]] = {
            "block/put": self._put,
            "block/get": self._get,
            "block/rm": self._rm,
            "pin/rm": self._unpin,
        }
        for call, handler in rpc.items():
            app.router.add_post(f"/api/v0/{call}", handler)  # type: ignore[arg-type]
        app.router.add_get("/ipfs/{cid}", self._read)
        self._runner = web.AppRunner(app, shutdown_timeout=0.0)
        await self._runner.setup()
        site = self._site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        assert site._server is not None
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        return f"http://127.0.0.1:{port}"

    @web.middleware
    async def _guard(self, request: web.Request, handler) -> web.StreamResponse:  # type: ignore[no-untyped-def]
        what = request.path.removeprefix("/api/v0/").split("/baf")[0]
        self.asked.append(f"{request.method} {what}")
        self.agents |= {name.lower() for name in request.headers}
        match self.behaves:
            case "hung":
                await self._gone.wait()
            case "failing":
                return _said(500, "the datastore is full")
            case "moved":
                raise web.HTTPTemporaryRedirect(f"{self.api}/elsewhere")
            case "endless":
                return web.Response(body=bytes(4 * _MOST))
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _put(self, request: web.Request) -> web.Response:
        if (request.content_length or 0) > _MOST:
            return _said(413, f"Payload content length greater than maximum allowed: {_MOST}")
        query = request.query
        part = await (await request.multipart()).next()
        assert part is not None
        assert part.filename
        block = bytes(await part.read())
        assert (query["cid-codec"], query["mhtype"]) == ("raw", "sha2-256")
        cid = cid_text(digest(block))
        self.blocks[cid] = block
        if query.get("pin") == "true":
            self.pins.add(cid)
        key = cid_text(bytes(32)) if self.behaves == "lying" else cid
        return web.json_response({"Key": key, "Size": len(block)})

    async def _get(self, request: web.Request) -> web.Response:
        return await self._block(request.query["arg"])

    async def _read(self, request: web.Request) -> web.Response:
        assert request.query["format"] == "raw"
        assert request.headers["accept"] == "application/vnd.ipld.raw"
        return await self._block(request.match_info["cid"])

    async def _block(self, cid: str) -> web.Response:
        if cid not in self.blocks:  # a node looks for it elsewhere, as long as it is waited for
            await self._gone.wait()
            return _said(500, "Failed to get block: request timed out")
        block = self.blocks[cid]
        wrong = block[:-1] + b"?" if self.behaves == "lying" else block
        return web.Response(body=wrong, content_type="application/octet-stream")

    async def _unpin(self, request: web.Request) -> web.Response:
        cid = request.query["arg"]
        if cid not in self.pins:
            return _said(500, f"Failed to remove pin: {cid} is not pinned")
        self.pins.remove(cid)
        return web.json_response({"Pins": [cid]})

    async def _rm(self, request: web.Request) -> web.Response:
        cid = request.query["arg"]
        assert request.query["force"] == "true"
        if cid in self.pins:
            return web.json_response({"Hash": cid, "Error": "pinned"})
        self.blocks.pop(cid, None)
        return web.Response(text=json.dumps({"Hash": cid}) + "\n", content_type="application/json")


def _said(status: int, message: str) -> web.Response:
    return web.json_response({"Message": message, "Code": 0, "Type": "error"}, status=status)


async def _turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0.001)
