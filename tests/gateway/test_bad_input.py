"""Input that no gh sends: the right 4xx or a plain pass-through; nothing breaks or is kept."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.gateway import Gateway, GatewayFactory
from support.origin import ScriptedOrigin, answer
from support.sim import SimProcess
from support.wait import until

CHUNKS = b"POST /markdown HTTP/1.1\r\nHost: api.github.com\r\nTransfer-Encoding: chunked\r\n\r\n2"
HEAD = b"GET /user HTTP/1.1\r\nHost: api.github.com\r\n"
MIB = 1 << 20


@pytest.fixture(name="gateway")
def _gateway(lasting_gateway: Gateway, sim: SimProcess) -> Iterator[Gateway]:
    """After each test the same process still answers, and nothing was kept."""
    assert sim.calls() == 0
    pid = lasting_gateway.pid
    yield lasting_gateway
    assert lasting_gateway.records() == 0
    plain = lasting_gateway.ask("/user", headers={"Cache-Control": "no-store"})
    assert plain.json["login"] == "alice"
    assert (lasting_gateway.pid, lasting_gateway.is_alive()) == (pid, True)
    assert "Traceback" not in lasting_gateway.log


def status(answered: bytes) -> int:
    line = answered.partition(b"\r\n")[0].split()
    return int(line[1]) if len(line) > 1 else 0


MALFORMED = {
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a line of words": b"hello there gateway\r\n\r\n",
    "HTTP/1.0": b"GET /user HTTP/1.0\r\nHost: api.github.com\r\n\r\n",
    "an unknown version": b"GET /user HTTP/9.9\r\nHost: api.github.com\r\n\r\n",
    "an unknown method": b"FROB /user HTTP/1.1\r\nHost: api.github.com\r\n\r\n",
    "a method in small letters": b"get /user HTTP/1.1\r\nHost: api.github.com\r\n\r\n",
    "CONNECT": b"CONNECT api.github.com:443 HTTP/1.1\r\nHost: api.github.com:443\r\n\r\n",
    "NUL in a field": HEAD + b"X-A: a\x00b\r\n\r\n",
    "a bare CR": HEAD + b"X-A: a\rX-B: b\r\n\r\n",
    "a folded field": HEAD + b"X-A: a\r\n b\r\n\r\n",
    "a space before the colon": HEAD + b"Content-Length : 3\r\n\r\nabc",
    "an empty field name": HEAD + b": x\r\n\r\n",
    "a target of non-ASCII": "GET /größe HTTP/1.1\r\nHost: api.github.com\r\n\r\n".encode(),
    "a target with a space": b"GET /us er HTTP/1.1\r\nHost: api.github.com\r\n\r\n",
    "no host": b"GET /user HTTP/1.1\r\n\r\n",
    "an empty host": b"GET /user HTTP/1.1\r\nHost:\r\n\r\n",
    "two hosts": HEAD + b"Host: evil.example\r\n\r\n",
    "a host with a path": b"GET /user HTTP/1.1\r\nHost: api.github.com/evil\r\n\r\n",
    "a host with user info": b"GET /user HTTP/1.1\r\nHost: api.github.com@evil.example\r\n\r\n",
    "absolute form": b"GET http://evil.example/user HTTP/1.1\r\nHost: api.github.com\r\n\r\n",
    "asterisk form": b"OPTIONS * HTTP/1.1\r\nHost: api.github.com\r\n\r\n",
    "two tokens": HEAD + b"Authorization: token a\r\nAuthorization: token b\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "a negative length": HEAD + b"Content-Length: -1\r\n\r\n",
    "a length in words": HEAD + b"Content-Length: many\r\n\r\n",
    "a length beyond 64 bits": HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "a length and chunks": HEAD
    + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks inside gzip": HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "a chunk of no size": HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_http_forbids_is_refused_and_goes_nowhere(
    gateway: Gateway, sim: SimProcess, sent: bytes
) -> None:
    for door in ("ttl", "exact", "control"):
        answered = gateway.say(sent, door, half_close=True)
        assert status(answered) in range(400, 500) or (door == "control" and answered), answered
    assert sim.calls() == 0


def test_a_smuggled_second_request_is_not_answered(gateway: Gateway, sim: SimProcess) -> None:
    """The inner request must not be taken for one of its own."""
    for head in (
        b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n",
    ):
        sent = b"POST /markdown HTTP/1.1\r\nHost: api.github.com\r\n" + head
        inner = b"0\r\n\r\nDELETE /repos/acme/widgets HTTP/1.1\r\nHost: api.github.com\r\n\r\n"
        answered = gateway.say(sent + b"\r\n" + inner, half_close=True)
        assert answered.count(b"HTTP/1.1 ") <= 1
    assert not [r for r in sim.state()["requests"] if r["method"] == "DELETE"]


# --- Too much ---


def _flood(gateway: Gateway, begin: bytes, piece: bytes, total: int) -> tuple[bytes, float]:
    """Send far more than is taken; returns the answer and the seconds another caller waited."""
    with gateway.connect() as connection:
        connection.sendall(begin)
        sent, answered = 0, b""
        try:
            while sent < total:
                connection.sendall(piece)
                sent += len(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        started = time.monotonic()
        gateway.control("GET", "/health")
        waited = time.monotonic() - started
        try:
            while part := connection.recv(65536):
                answered += part
        except ConnectionResetError:
            pass
    return answered, waited


FLOODS = {
    "a query of 100 MB": (b"GET /user?q=", b"x" * MIB),
    "a field of 100 MB": (HEAD + b"X-A: ", b"x" * MIB),
    "a bomb of fields": (HEAD, b"X-A: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n" * 25000),
    "a bomb of trailers": (
        CHUNKS + b"\r\n{}\r\n0\r\n",
        b"X-A: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n" * 25000,
    ),
    "a trailer of 100 MB": (
        CHUNKS + b"\r\n{}\r\n0\r\nX-A: ",
        b"x" * MIB,
    ),
    "a chunk's extension of 100 MB": (
        CHUNKS + b";a=",
        b"x" * MIB,
    ),
}


@pytest.mark.parametrize(("begin", "piece"), FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_is_cut_off_at_once(gateway: Gateway, begin: bytes, piece: bytes) -> None:
    before = gateway.memory()
    answered, waited = _flood(gateway, begin, piece, 100 * MIB)
    assert status(answered) in {0, 431}
    assert waited < 2
    assert gateway.memory() - before < 10 * MIB


def test_a_head_of_60_kb_is_none_too_many(gateway: Gateway, sim: SimProcess) -> None:
    long = "x" * 60_000
    assert gateway.ask("/zen", headers={"X-Long": long, "Cache-Control": "no-store"}).status == 200
    assert sim.state()["requests"][-1]["headers"]["x-long"] == long


def test_a_graphql_body_too_large_to_be_understood_passes_through(gateway: Gateway) -> None:
    query = {"query": "{viewer{login}} #" + "x" * (2 * MIB)}
    reply = gateway.ask("/graphql", method="POST", body=json.dumps(query).encode())
    assert reply.source == "BYPASS"
    assert reply.json["data"]["viewer"]["login"] == "alice"


def test_500_idle_connections_keep_nobody_out(gateway: Gateway) -> None:
    idle = [gateway.connect() for _ in range(500)]
    for connection in idle:
        connection.sendall(b"GET /us")
    assert gateway.ask("/user", headers={"Cache-Control": "no-store"}).status == 200
    for connection in idle:
        connection.close()


def test_a_request_in_single_bytes_is_understood(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        for byte in HEAD + b"Cache-Control: no-store\r\nConnection: close\r\n\r\n":
            connection.sendall(bytes([byte]))
        answered = b"".join(iter(lambda: connection.recv(65536), b""))
    assert status(answered) == 401


def test_several_requests_at_once_are_answered_in_turn(gateway: Gateway, sim: SimProcess) -> None:
    sent = b"".join(
        b"GET /rate_limit HTTP/1.1\r\nHost: api.github.com\r\nX-Number: %d\r\n\r\n" % number
        for number in range(20)
    )
    with gateway.connect() as connection:
        connection.sendall(sent)
        answered = b""
        while answered.count(b"HTTP/1.1 200") < 20:
            answered += connection.recv(65536)
    numbers = [int(r["headers"]["x-number"]) for r in sim.state()["requests"]]
    assert numbers == list(range(20))


# --- Elsewhere ---


@pytest.mark.parametrize(
    "host",
    ["example.com", "api.github.com.evil.example", "github.com", "127.0.0.1:8080", "[::1]:8080",
     "my_ghes", "xapi.github.com"],
)  # fmt: skip
def test_a_host_that_is_no_github_api_passes_through(
    gateways: GatewayFactory, origin: ScriptedOrigin, host: str
) -> None:
    other = gateways(origin.upstream)
    origin.says(answer(200, b'{"n":1}'), answer(200, b'{"n":2}'))
    for body in (b'{"n":1}', b'{"n":2}'):
        reply = other.ask("/user", host=host)
        assert (reply.status, reply.body, reply.source) == (200, body, "BYPASS")
    assert [asked["host"] for asked in origin.asked] == [host, host]
    assert other.records() == 0


def test_odd_paths_pass_through(gateways: GatewayFactory, origin: ScriptedOrigin) -> None:
    other = gateways(origin.upstream)
    odd = ["//repos/acme/widgets", "/repos/acme/../acme/widgets", "/repos/./acme/widgets/labels",
           "/repos/acme/widgets/%2e%2e/private"]  # fmt: skip
    for target in odd:
        assert other.ask(target).source == "BYPASS"
    assert [asked.target for asked in origin.asked] == odd
    assert other.records() == 0


def test_a_get_with_a_body_is_never_answered_from_the_cache(
    gateway: Gateway, sim: SimProcess
) -> None:
    for _ in range(3):
        assert gateway.ask("/rate_limit?a", body=b"{}").source == "BYPASS"
        assert gateway.ask("/user", body=b"{}").source == "BYPASS"
    assert gateway.records() == 0
    gateway.ask("/user")
    assert gateway.ask("/user", body=b"{}").source == "BYPASS"
    assert sim.state()["requests"][-1]["body"] == "{}"
    gateway.control("POST", "/purge", {"all": True})


# --- The control socket ---


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", "/purge", b"not JSON"),
        ("POST", "/purge", b"[]"),
        ("POST", "/purge", b"{}"),
        ("POST", "/purge", b'{"all": false}'),
        ("POST", "/purge", b'{"pattern": 7}'),
        ("POST", "/purge", b"[" * 100_000),
        ("POST", "/purge", b'{"pattern": "' + b"x" * (2 * MIB)),
        ("POST", "/overlay", b'{"config_dir": "relative"}'),
        ("POST", "/overlay", b'{"config_dir": "/a\\u0000b"}'),
    ],
)  # fmt: skip
def test_nonsense_on_the_control_socket_is_said_to_be(
    gateway: Gateway, method: str, target: str, body: bytes
) -> None:
    reply = gateway.ask(target, method=method, door="control", body=body)
    assert reply.status == 400
    assert json.loads(reply.body)["error"]


@pytest.mark.parametrize(
    ("method", "target"), [("GET", "/nothing"), ("GET", "/purge"), ("DELETE", "/health")]
)
def test_what_the_control_socket_does_not_know_is_404(
    gateway: Gateway, method: str, target: str
) -> None:
    assert gateway.ask(target, method=method, door="control").status == 404


def test_a_client_that_vanishes_at_any_point_leaves_nothing_behind(gateway: Gateway) -> None:
    whole = HEAD + b"Cache-Control: no-store\r\nContent-Length: 2\r\n\r\n{}"
    for length in range(0, len(whole) + 1, 7):
        with gateway.connect() as connection:
            connection.sendall(whole[:length])
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    open_files = Path(f"/proc/{gateway.pid}/fd")
    until(lambda: len(list(open_files.iterdir())) < 60, what="the connections to be closed")
