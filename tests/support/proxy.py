"""A CONNECT proxy on loopback that leads everywhere to one port, as a test's whole Internet."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """`url` is for HTTPS_PROXY; `asked` has the authority of each CONNECT, `heads` its fields."""

    url: str
    asked: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)


class _Tunnel(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        words = self.rfile.readline().decode().split()
        self.server.proxy.asked.append(words[1])
        head = b"".join(iter(self.rfile.readline, b"\r\n"))
        self.server.proxy.heads.append(head.decode())
        with socket.create_connection(("127.0.0.1", self.server.leads_to)) as far:
            self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=_pour, args=(far, self.connection))
            back.start()
            _pour(self.connection, far)
            back.join()


def _pour(source: socket.socket, sink: socket.socket) -> None:
    try:
        while part := source.recv(65536):
            sink.sendall(part)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # either end may hang up at any time


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    proxy: Proxy
    leads_to: int


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """Run a proxy whose every tunnel ends at 127.0.0.1:PORT."""
    with _Server(("127.0.0.1", 0), _Tunnel) as server:
        server.proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
        server.leads_to = port
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.proxy
        server.shutdown()
        thread.join()
