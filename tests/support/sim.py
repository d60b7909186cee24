"""The small GitHub in a process of its own, and its control."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Certificate:
    """A server's certificate for GitHub's hosts and loopback, and the CA that a client trusts."""

    cert: Path
    key: Path
    ca: Path


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout: float = 10) -> None:
        super().__init__("api.github.com", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


@dataclass
class SimProcess:
    """A running sim: `unix` its socket, `tcp` and `tls` base URLs."""

    process: subprocess.Popen[str]
    unix: Path
    tcp: str
    tls: str

    def request(
        self,
        method: str,
        target: str,
        *,
        token: str | None = None,
        body: object = None,
        headers: dict[str, str] | None = None,
        host: str = "api.github.com",
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Ask the sim itself, past any cache; `token` is a name such as "alice"."""
        sent = {"Host": host, "User-Agent": "test", "Connection": "close", **(headers or {})}
        if token is not None:
            sent["Authorization"] = f"token {SECRETS[token]}"
        data = body if isinstance(body, bytes) else None
        if body is not None and data is None:
            data = json.dumps(body).encode()
        connection = UnixConnection(self.unix)
        try:
            connection.request(method, target, body=data, headers=sent)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def state(self) -> dict[str, Any]:
        """Return counts and the last requests (see gh_p2pcache.sim.control)."""
        result: dict[str, Any] = json.loads(self.request("GET", "/_sim/state")[2])
        return result

    def calls(self) -> int:
        """Return how many requests came in since the last reset."""
        total: int = self.state()["total"]
        return total

    def billed(self) -> int:
        """Return how many of them cost rate limit: what is compared with GitHub does not."""
        count: int = self.state()["billed"]
        return count

    def control(self, **switches: object) -> None:
        """Set switches (see gh_p2pcache.sim.control.control)."""
        status, _, body = self.request("POST", "/_sim/control", body=switches)
        assert status == 200, body

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


def start_sim(directory: Path, certificate: Certificate, *more: str) -> SimProcess:
    """Start a sim on a Unix socket in `directory`, loopback TCP and TLS."""
    secure = ("--tls", "0", "--cert", str(certificate.cert), "--key", str(certificate.key))
    return plain_sim(directory, *secure, *more)


def plain_sim(directory: Path, *more: str) -> SimProcess:
    """Start a sim on a Unix socket in `directory` and on loopback TCP."""
    unix = directory / "sim.sock"
    command = [sys.executable, "-m", "gh_p2pcache.sim", "--with-parent", "--unix", str(unix)]
    command += ["--tcp", "0", *more]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
    )
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    return SimProcess(process, unix, ready["tcp"], ready.get("tls", ""))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for api.github.com, uploads.github.com, other hosts of GitHub and loopback."""
    directory = tmp_path_factory.mktemp("certificate")
    authority = trustme.CA()
    issued = authority.issue_cert(
        "api.github.com",
        "*.github.com",
        "*.githubusercontent.com",
        "*.actions.githubusercontent.com",
        "*.ghe.com",
        "*.example",
        "127.0.0.1",
        "localhost",
    )
    files = Certificate(directory / "cert.pem", directory / "key.pem", directory / "ca.pem")
    issued.private_key_pem.write_to_path(files.key)
    files.cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    authority.cert_pem.write_to_path(files.ca)
    return files


@pytest.fixture(scope="session")
def sim_factory(certificate: Certificate) -> Iterator[Callable[..., SimProcess]]:
    """Starts sims with further arguments; all end with the session."""
    started: list[SimProcess] = []
    # not tmp_path: a Unix socket's path must stay under 104 bytes
    directory = Path(tempfile.mkdtemp(prefix="sim-"))

    def start(*more: str) -> SimProcess:
        own = directory / str(len(started))
        own.mkdir()
        started.append(start_sim(own, certificate, *more))
        return started[-1]

    yield start
    for process in started:
        process.stop()
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def shared_sim(sim_factory: Callable[..., SimProcess]) -> SimProcess:
    """The process behind `sim`."""
    return sim_factory()


@pytest.fixture
def sim(shared_sim: SimProcess) -> SimProcess:
    """A sim as freshly started: the process is shared, its state is not."""
    shared_sim.control(reset=True, clock_shift=0)
    return shared_sim


SECRETS = {
    "alice": "ghp_alice-not-a-secret",
    "bob": "ghp_bob-not-a-secret",
    "carol": "github_pat_carol-not-a-secret",
    "job1": "ghs_job1-not-a-secret",
    "job2": "ghs_job2-not-a-secret",
    "mallory": "ghp_mallory-not-a-secret",
}
"""The sim's tokens by name."""
