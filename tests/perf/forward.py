"""A forwarder that does nothing else: what uvicorn and aiohttp leave of a core for a cache.

`python tests/perf/forward.py --unix PATH --upstream URL --ca FILE`
"""

import argparse
import ssl

import aiohttp
import uvicorn
import yarl

_HOP = {b"connection", b"keep-alive", b"transfer-encoding", b"content-length"}


class Forwarder:
    """Passes each GET on as it is."""

    def __init__(self, upstream: str, ca: str) -> None:
        self._upstream = upstream
        self._context = ssl.create_default_context(cafile=ca)
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope, _receive, send) -> None:  # type: ignore[no-untyped-def]
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=self._context), auto_decompress=False
            )
        target = f"{scope['raw_path'].decode()}?{scope['query_string'].decode()}"
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        url = yarl.URL(self._upstream + target, encoded=True)
        async with self._session.get(url, headers=headers) as answer:
            body = await answer.read()
        fields = [(n.lower(), v) for n, v in answer.raw_headers if n.lower() not in _HOP]
        fields.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": answer.status, "headers": fields})
        await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unix", required=True)
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--ca", required=True)
    options = parser.parse_args()
    uvicorn.run(
        Forwarder(options.upstream, options.ca),
        uds=options.unix,
        http="httptools",
        loop="uvloop",
        lifespan="off",
        log_level="error",
        access_log=False,
    )
