"""The way to GitHub: TLS that is verified, proxies, connections that break."""

import socket
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support.gateway import Gateway, GatewayFactory
from support.origin import Asked, ScriptedOrigin, answer
from support.proxy import Proxy, proxy_to
from support.sim import Certificate, SimProcess

LABELS = "/repos/acme/widgets/labels"


@pytest.fixture
def proxy(sim: SimProcess) -> Iterator[Proxy]:
    """A proxy behind which every host is the sim, over TLS."""
    port = urlsplit(sim.tls).port
    assert port
    with proxy_to(port) as made:
        yield made


# --- TLS and proxies ---


def test_github_is_reached_over_verified_tls_through_the_proxy(
    gateways: GatewayFactory, sim: SimProcess, proxy: Proxy, certificate: Certificate
) -> None:
    """No upstream is set here: hosts go by their own names, as on anybody's machine."""
    gateway = gateways("", HTTPS_PROXY=proxy.url, SSL_CERT_FILE=str(certificate.ca))
    assert gateway.ask("/user").json["login"] == "alice"
    assert gateway.ask("/user", host="api.ghe.com").json["login"] == "alice"
    assert gateway.ask("/user").source == "HIT"
    assert proxy.asked == ["api.github.com:443", "api.ghe.com:443"]
    assert "authorization" not in "".join(proxy.heads).lower()
    hosts = [request["host"] for request in sim.state()["requests"]]
    assert hosts == ["api.github.com", "api.ghe.com"]


def test_an_origin_that_cannot_be_verified_gets_no_token(
    gateways: GatewayFactory, sim: SimProcess, proxy: Proxy
) -> None:
    gateway = gateways("", HTTPS_PROXY=proxy.url)
    refused = gateway.ask("/user")
    assert refused.status == 502
    assert "certificate" in refused.json["message"].lower()
    assert sim.calls() == 0


def test_a_certificate_of_another_name_is_refused(
    gateways: GatewayFactory, sim: SimProcess, proxy: Proxy, certificate: Certificate
) -> None:
    gateway = gateways("", HTTPS_PROXY=proxy.url, SSL_CERT_FILE=str(certificate.ca))
    assert gateway.ask("/api/v3/user", host="ghes.elsewhere").status == 502
    assert sim.calls() == 0


def test_no_proxy_is_obeyed(
    gateways: GatewayFactory, sim: SimProcess, proxy: Proxy, certificate: Certificate
) -> None:
    gateway = gateways(
        sim.tls, HTTPS_PROXY=proxy.url, SSL_CERT_FILE=str(certificate.ca), NO_PROXY="127.0.0.1"
    )
    assert gateway.ask("/user").status == 200
    assert proxy.asked == []


def test_a_proxys_password_goes_to_the_proxy_alone(
    gateways: GatewayFactory, sim: SimProcess, proxy: Proxy, certificate: Certificate
) -> None:
    url = proxy.url.replace("http://", "http://user:pass-word@")
    gateway = gateways("", HTTPS_PROXY=url, SSL_CERT_FILE=str(certificate.ca))
    assert gateway.ask("/user").status == 200
    assert "Proxy-Authorization: Basic" in proxy.heads[0]
    assert "proxy-authorization" not in sim.state()["requests"][0]["headers"]
    assert "pass-word" not in gateway.log


def test_connections_are_used_again(
    gateways: GatewayFactory, proxy: Proxy, certificate: Certificate
) -> None:
    gateway = gateways("", HTTPS_PROXY=proxy.url, SSL_CERT_FILE=str(certificate.ca))
    for number in range(1, 9):
        assert gateway.ask(f"/repos/acme/widgets/issues/{number}").status == 200
    assert len(proxy.asked) == 1


# --- Connections that break ---


def _closing(times: int) -> object:
    """Answers that are none for the first `times` requests."""
    left = [times]

    def answers(_: Asked) -> Iterator[bytes]:
        left[0] -= 1
        if left[0] < 0:
            yield answer(200, b'{"it":"is"}')

    return answers


@pytest.fixture
def scripted(gateways: GatewayFactory, origin: ScriptedOrigin) -> Gateway:
    return gateways(origin.upstream)


def test_a_read_whose_connection_breaks_is_asked_once_more(
    scripted: Gateway, origin: ScriptedOrigin
) -> None:
    origin.answers = _closing(1)  # type: ignore[assignment]
    assert scripted.ask("/user").status == 200
    assert len(origin.asked) == 2
    assert scripted.graphql("{ viewer { login } }").status == 200


def test_a_read_is_not_asked_for_ever(scripted: Gateway, origin: ScriptedOrigin) -> None:
    origin.answers = _closing(99)  # type: ignore[assignment]
    assert scripted.ask("/user").status == 502
    assert len(origin.asked) == 2


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("body", [None, b"{}"], ids=["no body", "a body"])
def test_a_write_is_never_sent_twice(
    scripted: Gateway, origin: ScriptedOrigin, method: str, body: bytes | None
) -> None:
    origin.answers = _closing(1)  # type: ignore[assignment]
    assert scripted.ask(LABELS, method=method, body=body).status == 502
    assert [(asked.method, asked.body) for asked in origin.asked] == [(method, body or b"")]


def test_a_write_without_an_answer_counts_as_done(
    scripted: Gateway, origin: ScriptedOrigin
) -> None:
    """Nothing from before it is served, nor bridges: it may have changed anything there."""
    scripted.ask(LABELS)
    origin.answers = _closing(99)  # type: ignore[assignment]
    scripted.ask(LABELS, method="POST", body=b"{}")
    assert scripted.ask(LABELS).status == 502


@pytest.mark.parametrize("status", [500, 502, 503, 408])
def test_so_does_one_whose_outcome_github_does_not_know(
    scripted: Gateway, origin: ScriptedOrigin, status: int
) -> None:
    origin.says(answer(200, b"[]"), answer(status, b"{}"))
    scripted.ask(LABELS)
    scripted.ask(LABELS, method="POST", body=b"{}")
    assert scripted.ask(LABELS).status == status


def test_a_write_that_was_refused_changed_nothing(
    scripted: Gateway, origin: ScriptedOrigin
) -> None:
    origin.says(answer(200, b"[]"), answer(422, b"{}"))
    scripted.ask(LABELS)
    assert scripted.ask(LABELS, method="POST", body=b"{}").status == 422
    assert scripted.ask(LABELS).source == "HIT"


def test_a_body_goes_up_as_it_came(scripted: Gateway, origin: ScriptedOrigin) -> None:
    body = bytes(range(256)) * 300
    scripted.ask(LABELS, method="POST", body=body)
    scripted.ask(LABELS, method="POST", body=iter([body[:1000], body[1000:]]))
    scripted.ask(LABELS, method="POST", body=body, headers={"Expect": "100-continue"})
    assert [asked.body for asked in origin.asked] == [body] * 3
    assert origin.asked[0]["content-length"] == str(len(body))
    assert origin.asked[2]["expect"] is None


def test_header_fields_go_up_byte_for_byte(scripted: Gateway, origin: ScriptedOrigin) -> None:
    """As of `gh api -H 'X-Name: größe'`."""
    with scripted.connect() as connection:
        connection.sendall(
            "GET /zen HTTP/1.1\r\nHost: api.github.com\r\nX-Name: größe ✨\r\n"
            "X-Twice: one\r\nX-Twice: two\r\nX-Empty:\r\n\r\n".encode()
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    (asked,) = origin.asked
    assert str(asked["x-name"]).encode("latin-1") == "größe ✨".encode()
    assert asked.headers.get_all("x-twice") == ["one", "two"]
    assert asked["x-empty"] == ""


def test_a_gzip_bomb_is_not_unpacked_without_end(scripted: Gateway, origin: ScriptedOrigin) -> None:
    pack = zlib.compressobj(1, wbits=31)
    bomb = b"".join(pack.compress(bytes(16 << 20)) for _ in range(64)) + pack.flush()
    scripted.ask("/user")
    before = scripted.memory()
    origin.says(answer(200, bomb, ("Content-Encoding", "gzip")))
    assert scripted.ask("/zen").body == bomb
    assert scripted.memory() - before < 400 << 20
    assert scripted.records() == 1


def test_a_dead_upstream_is_a_502_that_says_so(gateways: GatewayFactory) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        gateway = gateways(f"http://127.0.0.1:{unused.getsockname()[1]}")
        refused = gateway.ask("/user")
    assert refused.status == 502
    assert refused.json["message"].startswith("gh-p2pcache: ")
    assert gateway.stats()["upstream_unreachable"] == 1


def test_a_write_that_never_left_the_machine_spoils_nothing(
    gateways: GatewayFactory, sim: SimProcess, tmp_path: Path
) -> None:
    road = tmp_path / "github.sock"
    road.symlink_to(sim.unix)
    gateway = gateways(f"unix://{road}")
    kept = gateway.ask(LABELS)
    road.unlink()
    written = gateway.ask(LABELS, method="POST", body=b'{"name": "new"}')
    assert written.status == 502
    sim.control(faults=[{"kind": "down"}])  # what is pooled is still connected
    given = gateway.ask(LABELS, door="exact")
    assert (given.source, given.body) == ("STALE", kept.body)
