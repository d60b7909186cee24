"""The real gateway process on sockets of a test's own, without the supervisor, and a client."""

import gzip
import http.client
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from support.sim import ROOT, SECRETS, SimProcess, UnixConnection

Fields = Mapping[str, str] | Iterable[tuple[str, str]]
_DOORS = ("ttl", "exact", "control")
_START_SECONDS = 15.0


@dataclass(frozen=True)
class Reply:
    """An answer as it came over the socket; header names in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def source(self) -> str:
        """HIT, MISS, …: where the gateway says that the answer came from."""
        return self.field("x-gh-cache-status")

    def field(self, name: str) -> str:
        """Return all values of a header field, joined as RFC 9110 section 5.3 allows."""
        return ", ".join(value for key, value in self.headers if key == name)

    @property
    def plain(self) -> bytes:
        """The body without its content coding."""
        return gzip.decompress(self.body) if self.field("content-encoding") else self.body

    @property
    def json(self) -> Any:
        return json.loads(self.plain)


def fields_of_gh(token: str | None, host: str, more: Fields) -> list[tuple[str, str]]:
    """Return the header fields that gh 2.103 sends; an empty value in `more` leaves one out."""
    fields = {"Host": host, "User-Agent": "GitHub CLI 2.103.3", "Accept": "*/*"}
    fields["Accept-Encoding"] = "gzip"
    if token is not None:
        fields["Authorization"] = f"token {SECRETS.get(token, token)}"
    fields.update(more)
    return [(name, value) for name, value in fields.items() if value]


def read_reply(answer: http.client.HTTPResponse) -> Reply:
    """Read an answer to its end; http.client.IncompleteRead when it is broken off."""
    fields = tuple((name.lower(), value) for name, value in answer.getheaders())
    return Reply(answer.status, fields, answer.read())


@dataclass
class Gateway:
    """A gateway with its state, cache and runtime directories below `root`, not yet started.

    `upstream` is what CACHE_UPSTREAM takes; `env` adds to its environment. The listening sockets
    outlive the process, as the supervisor's do: calls wait while it is started anew.
    """

    root: Path
    upstream: str
    env: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        (self.run / "calls").mkdir(parents=True, mode=0o700)
        self.run.chmod(0o700)
        self._listeners = {name: self._listen(self.path(name)) for name in _DOORS}
        self._heartbeat: int | None = None

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def cache(self) -> Path:
        return Path(self.env.get("CACHE_DIR", self.root / "cache"))

    @property
    def log(self) -> str:
        return (self.root / "log").read_text(encoding="utf-8")

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def path(self, door: str) -> Path:
        """Return the path of a door's socket: ttl, exact or control."""
        return self.run / f"{door}.sock"

    def _listen(self, path: Path) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(512)
        return listener

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of the process but GH_P2PCACHE_FDS."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "python"),
            "HOME": str(self.root),
            "CACHE_STATE_DIR": str(self.state),
            "CACHE_DIR": str(self.cache),
            "CACHE_UPSTREAM": self.upstream,
            **self.env,
        }

    def start(self, *, before: Iterable[str] = ()) -> None:
        """Start the process and wait until it is ready; `before` is put before the command."""
        reading, writing = os.pipe()
        fds = {name: listener.fileno() for name, listener in self._listeners.items()}
        fds["heartbeat"] = writing
        named = ",".join(f"{name}={number}" for name, number in fds.items())
        with (self.root / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*before, sys.executable, "-m", "gh_p2pcache.gateway"],
                env={**self.environment, "GH_P2PCACHE_FDS": named},
                pass_fds=tuple(fds.values()),
                stdin=subprocess.DEVNULL,
                umask=0,  # the modes of what it makes are its own doing
                stdout=log,
                stderr=log,
            )
        os.close(writing)
        self._heartbeat = reading
        assert select.select([reading], [], [], _START_SECONDS)[0], f"not ready: {self.log}"
        assert os.read(reading, 1) == b"+", f"did not come up: {self.log}"

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """SIGKILL, as a machine that dies does it to everybody."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return self._end(signal.SIGTERM)

    def hang_up(self) -> int:
        """Break the heartbeat pipe, as a supervisor that is gone does; returns the exit code."""
        assert self.process is not None
        self._close_heartbeat()
        return self.process.wait(_START_SECONDS)

    def restart(self) -> None:
        self.stop()
        self.start()

    def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(_START_SECONDS)
        self._close_heartbeat()
        return code

    def _close_heartbeat(self) -> None:
        if self._heartbeat is not None:
            os.close(self._heartbeat)
            self._heartbeat = None

    def close(self) -> None:
        """End the process and close the sockets."""
        if self.is_alive():
            self.kill()
        self._close_heartbeat()
        for listener in self._listeners.values():
            listener.close()

    def connect(self, door: str = "ttl", timeout: float = 20.0) -> socket.socket:
        """Return a connection of bare bytes."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        connection.connect(str(self.path(door)))
        return connection

    def say(self, sent: bytes, door: str = "ttl", *, half_close: bool = False) -> bytes:
        """Send bytes and return all that comes until the other end closes."""
        with self.connect(door) as connection:
            connection.sendall(sent)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def ask(
        self,
        target: str,
        *,
        method: str = "GET",
        door: str = "ttl",
        token: str | None = "alice",
        host: str = "api.github.com",
        headers: Fields = (),
        body: bytes | Iterator[bytes] | None = None,
        timeout: float = 60.0,
    ) -> Reply:
        """Ask as gh does: one connection a request. An iterator's body goes in chunks."""
        connection = UnixConnection(self.path(door), timeout=timeout)
        try:
            self.send(
                connection,
                target,
                method=method,
                token=token,
                host=host,
                headers=headers,
                body=body,
            )
            return read_reply(connection.getresponse())
        finally:
            connection.close()

    @staticmethod
    def send(
        connection: http.client.HTTPConnection,
        target: str,
        *,
        method: str = "GET",
        token: str | None = "alice",
        host: str = "api.github.com",
        headers: Fields = (),
        body: bytes | Iterator[bytes] | None = None,
    ) -> None:
        """Send a request as gh does on an open connection, the answer still to be read."""
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in fields_of_gh(token, host, headers):
            connection.putheader(name, value)
        chunked = body is not None and not isinstance(body, bytes)
        if isinstance(body, bytes):
            connection.putheader("Content-Length", str(len(body)))
        elif chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders(body, encode_chunked=chunked)

    def graphql(
        self,
        query: str,
        variables: Mapping[str, object] | None = None,
        *,
        door: str = "ttl",
        token: str | None = "alice",
        headers: Fields = (),
    ) -> Reply:
        """Ask GraphQL as gh does."""
        document: dict[str, object] = {"query": query}
        if variables is not None:
            document["variables"] = variables
        more = {"Content-Type": "application/json; charset=utf-8", **dict(headers)}
        body = json.dumps(document).encode()
        return self.ask("/graphql", method="POST", door=door, token=token, headers=more, body=body)

    def control(self, method: str, target: str, asked: object = None) -> Any:
        """Ask the control socket; returns the answer's JSON."""
        body = None if asked is None else json.dumps(asked).encode()
        reply = self.ask(target, method=method, door="control", token=None, body=body)
        assert reply.status == 200, reply.body
        return json.loads(reply.body)

    def stats(self) -> dict[str, int]:
        """Return the totals of what the gateway did."""
        totals: dict[str, int] = self.control("GET", "/stats")["totals"]
        return totals

    def records(self) -> int:
        """Return how many records lie in the store."""
        return sum(1 for path in (self.cache / "records").rglob("*") if path.is_file())

    def memory(self, name: str = "VmHWM") -> int:
        """Return bytes of a line of /proc/PID/status (VmHWM: the most it ever had resident)."""
        for row in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if row.startswith(f"{name}:"):
                return int(row.split()[1]) * 1024
        raise AssertionError(name)


GatewayFactory = Callable[..., Gateway]


@contextmanager
def _factory() -> Iterator[GatewayFactory]:
    made: list[Gateway] = []
    # not tmp_path: a Unix socket's path must stay under 104 bytes
    directory = Path(tempfile.mkdtemp(prefix="gateway-"))

    def start(upstream: str, **env: str) -> Gateway:
        root = directory / str(len(made))
        root.mkdir(mode=0o700)
        made.append(Gateway(root, upstream, env))
        made[-1].start()
        return made[-1]

    yield start
    for gateway in made:
        gateway.close()
    shutil.rmtree(directory)


@pytest.fixture
def gateways() -> Iterator[GatewayFactory]:
    """Starts gateways: gateways(upstream, NAME=VALUE…); all end with the test."""
    with _factory() as start:
        yield start


@pytest.fixture(scope="module")
def lasting_gateways() -> Iterator[GatewayFactory]:
    """Starts gateways that end with the module."""
    with _factory() as start:
        yield start


@pytest.fixture(scope="module")
def lasting_gateway(lasting_gateways: GatewayFactory, shared_sim: SimProcess) -> Gateway:
    """One gateway for all tests of a module, in front of `shared_sim`."""
    return lasting_gateways(f"unix://{shared_sim.unix}")


@pytest.fixture
def gateway(gateways: GatewayFactory, sim: SimProcess) -> Gateway:
    """A fresh gateway in front of a fresh `sim`."""
    return gateways(f"unix://{sim.unix}")


@pytest.fixture
def team_gateway(gateways: GatewayFactory, sim: SimProcess) -> Gateway:
    """A fresh gateway in front of a fresh `sim` whose tokens share what they prove access to."""
    return gateways(f"unix://{sim.unix}", CACHE_P2P_SHARED_SECRET="p2pcache_shared-by-the-tests")
