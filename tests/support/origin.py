"""An origin that says exactly the bytes a test gives it, on a Unix socket, and remembers."""

import socket
import socketserver
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http.client import HTTPMessage, parse_headers
from io import BufferedReader
from pathlib import Path

import pytest

Answers = Callable[["Asked"], Iterator[bytes]]


@dataclass
class Asked:
    """One request as it came."""

    method: str
    target: str
    headers: HTTPMessage
    client: socket.socket
    body: bytes = b""

    def __getitem__(self, name: str) -> str | None:
        value: str | None = self.headers[name]
        return value

    def until_gone(self, seconds: float = 20.0) -> bool:
        """Wait until the other end closes; False when it has not."""
        self.client.settimeout(seconds)
        try:
            return not self.client.recv(1)
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False


@dataclass
class ScriptedOrigin:
    """Listens at `unix`; `answers` makes the bytes of an answer of a request.

    One answer a connection, closed after its last byte. `asked` has every request whose head was
    complete; `ended` counts the connections that are over, by whichever end.
    """

    unix: Path
    answers: Answers = field(default=lambda _: iter([answer()]))
    asked: list[Asked] = field(default_factory=list)
    ended: int = 0
    reads_bodies: bool = True

    @property
    def upstream(self) -> str:
        return f"unix://{self.unix}"

    def says(self, *answers: bytes) -> None:
        """Give these answers in turn, the last of them for good."""
        left = list(answers)
        self.answers = lambda _: iter([left.pop(0) if len(left) > 1 else left[0]])


def answer(
    status: int = 200,
    body: bytes = b'{"it":"is"}',
    *fields: tuple[str, str],
    length: int | None = None,
    date: float | None = None,
) -> bytes:
    """Return an answer of HTTP/1.1 with Date, Content-Type and Content-Length."""
    lines = [f"HTTP/1.1 {status} Said", f"date: {formatdate(date, usegmt=True)}"]
    if not any(name.lower() == "content-type" for name, _ in fields):
        lines.append("content-type: application/json; charset=utf-8")
    lines += [f"{name}: {value}" for name, value in fields]
    if not any(name.lower() == "transfer-encoding" for name, _ in fields):
        lines.append(f"content-length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "connection: close", "", ""]).encode("latin-1") + body


class _Handler(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        origin = self.server.origin
        try:
            asked = _read(self.rfile, self.connection, body=origin.reads_bodies)
            if asked is None:
                return
            origin.asked.append(asked)
            for piece in origin.answers(asked):
                self.wfile.write(piece)
        except OSError:
            pass  # the client has hung up, which is what some tests are about
        finally:
            origin.ended += 1


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 256
    origin: ScriptedOrigin


def _read(stream: BufferedReader, client: socket.socket, *, body: bool) -> Asked | None:
    line = stream.readline().decode("latin-1").split()
    if len(line) != 3:
        return None
    headers = parse_headers(stream)
    asked = Asked(line[0], line[1], headers, client)
    if not body:
        return asked
    if headers["transfer-encoding"]:
        while size := int(stream.readline(), 16):
            asked.body += stream.read(size)
            stream.readline()
        stream.readline()
    elif headers["content-length"]:
        asked.body = stream.read(int(headers["content-length"]))
    return asked


@pytest.fixture
def origin() -> Iterator[ScriptedOrigin]:
    """An origin that answers everything with the same small document until it is told otherwise."""
    with tempfile.TemporaryDirectory(prefix="origin-") as directory:
        made = ScriptedOrigin(Path(directory) / "origin.sock")
        with _Server(str(made.unix), _Handler) as server:
            server.origin = made
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            yield made
            server.shutdown()
            thread.join()
