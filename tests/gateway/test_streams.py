"""Bodies that pass through: as large as they like, and broken off on either side."""

import hashlib
import http.client
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from support.gateway import Gateway, GatewayFactory, read_reply
from support.origin import Asked, ScriptedOrigin, answer
from support.sim import SimProcess, UnixConnection
from support.wait import until

MIB = 1 << 20
BIG = 200 * MIB
FLAT = 30 * MIB
"""What the gateway's memory may grow by while BIG bytes pass."""

PIECE = bytes(range(256)) * 4096
ARCHIVE = "/repos/acme/widgets/tarball/main"


@pytest.fixture
def streaming(gateways: GatewayFactory, origin: ScriptedOrigin) -> Gateway:
    return gateways(origin.upstream)


def pieces(total: int) -> Iterator[bytes]:
    for _ in range(total // MIB):
        yield PIECE


# --- Large bodies ---


def test_a_download_of_200_mb_takes_no_memory(gateway: Gateway) -> None:
    """As `gh release download` does it: a redirect to another host, then the file."""
    assets = gateway.ask("/repos/acme/widgets/releases/tags/v1.1.0").json["assets"]
    number = next(asset["id"] for asset in assets if asset["name"] == "big.bin")
    target = f"/repos/acme/widgets/releases/assets/{number}"
    moved = gateway.ask(target, headers={"Accept": "application/octet-stream"})
    assert (moved.status, moved.source) == (302, "BYPASS")
    url = urlsplit(moved.field("location"))
    kept, before = gateway.records(), gateway.memory()
    connection = UnixConnection(gateway.path("ttl"), timeout=60)
    gateway.send(connection, f"{url.path}?{url.query}", host=url.netloc, token=None)
    answered = connection.getresponse()
    seen = hashlib.sha256()
    while part := answered.read(MIB):
        seen.update(part)
    connection.close()
    wanted = hashlib.sha256()
    for _ in range(BIG // 65536):
        wanted.update(bytes(range(256)) * 256)
    assert seen.digest() == wanted.digest()
    assert gateway.memory() - before < FLAT
    assert gateway.records() == kept


@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "Content-Length"])
def test_an_upload_of_200_mb_takes_no_memory(
    gateway: Gateway, sim: SimProcess, *, chunked: bool
) -> None:
    release = gateway.ask("/repos/acme/widgets/releases/tags/v1.1.0").json["id"]
    gateway.ask(f"/repos/acme/widgets/releases/{release}", method="PATCH", body=b"{}")
    target = f"/repos/acme/widgets/releases/{release}/assets?name=huge.bin"
    before = gateway.memory()
    connection = UnixConnection(gateway.path("ttl"), timeout=60)
    length = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(BIG)}
    gateway.send(
        connection, target, method="POST", host="uploads.github.com",
        headers={"Content-Type": "application/octet-stream", **length},
    )  # fmt: skip
    for piece in pieces(BIG):
        connection.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
    if chunked:
        connection.send(b"0\r\n\r\n")
    made = read_reply(connection.getresponse())
    connection.close()
    assert (made.status, made.json["size"]) == (201, BIG)
    assert gateway.memory() - before < FLAT
    sent = sim.state()["requests"][-1]["headers"]
    assert sent.get("content-length", "chunked") == ("chunked" if chunked else str(BIG))


def test_an_answer_too_large_to_keep_is_streamed(
    streaming: Gateway, origin: ScriptedOrigin
) -> None:
    head = answer(length=BIG, body=b"")
    origin.answers = lambda _: iter([head, *pieces(BIG)])
    streaming.ask("/zen", method="DELETE")
    before = streaming.memory()
    reply = streaming.ask("/repos/acme/widgets/contents/large.json")
    assert (len(reply.body), reply.source) == (BIG, "BYPASS")
    assert streaming.memory() - before < FLAT
    assert streaming.records() == 0


def test_what_is_streamed_comes_plain_to_who_takes_no_gzip(
    gateways: GatewayFactory, sim: SimProcess
) -> None:
    gateway = gateways(f"unix://{sim.unix}", CACHE_MAX_ENTRY="100")
    target = "/repos/acme/many/issues?per_page=100"
    _, _, body = sim.request("GET", target, token="alice", headers={"Accept": "*/*"})
    packed = gateway.ask(target)
    assert (packed.field("content-encoding"), packed.plain) == ("gzip", body)
    plain = gateway.ask(target, headers={"Accept-Encoding": ""})
    assert (plain.field("content-encoding"), plain.body) == ("", body)


def test_many_streams_keep_no_call_waiting(
    gateways: GatewayFactory, origin: ScriptedOrigin
) -> None:
    """200 of them, with the 256 descriptors that some shells start with."""
    gateway = gateways(origin.upstream)
    gateway.stop()
    gateway.start(before=["sh", "-c", 'ulimit -S -n 256 && exec "$@"', "sh"])

    def stalled(asked: Asked) -> Iterator[bytes]:
        yield answer() if asked.target == "/user" else answer(length=1000, body=b"x")
        asked.until_gone()

    origin.answers = stalled
    with ExitStack() as streams:
        for _ in range(200):
            connection = streams.enter_context(gateway.connect())
            connection.sendall(f"GET {ARCHIVE} HTTP/1.1\r\nHost: api.github.com\r\n\r\n".encode())
        until(lambda: len(origin.asked) == 200, what="every stream to begin")
        assert gateway.ask("/user").status == 200


# --- A client that hangs up ---


def _endless(stalled: threading.Event) -> Iterator[bytes]:
    yield answer(length=1 << 40, body=b"")
    while not stalled.is_set():
        yield PIECE


@pytest.mark.parametrize("target", [ARCHIVE, "/user"], ids=["passed through", "too large"])
def test_a_client_that_hangs_up_ends_the_download(
    streaming: Gateway, origin: ScriptedOrigin, target: str
) -> None:
    origin.answers = lambda _: _endless(threading.Event())
    with streaming.connect() as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: api.github.com\r\n\r\n".encode())
        while len(connection.recv(65536)) < 1000:
            pass
    until(lambda: origin.ended == 1, what="the upstream connection to end")
    assert streaming.is_alive()
    assert streaming.records() == 0


def test_a_client_that_hangs_up_while_github_is_silent_ends_the_download(
    streaming: Gateway, origin: ScriptedOrigin
) -> None:
    left: list[bool] = []

    def silent(asked: Asked) -> Iterator[bytes]:
        yield answer(length=1000, body=b"the beginning")
        left.append(asked.until_gone())

    origin.answers = silent
    with streaming.connect() as connection:
        connection.sendall(f"GET {ARCHIVE} HTTP/1.1\r\nHost: api.github.com\r\n\r\n".encode())
        got = b""
        while not got.endswith(b"the beginning"):
            got += connection.recv(65536)
    until(lambda: left == [True], what="the upstream connection to end")


def test_a_client_that_hangs_up_before_the_answer_ends_what_passes_through(
    streaming: Gateway, origin: ScriptedOrigin
) -> None:
    left: list[bool] = []

    def silent(asked: Asked) -> Iterator[bytes]:
        left.append(asked.until_gone())
        yield b""

    origin.answers = silent
    with streaming.connect() as connection:
        connection.sendall(f"GET {ARCHIVE} HTTP/1.1\r\nHost: api.github.com\r\n\r\n".encode())
        until(lambda: origin.asked)
    until(lambda: left == [True], what="the upstream connection to end")


def test_an_upload_that_breaks_off_reaches_github_broken_off(
    streaming: Gateway, origin: ScriptedOrigin
) -> None:
    """Never as a complete, shorter body; and the write counts as undecided."""
    target = "/repos/acme/widgets/releases/1/assets?name=x"
    streaming.ask("/repos/acme/widgets/labels")
    with streaming.connect() as connection:
        connection.sendall(
            f"POST {target} HTTP/1.1\r\nHost: uploads.github.com\r\n"
            "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n".encode()
        )
        until(lambda: streaming.stats().get("upstream") == 2)
    until(lambda: origin.ended == 2, what="the upstream connection to end")
    assert [asked.method for asked in origin.asked] == ["GET"]
    assert streaming.ask("/repos/acme/widgets/labels").source == "MISS"


def test_a_refusal_before_the_end_of_an_upload_reaches_the_client(
    streaming: Gateway, origin: ScriptedOrigin
) -> None:
    origin.reads_bodies = False
    origin.says(answer(413, b'{"message":"Too large"}'))
    with streaming.connect() as connection:
        connection.sendall(
            b"POST /repos/acme/widgets/releases/1/assets HTTP/1.1\r\nHost: uploads.github.com\r\n"
            b"Content-Length: 1000000000\r\n\r\nhello"
        )
        got = connection.recv(65536)
    assert got.startswith(b"HTTP/1.1 413")


# --- An origin that dies ---

BROKEN = {
    "a length that is not reached": answer(length=1000, body=b'{"half'),
    "chunks without an end": answer(200, b'6\r\n{"half\r\n', ("Transfer-Encoding", "chunked")),
    "in the middle of a chunk": answer(200, b'600\r\n{"half', ("Transfer-Encoding", "chunked")),
    "in the head": b"HTTP/1.1 200 OK\r\ncontent-le",
    "nothing": b"",
    "not HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("said", BROKEN.values(), ids=BROKEN.keys())
def test_half_an_answer_is_an_error_and_is_never_kept(
    streaming: Gateway, origin: ScriptedOrigin, said: bytes
) -> None:
    origin.says(said)
    reply = streaming.ask("/user")
    assert reply.status == 502
    assert b"half" not in reply.body.replace(b"answer", b"")
    assert streaming.records() == 0
    origin.says(answer(200, b'{"whole":true}'))
    assert streaming.ask("/user").body == b'{"whole":true}'


@pytest.mark.parametrize("said", BROKEN.values(), ids=BROKEN.keys())
def test_half_an_answer_is_bridged_by_a_kept_one(
    streaming: Gateway, origin: ScriptedOrigin, said: bytes
) -> None:
    origin.says(answer(200, b'{"whole":true}'))
    streaming.ask("/user")
    origin.says(said)
    bridged = streaming.ask("/user", door="exact")
    assert (bridged.status, bridged.source, bridged.body) == (200, "STALE", b'{"whole":true}')


@pytest.mark.parametrize("name", ["a length that is not reached", "in the middle of a chunk"])
def test_what_was_streamed_already_ends_broken(
    streaming: Gateway, origin: ScriptedOrigin, name: str
) -> None:
    origin.says(BROKEN[name])
    with pytest.raises(http.client.IncompleteRead):
        streaming.ask(ARCHIVE)
    assert "Traceback" not in streaming.log
