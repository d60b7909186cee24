"""A gateway as the supervisor sees one, in the standard library: sockets, heartbeat, overlays.

It answers every request on ttl and exact with its pid and the profile. A file `behave` in the state
directory changes it: `crash` ends it before it is ready, `mute` sends no heartbeat, `idle` makes it
leave after its first answer, `leak` lists its descriptors in `descriptors`.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

from gh_p2pcache import paths, published, settings
from gh_p2pcache.overlay.make import make_overlay
from gh_p2pcache.overlay.source import upstream_of

STATE = paths.state_dir(os.environ)


def behaviour() -> str:
    try:
        return (STATE / "behave").read_text()
    except FileNotFoundError:
        return ""


def complete(received: bytes) -> tuple[str, dict[str, str], bytes] | None:
    """Return request line, header fields and body once they are all there."""
    head, end, body = received.partition(b"\r\n\r\n")
    line, *rest = head.decode().lower().split("\r\n")
    fields = dict(field.split(": ", 1) for field in rest if ": " in field)
    return (
        (line, fields, body) if end and len(body) >= int(fields.get("content-length", 0)) else None
    )


async def verify(_host: str) -> bool:
    return True


class StandIn:
    """Accepts by hand: when it is to end, all that were accepted are answered, no others."""

    def __init__(self, listeners: dict[str, socket.socket]) -> None:
        self.listeners = listeners
        self.run = Path(listeners["ttl"].getsockname()).parent
        self.end = asyncio.Event()
        self.clients: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        for name, listener in self.listeners.items():
            loop.add_reader(listener, self.accept, name, listener)
        await self.end.wait()
        for listener in self.listeners.values():
            loop.remove_reader(listener)
        while self.clients:
            await asyncio.wait(self.clients)

    def accept(self, name: str, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return
        connection.setblocking(False)
        task = asyncio.create_task(self.client(name, connection))
        self.clients.add(task)
        task.add_done_callback(self.clients.discard)

    async def client(self, name: str, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with connection:
            received = b""
            while not (asked := complete(received)):
                part = await loop.sock_recv(connection, 65536)
                if not part:
                    return
                received += part
            payload = await self.answer(name, *asked)
            head = (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                b"Content-Length: %d\r\n\r\n" % len(payload)
            )
            await loop.sock_sendall(connection, head + payload)
        if behaviour() == "idle" and name != "control":
            self.end.set()

    async def answer(self, name: str, line: str, fields: dict[str, str], body: bytes) -> bytes:
        if name == "control":
            return json.dumps(await self.overlay(json.loads(body))).encode()
        if call := fields.get("x-p2pcache-call"):
            (self.run / "calls" / call).write_text(fields.get("x-test-says", "info said\n"))
        ours = {key: value for key, value in fields.items() if key.startswith("x-p2pcache")}
        answer = {"pid": os.getpid(), "profile": name, "line": line, "ours": ours}
        return json.dumps(answer | {"token": fields.get("authorization", "")}).encode()

    async def overlay(self, asked: dict[str, str]) -> dict[str, object]:
        configured = settings.load(os.environ)
        own = upstream_of(paths.gh_config_dir(os.environ))
        reason = await make_overlay(
            STATE,
            {name: self.run / f"{name}.sock" for name in ("ttl", "exact")},
            Path(asked["config_dir"]),
            upstream=configured.upstream or own,
            verify=verify,
            gh_host=asked["gh_host"],
        )
        return {"overlay": not reason, "reason": reason}


async def beat(pipe: int, stand_in: StandIn) -> None:
    sign = b"+"
    while True:
        try:
            os.write(pipe, sign)
        except BrokenPipeError:
            stand_in.end.set()
            return
        sign = b"."
        await asyncio.sleep(0.5)


async def main() -> None:
    behave = behaviour()
    if behave == "crash":
        sys.exit(3)
    given = dict(pair.split("=") for pair in os.environ["GH_P2PCACHE_FDS"].split(","))
    heartbeat = int(given.pop("heartbeat"))
    stand_in = StandIn({name: socket.socket(fileno=int(fd)) for name, fd in given.items()})
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stand_in.end.set)
    published.write(stand_in.run / "settings", os.environ, settings.load(os.environ).effective)
    beating = asyncio.create_task(beat(heartbeat, stand_in)) if behave != "mute" else None
    await stand_in.serve()
    if beating:
        beating.cancel()


if behaviour() == "leak":
    there = [entry.name for entry in Path("/proc/self/fd").iterdir() if entry.exists()]
    (STATE / "descriptors").write_text("\n".join([os.environ["GH_P2PCACHE_FDS"], *there]))
asyncio.run(main())
