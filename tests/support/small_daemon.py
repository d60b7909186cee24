"""A daemon that says what a test has it say, on its supervisor.sock and control.sock."""

import json
import socket
import socketserver
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

STATUS = {
    "pid": 1,
    "since": 1_800_000_000.0,
    "gateway": 2,
    "ready": True,
    "restarts": 0,
    "engine": "/engine",
    "run": "/run",
}


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    daemon: "SmallDaemon"


class _Supervisor(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        asked = json.loads(self.rfile.readline())
        self.server.daemon.commands.append(asked)
        self.wfile.write(json.dumps(STATUS).encode() + b"\n")


class _Control(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self.answer(None)

    def do_POST(self) -> None:
        self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def answer(self, asked: object) -> None:
        daemon = self.server.daemon
        if asked is not None:
            daemon.asked.append((self.path, asked))
        known = self.path in daemon.told
        body = json.dumps(daemon.told[self.path] if known else {"error": "not here"}).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "here"

    def log_message(self, *_: object) -> None:
        return


class SmallDaemon:
    """`told` is what each path answers; `asked` and `commands` are what was asked."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.told: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, object]] = []
        self.commands: list[dict[str, Any]] = []

    @property
    def env(self) -> dict[str, str]:
        return {"CACHE_STATE_DIR": str(self.state), "HOME": str(self.state), "TZ": "UTC"}

    @property
    def restarts(self) -> list[dict[str, Any]]:
        return [command for command in self.commands if command["command"] == "restart"]


@contextmanager
def small_daemon() -> Iterator[SmallDaemon]:
    """Serve a state directory whose path is short enough for a socket's."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        daemon = SmallDaemon(Path(directory))
        run = daemon.state / "run"
        run.mkdir()
        for name, handler in (("supervisor", _Supervisor), ("control", _Control)):
            server = stack.enter_context(_Server(str(run / f"{name}.sock"), handler))
            server.daemon = daemon
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            stack.callback(server.shutdown)
        alive = stack.enter_context(socket.socket(socket.AF_UNIX))
        alive.bind(str(run / "alive"))
        yield daemon
