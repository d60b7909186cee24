"""What HTTP wants of a cache (RFC 9110, RFC 9111), asked of the real gateway over its socket."""

import gzip
import json
import re

import pytest

from support.gateway import Gateway, GatewayFactory, fields_of_gh, read_reply
from support.origin import ScriptedOrigin, answer
from support.sim import SimProcess, UnixConnection

LABELS = "/repos/acme/widgets/labels"


# --- A client's own conditions (RFC 9110 section 13) ---


@pytest.fixture
def etag(gateway: Gateway) -> str:
    """The ETag of LABELS, which is kept now."""
    etag = gateway.ask(LABELS).field("etag")
    assert etag.startswith('W/"')
    return etag


@pytest.mark.parametrize(
    "condition",
    ["{weak}", "{strong}", '"other", {weak}', "*"],
    ids=["the same", "weak comparison", "one of a list", "any"],
)
def test_a_matching_condition_gets_304_from_what_is_kept(
    gateway: Gateway, sim: SimProcess, etag: str, condition: str
) -> None:
    sim.control(reset="counters")
    wanted = condition.format(weak=etag, strong=etag.removeprefix("W/"))
    reply = gateway.ask(LABELS, headers={"If-None-Match": wanted})
    assert (reply.status, reply.body, reply.source) == (304, b"", "HIT")
    assert reply.field("etag") == etag
    assert reply.field("cache-control") == "private, max-age=60, s-maxage=60"
    assert "authorization" in reply.field("vary").lower()
    assert reply.field("date")
    assert not reply.field("content-type")
    assert not reply.field("content-length")
    assert sim.calls() == 0


@pytest.mark.usefixtures("etag")
@pytest.mark.parametrize("condition", ['"other"', "W/", "rubbish"])
def test_another_condition_gets_the_whole_answer(gateway: Gateway, condition: str) -> None:
    reply = gateway.ask(LABELS, headers={"If-None-Match": condition})
    assert (reply.status, len(reply.json)) == (200, 5)


@pytest.mark.usefixtures("etag")
def test_no_304_without_a_condition_of_the_clients_own(gateway: Gateway, sim: SimProcess) -> None:
    """gh reads a 304 it did not ask for as a failure."""
    sim.control(reset="counters")
    reply = gateway.ask(LABELS, door="exact")
    assert (reply.status, reply.source) == (200, "REVALIDATED")
    assert sim.state()["not_modified"] == 1


@pytest.mark.usefixtures("etag")
def test_a_date_is_no_condition_here(gateway: Gateway, sim: SimProcess) -> None:
    """GitHub's Last-Modified stands still while bodies change: it is neither obeyed nor sent."""
    late = {"If-Modified-Since": "Tue, 01 Jan 2999 00:00:00 GMT"}
    assert gateway.ask("/user", headers=late).status == 200
    assert gateway.ask("/user", headers=late).status == 200
    assert gateway.ask("/user", headers=late, door="exact").status == 200
    sent = [request["headers"] for request in sim.state()["requests"]]
    assert sent
    assert not any("if-modified-since" in headers for headers in sent)


def test_a_condition_on_something_new_is_answered_by_it(gateway: Gateway, sim: SimProcess) -> None:
    """The body is fetched and kept, the client gets its 304 all the same."""
    other = gateway.ask("/user").field("etag")
    gateway.control("POST", "/purge", {"all": True})
    assert gateway.ask("/user", headers={"If-None-Match": other}).status == 304
    sim.control(reset="counters")
    assert gateway.ask("/user").json["login"] == "alice"
    assert sim.calls() == 0


def test_a_condition_fails_when_the_answer_has_changed(gateway: Gateway, sim: SimProcess) -> None:
    before = gateway.ask("/repos/acme/widgets/issues/1").field("etag")
    patch = {"body": b'{"title":"Changed elsewhere"}', "token": "alice"}
    sim.request("PATCH", "/repos/acme/widgets/issues/1", **patch)
    reply = gateway.ask(
        "/repos/acme/widgets/issues/1", door="exact", headers={"If-None-Match": before}
    )
    assert (reply.status, reply.json["title"]) == (200, "Changed elsewhere")


# --- HEAD, and answers without a body ---


def test_head_is_answered_from_a_kept_get(gateway: Gateway, sim: SimProcess) -> None:
    whole = gateway.ask("/user")
    sim.control(reset="counters")
    head = gateway.ask("/user", method="HEAD")
    assert (head.status, head.body, head.source) == (200, b"", "HIT")
    assert head.field("content-length") == str(len(whole.body))
    assert head.field("etag") == whole.field("etag")
    assert sim.calls() == 0


def test_head_asked_first_says_what_github_says(gateway: Gateway, sim: SimProcess) -> None:
    direct = sim.request(
        "HEAD", "/user", token="alice", headers={"Accept": "*/*", "Accept-Encoding": "gzip"}
    )[1]
    for _ in range(2):
        head = gateway.ask("/user", method="HEAD")
        assert (head.status, head.body) == (200, b"")
        assert head.field("etag") == direct["etag"]
        assert head.field("content-length") in {"", direct["content-length"]}
    assert gateway.ask("/user").json["login"] == "alice"


def test_204_passes_without_a_body(gateway: Gateway) -> None:
    for _ in range(2):
        reply = gateway.ask("/user/starred/octo/hello")
        assert (reply.status, reply.body) == (204, b"")
        assert not reply.field("content-length")
        assert not reply.field("transfer-encoding")
    assert gateway.records() == 0


# --- A 304 from GitHub (RFC 9111 section 3.2) ---


def test_a_304_renews_the_fields_it_carries_and_keeps_the_others(
    gateways: GatewayFactory, origin: ScriptedOrigin
) -> None:
    gateway = gateways(origin.upstream)
    origin.says(
        answer(200, b"[1]", ("ETag", '"1"'), ("Link", '<x>; rel="next"'), ("X-Left", "as it was")),
        answer(
            304, b"", ("Content-Type", "text/wrong"), ("Link", '<y>; rel="next"'), ("X-New", "1"),
            ("Content-Encoding", "br"),
        ),
    )  # fmt: skip
    gateway.ask("/notifications")
    renewed = gateway.ask("/notifications", door="exact")
    assert (renewed.status, renewed.body, renewed.source) == (200, b"[1]", "REVALIDATED")
    assert origin.asked[1]["if-none-match"] == '"1"'
    for reply in (renewed, gateway.ask("/notifications")):
        assert reply.field("link") == '<y>; rel="next"'
        assert reply.field("x-new") == "1"
        assert reply.field("x-left") == "as it was"
        assert reply.field("content-type") == "application/json; charset=utf-8"
        assert not reply.field("content-encoding")


def test_rate_limit_fields_are_those_of_the_last_answer(gateway: Gateway, sim: SimProcess) -> None:
    gateway.ask("/user")
    sim.control(limits=[{"token": "alice", "remaining": 4711}])
    assert gateway.ask("/user", door="exact").field("x-ratelimit-remaining") == "4711"
    assert gateway.ask("/user").field("x-ratelimit-remaining") == "4711"


# --- What is kept ---


def _name(said: bytes) -> str:
    """Name a test by its answer, but not by its date: every worker has to give it one name."""
    lines = said.partition(b"\r\n\r\n")[0].decode().splitlines()
    return ", ".join(line for line in lines if not line.startswith("date:"))


@pytest.mark.parametrize(
    "said",
    [
        answer(200, b"{}", ("Cache-Control", "private, no-store")),
        answer(200, b"{}", ("Vary", "*")),
        answer(200, b"{}", ("Vary", "Accept, User-Agent")),
        answer(203, b"{}"),
        answer(206, b"{}"),
        answer(302, b"", ("Location", "https://x.example/?sig=secret")),
        answer(307, b"", ("Location", "https://x.example/")),
        answer(308, b"", ("Location", "https://x.example/")),
        answer(404, b'{"message":"Not Found"}'),
        answer(410, b'{"message":"Gone"}'),
        answer(422, b'{"message":"Validation Failed"}'),
        answer(500, b'{"message":"Server Error"}'),
    ],
    ids=_name,
)
def test_an_answer_that_must_not_be_kept_is_handed_on(
    gateways: GatewayFactory, origin: ScriptedOrigin, said: bytes
) -> None:
    gateway = gateways(origin.upstream)
    origin.says(said)
    head, _, body = said.partition(b"\r\n\r\n")
    for _ in range(2):
        reply = gateway.ask("/repos/acme/widgets/labels")
        assert reply.status == int(head.split()[1])
        assert reply.body == body
        assert reply.field("location") in head.decode()
    assert len(origin.asked) == 2
    assert gateway.records() == 0


def test_an_answer_that_varies_with_a_new_field_is_kept_apart(
    gateways: GatewayFactory, origin: ScriptedOrigin
) -> None:
    gateway = gateways(origin.upstream)
    origin.says(
        answer(200, b'"one"', ("Vary", "X-Flavour")), answer(200, b'"two"', ("Vary", "X-Flavour"))
    )
    for _ in range(2):
        assert gateway.ask("/zen", headers={"X-Flavour": "sweet"}).body == b'"one"'
        assert gateway.ask("/zen", headers={"X-Flavour": "sour"}).body == b'"two"'
    assert len(origin.asked) == 2


def test_a_cookie_is_never_kept(gateways: GatewayFactory, origin: ScriptedOrigin) -> None:
    gateway = gateways(origin.upstream)
    origin.says(answer(200, b"{}", ("Set-Cookie", "logged_in=no")))
    gateway.ask("/zen")
    kept = gateway.ask("/zen")
    assert kept.source == "HIT"
    assert not kept.field("set-cookie")


def test_a_redirect_for_good_is_kept_and_leads_on(gateway: Gateway, sim: SimProcess) -> None:
    for _ in range(2):
        moved = gateway.ask("/repos/acme/old-name")
        assert moved.status == 301
        assert moved.field("location").endswith("/repositories/500001001")
    assert sim.calls() == 1


def test_a_redirected_write_keeps_its_method(gateway: Gateway) -> None:
    moved = gateway.ask("/repos/acme/old-name/issues", method="POST", body=b'{"title":"x"}')
    assert moved.status == 307
    assert moved.field("location").endswith("/repositories/500001001/issues")


# --- Content coding and media types ---


def test_gzip_is_kept_once_and_given_both_ways(gateway: Gateway, sim: SimProcess) -> None:
    packed = gateway.ask(LABELS)
    assert packed.field("content-encoding") == "gzip"
    for taken in ("", "identity", "gzip;q=0", "br"):
        plain = gateway.ask(LABELS, headers={"Accept-Encoding": taken})
        assert not plain.field("content-encoding")
        assert plain.body == gzip.decompress(packed.body)
        assert plain.field("content-length") == str(len(plain.body))
    assert gateway.ask(LABELS, headers={"Accept-Encoding": "br, gzip;q=0.5"}).body == packed.body
    assert sim.calls() == 1


def test_who_takes_no_gzip_gets_none_from_github_either(gateway: Gateway) -> None:
    for _ in range(2):
        reply = gateway.ask("/repos/acme/nothing", headers={"Accept-Encoding": ""})
        assert reply.status == 404
        assert json.loads(reply.body)["message"] == "Not Found"


@pytest.mark.parametrize("taken", ["gzip", ""], ids=["to who takes gzip", "to who does not"])
def test_broken_gzip_is_handed_on_and_not_kept(
    gateways: GatewayFactory, origin: ScriptedOrigin, taken: str
) -> None:
    gateway = gateways(origin.upstream)
    origin.says(answer(200, b"not gzip at all", ("Content-Encoding", "gzip")))
    for _ in range(2):
        reply = gateway.ask("/zen", headers={"Accept-Encoding": taken})
        assert (reply.field("content-encoding"), reply.body) == ("gzip", b"not gzip at all")
    assert len(origin.asked) == 2
    assert "Traceback" not in gateway.log
    assert gateway.records() == 0
    assert gateway.stats()["undecodable"] == 2


@pytest.mark.parametrize(
    ("target", "accept"),
    [
        ("/repos/acme/widgets/pulls/9", "application/vnd.github.diff"),
        ("/repos/acme/widgets/pulls/9", "application/vnd.github.patch"),
        ("/repos/acme/widgets/commits/main", "application/vnd.github.sha"),
        ("/repos/acme/widgets/contents/logo.png", "application/vnd.github.raw"),
        ("/repos/octo/hello/contents/latin1.txt", "application/vnd.github.raw"),
        ("/repos/octo/hello/contents/%E7%A9%BA.txt", "application/vnd.github.raw"),
        ("/repos/octo/hello/issues/1", "application/json"),
        ("/repos/acme/widgets/readme", "application/vnd.github.html"),
    ],
)
def test_every_media_type_comes_byte_for_byte(
    gateway: Gateway, sim: SimProcess, target: str, accept: str
) -> None:
    _, fields, body = sim.request("GET", target, token="alice", headers={"Accept": accept})
    assert body
    gateway.ask(target)  # the same path in another type must not be mistaken for it
    for door in ("ttl", "ttl", "exact"):
        reply = gateway.ask(target, door=door, headers={"Accept": accept})
        assert reply.plain == body
        assert reply.field("content-type") == fields["content-type"]


# --- A client's caching wishes (RFC 9111 section 5.2.1) ---


@pytest.mark.parametrize("wish", ["no-cache", "max-age=0"])
def test_a_client_may_want_githubs_word(gateway: Gateway, wish: str) -> None:
    gateway.ask("/user")
    assert gateway.ask("/user", headers={"Cache-Control": wish}).source == "REVALIDATED"


def test_only_if_cached_asks_nobody(gateway: Gateway, sim: SimProcess) -> None:
    wish = {"Cache-Control": "only-if-cached"}
    assert gateway.ask("/user", headers=wish).status == 504
    assert sim.calls() == 0
    gateway.ask("/user")
    assert gateway.ask("/user", headers=wish).source == "HIT"


def test_no_store_leaves_no_trace(gateway: Gateway) -> None:
    assert gateway.ask("/user", headers={"Cache-Control": "no-store"}).source == "BYPASS"
    assert gateway.records() == 0


def test_a_range_goes_past_the_cache(gateway: Gateway, sim: SimProcess) -> None:
    gateway.ask("/user")
    assert gateway.ask("/user", headers={"Range": "bytes=0-3"}).source == "BYPASS"
    assert sim.state()["requests"][-1]["headers"]["range"] == "bytes=0-3"


# --- What every answer says of itself ---


def test_an_answer_says_where_it_came_from(gateway: Gateway, sim: SimProcess) -> None:
    first, second = gateway.ask("/user"), gateway.ask("/user")
    assert first.field("cache-status") == "gh-p2pcache; fwd=miss"
    assert (first.field("age"), first.field("x-gh-cache-status")) == ("0", "MISS")
    assert second.field("cache-status").startswith("gh-p2pcache; hit; ttl=")
    assert second.field("x-gh-cache-status") == "HIT"
    sim.control(faults=[{"kind": "down"}])
    stale = gateway.ask("/user", door="exact")
    assert stale.field("cache-status").startswith("gh-p2pcache; hit")
    assert stale.field("x-gh-cache-status") == "STALE"
    assert int(stale.field("age")) >= 0


def test_nothing_of_ours_or_of_the_connection_goes_to_github(
    gateway: Gateway, sim: SimProcess
) -> None:
    ours = {
        "X-P2PCache-TTL": "5", "X-P2PCache-Mode": "refresh", "X-P2PCache-Call": "a-1",
        "X-GH-Cache-TTL": "1h0m0s", "Connection": "close, X-Hop", "X-Hop": "1", "X-Kept": "yes",
    }  # fmt: skip
    gateway.ask("/user", headers=ours)
    gateway.ask("/rate_limit", headers=ours)
    for request in sim.state()["requests"]:
        sent = request["headers"]
        assert sent["x-kept"] == "yes"
        assert not {name for name in sent if name.startswith(("x-p2pcache", "x-gh-cache", "x-hop"))}
        assert "close" not in sent.get("connection", "")


# --- Many at once ---


@pytest.mark.parametrize("door", ["ttl", "exact"])
def test_a_burst_of_one_call_is_one_call(gateway: Gateway, sim: SimProcess, door: str) -> None:
    sim.control(faults=[{"kind": "delay", "seconds": 1.0}])
    connections = [UnixConnection(gateway.path(door)) for _ in range(100)]
    for connection in connections:
        gateway.send(connection, LABELS)
    replies = [read_reply(connection.getresponse()) for connection in connections]
    for connection in connections:
        connection.close()
    assert {(reply.status, reply.body) for reply in replies} == {(200, replies[0].body)}
    assert sim.calls() == 1
    assert {"MISS", "COALESCED"} >= {reply.source for reply in replies}


def test_several_requests_on_one_connection_are_answered_in_their_order(
    gateway: Gateway, sim: SimProcess
) -> None:
    """Kept answers go out by another way than the rest: they must not overtake it."""
    gateway.ask("/user")
    gateway.ask("/user")
    sim.control(faults=[{"kind": "delay", "seconds": 0.3, "match": "/zen"}])
    fields = "".join(f"{n}: {v}\r\n" for n, v in fields_of_gh("alice", "api.github.com", ()))
    targets = ("/user", "/zen", "/user", "/rate_limit", "/user")
    with gateway.connect() as connection:
        for target in targets:
            connection.sendall(f"GET {target} HTTP/1.1\r\n{fields}\r\n".encode())
        answered = b""
        while answered.count(b"HTTP/1.1 200") < len(targets):
            answered += connection.recv(65536)
    sources = re.findall(rb"x-gh-cache-status: (\w+)", answered)
    assert sources == [b"HIT", b"MISS", b"HIT", b"BYPASS", b"HIT"]


def test_a_burst_of_failures_is_one_failure(gateway: Gateway, sim: SimProcess) -> None:
    sim.control(faults=[{"kind": "delay", "seconds": 1.0}, {"kind": "status", "status": 503}])
    connections = [UnixConnection(gateway.path("ttl")) for _ in range(50)]
    for connection in connections:
        gateway.send(connection, LABELS)
    assert {read_reply(connection.getresponse()).status for connection in connections} == {503}
    for connection in connections:
        connection.close()
    assert sim.calls() == 1
