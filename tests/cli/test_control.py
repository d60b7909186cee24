"""The control client against daemons that do not behave."""

import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gh_p2pcache.cli import control
from gh_p2pcache.errors import DaemonError


@pytest.fixture
def state() -> Iterator[Path]:
    """A state directory with a runtime directory."""
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "run").mkdir()
        yield Path(directory)


def answering(state: Path, answer: bytes) -> threading.Thread:
    """Serve one connection on the control socket."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(state / "run/control.sock"))
    listener.listen()
    listener.settimeout(10)

    def serve() -> None:
        with listener, listener.accept()[0] as connection:
            asked = b""
            while not asked.endswith(b"}") and not asked.startswith(b"GET"):
                asked += connection.recv(65536)
            connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


def test_no_daemon(state: Path) -> None:
    with pytest.raises(DaemonError, match=r"does not answer .*gh p2pcache doctor"):
        control.get(state, "/status")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "does not answer"),
        (b"garbage\r\n\r\n", "does not answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{,}", "does not answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "does not answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}", "does not answer"),
        (b'HTTP/1.1 400 No\r\nContent-Length: 15\r\n\r\n{"error":"why"}', "^why$"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}", "answered 500"),
    ],
)
def test_what_is_no_answer(state: Path, answer: bytes, said: str) -> None:
    serving = answering(state, answer)

    with pytest.raises(DaemonError, match=said):
        control.post(state, "/purge", {"all": True})
    serving.join()


def test_a_state_directory_with_a_long_path_is_reached(state: Path, tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100) / "state"
    long.mkdir(parents=True)
    (long / "run").symlink_to(state / "run")
    serving = answering(state, b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"ok": 1}')

    assert control.get(long, "/health") == {"ok": 1}
    serving.join()
