"""uvicorn as this gateway runs it: on sockets it is given, ending in order."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import uvicorn

from gh_p2pcache.gateway.app import App
from gh_p2pcache.gateway.protocol import DoorProtocol

GRACE_SECONDS = 600
"""How long a download may take to end after a restart; the supervisor cuts a `stop` short."""

_KEEP_ALIVE_SECONDS = 75
_UNREAD_SECONDS = 0.1
"""How long a connection that was accepted may take until its request is read: uvicorn closes those
it has read nothing from (6 resets in 6 restarts under load, none with this)."""


class Server(uvicorn.Server):
    """uvicorn without its signal handling: SIGTERM ends the gateway in order, with exit code 0."""

    def __init__(self, app: App) -> None:
        super().__init__(_config_of(app))

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """See uvicorn.Server."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.leave)
        yield

    async def listen(self) -> int:
        """Listen on a free loopback port too; return it. Raises OSError."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.bind(("127.0.0.1", 0))
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.Protocol:
            return DoorProtocol(
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state
            )

        self.servers.append(await loop.create_server(protocol, sock=listener))
        port: int = listener.getsockname()[1]
        return port

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing more, read what was accepted, then end as uvicorn does."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(_UNREAD_SECONDS)
        await super().shutdown(sockets)

    def leave(self) -> None:
        """Finish what is in flight and stop."""
        self.should_exit = True


def _config_of(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=DoorProtocol,
        loop="none",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
