"""Real peer processes, and a gateway that is a few lines of trio."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import trio

from gh_p2pcache.peer.frames import LOCAL_LIMIT
from gh_p2pcache.peer.messages import (
    TO_GATEWAY,
    Hello,
    Members,
    Message,
    StatusReport,
    StatusRequest,
    frame,
    read_message,
)

PYTHON = Path(__file__).parents[2] / "python"
_START = (
    f"import sys; sys.path.insert(0, {str(PYTHON)!r}); "
    "from gh_p2pcache.peer.main import main; sys.exit(main())"
)
_M = TypeVar("_M", bound=Message)


@dataclass
class Peer:
    """A peer process, its gateway's connection, and what it said."""

    process: subprocess.Popen[bytes]
    path: str
    home: Path
    said: list[Message] = field(default_factory=list)
    stream: trio.SocketStream | None = None
    closed: trio.Event = field(default_factory=trio.Event)
    _n: int = 0

    @property
    def members(self) -> int:
        counts = [message.count for message in self.said if isinstance(message, Members)]
        return counts[-1] if counts else 0

    async def say(self, message: Message) -> None:
        assert self.stream is not None
        await self.stream.send_all(frame(message, LOCAL_LIMIT))

    async def heard(self, kind: type[_M], which: Callable[[_M], bool] = lambda _: True) -> _M:
        """Wait for a message (also one that has come already)."""
        with trio.fail_after(20):
            while True:
                for message in self.said:
                    if isinstance(message, kind) and which(message):
                        return message
                await trio.sleep(0.005)

    async def status(self) -> StatusReport:
        self._n += 1
        number = 10_000 + self._n
        await self.say(StatusRequest(number))
        return await self.heard(StatusReport, lambda report: report.n == number)

    async def greet(self, nursery: trio.Nursery, hello: Hello) -> None:
        """Connect as a gateway does, and listen."""
        self.stream = await trio.open_unix_socket(self.path)
        self.closed = trio.Event()
        nursery.start_soon(self._listen, self.stream, self.closed)
        await self.say(hello)

    async def _listen(self, stream: trio.SocketStream, closed: trio.Event) -> None:
        class Reader:
            async def read(self, n: int) -> bytes:
                return bytes(await stream.receive_some(n))

        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            async with stream:
                while message := await read_message(Reader(), TO_GATEWAY, LOCAL_LIMIT):
                    self.said.append(message)
        closed.set()


@asynccontextmanager
async def peer_process(hello: Hello, home: Path | None = None) -> AsyncIterator[Peer]:
    """Run a peer process as the supervisor does, and greet it."""
    with tempfile.TemporaryDirectory() as folder:
        home = home or Path(folder)
        (home / "cache" / "records").mkdir(parents=True, exist_ok=True)
        (home / "state").mkdir(mode=0o700, exist_ok=True)
        path = f"{folder}/peer.sock"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            read, write = os.pipe()
            env = {
                "HOME": str(home),
                "PATH": os.environ["PATH"],
                "CACHE_STATE_DIR": str(home / "state"),
                "CACHE_DIR": str(home / "cache"),
                "CACHE_LOG": os.environ.get("PEER_LOG", "warning"),
                "GH_P2PCACHE_FDS": f"peer={listener.fileno()},heartbeat={write}",
            }
            command = [sys.executable, "-I", "-c", _START]
            fds = (listener.fileno(), write)
            process = subprocess.Popen(command, env=env, pass_fds=fds)  # noqa: ASYNC220 - 1 ms
            os.close(write)
        peer = Peer(process, path, home)
        try:
            async with trio.open_nursery() as nursery:
                await peer.greet(nursery, hello)
                yield peer
                nursery.cancel_scope.cancel()
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                await trio.to_thread.run_sync(process.wait, 10)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            finally:
                process.wait()
                os.close(read)
