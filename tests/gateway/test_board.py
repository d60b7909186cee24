"""The dashboard's door on loopback: who is let in, what is told there, and what is not."""

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gh_p2pcache.gateway.sessions import SESSION_SECONDS, TICKET_SECONDS, Sessions
from support.gateway import Gateway, GatewayFactory, Reply, read_reply
from support.ports import free_port
from support.sim import SECRETS, SimProcess

LABELS = "/repos/acme/widgets/labels"
OURS = "x-p2pcache-session"


class Page:
    """A browser's tab at an address that the gateway gave out."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.port = parts.port or 0
        self.path = parts.path
        self.ticket = parts.fragment
        self.session = ""

    def ask(
        self,
        name: str,
        asked: object = None,
        *,
        path: str | None = None,
        method: str | None = None,
        **headers: str,
    ) -> Reply:
        body = None if asked is None else json.dumps(asked)
        fields: Mapping[str, str] = {
            "Host": f"127.0.0.1:{self.port}",
            **({OURS: self.session} if self.session else {}),
            **{key.replace("_", "-"): value for key, value in headers.items()},
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            method = method or ("GET" if asked is None else "POST")
            connection.request(method, (self.path if path is None else path) + name, body, fields)
            return read_reply(connection.getresponse())
        finally:
            connection.close()

    def sign_in(self) -> None:
        self.session = self.ask("api/session", {"ticket": self.ticket}).json["session"]


@pytest.fixture
def page(gateway: Gateway) -> Page:
    page = Page(gateway.control("POST", "/dashboard", {})["url"])
    page.sign_in()
    return page


def test_it_tells_what_the_control_socket_tells(gateway: Gateway, page: Page) -> None:
    gateway.ask(LABELS)
    gateway.ask(LABELS)
    for path in ("stats", "status", "peers", "history?days=3", "activity?after=0"):
        told = page.ask(f"api/{path}")
        assert told.status == 200
        own = gateway.control("GET", f"/{path}")
        own.pop("http_url", None)
        assert {**told.json, "calls": []} == {**own, "calls": []}
    assert page.ask("api/metrics").status == 404
    assert page.ask("api/purge", {"all": True}).status == 404
    assert gateway.records() == 1


def test_the_page_is_served_to_who_knows_its_path(page: Page) -> None:
    reply = page.ask("")
    assert reply.status == 200
    assert reply.field("content-type") == "text/html; charset=utf-8"
    policy = reply.field("content-security-policy")
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert reply.field("cache-control") == "no-store"
    assert reply.field("referrer-policy") == "no-referrer"
    assert reply.field("x-content-type-options") == "nosniff"
    for path in ("/", "/dashboard/", "/dashboard", "/dashboard/x/", page.path[:-2] + "/",
                 page.path.upper(), "/dashboard//"):  # fmt: skip
        for name in ("", "app.js", "api/stats"):
            refused = page.ask(name, path=path)
            assert (refused.status, refused.body) == (404, b"")


@pytest.mark.parametrize(
    "name", ["../board.py", "..%2fboard.py", "./index.html", "x.js", "/etc/passwd"]
)
def test_no_other_file_is_served(page: Page, name: str) -> None:
    assert page.ask(name).status == 404


def test_without_a_session_nothing_is_told(gateway: Gateway, page: Page) -> None:
    good = page.session
    for wrong in ("", good[:-1], good + "x", page.ticket, "é"):
        page.session = wrong
        for name in ("activity", "history", "peers", "stats", "status"):
            refused = page.ask(f"api/{name}")
            assert (refused.status, refused.json) == (403, {"error": "no session"})
        assert page.ask("api/explain", {"n": 1}).status == 403
    gateway.restart()
    page.session = good
    with pytest.raises(OSError):  # noqa: PT011 - nothing listens there any more
        page.ask("api/stats")


def test_a_ticket_is_good_once(gateway: Gateway) -> None:
    one = Page(gateway.control("POST", "/dashboard", {})["url"])
    two = Page(gateway.control("POST", "/dashboard", {})["url"])
    one.sign_in()
    for ticket in (one.ticket, "", "x" * 32, None, 7, ["x"]):
        assert two.ask("api/session", {"ticket": ticket}).status == 403
    two.sign_in()
    assert one.session != two.session
    assert (one.ask("api/stats").status, two.ask("api/stats").status) == (200, 200)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "127.0.0.1@evil.example"},
    ],
    ids=str,
)
def test_another_origin_is_refused_even_with_the_secrets(
    page: Page, headers: dict[str, str]
) -> None:
    fields = {name.replace("-", "_"): value for name, value in headers.items()}
    for name, asked in (("", None), ("api/stats", None), ("api/explain", {"n": 1})):
        refused = page.ask(name, asked, **fields)
        assert (refused.status, refused.body) == (404, b"")
        assert not refused.field("access-control-allow-origin")


def test_our_own_origin_is_let_in_also_over_a_forwarded_port(page: Page) -> None:
    for host in (f"127.0.0.1:{page.port}", "localhost:9000"):
        same = {"Host": host, "Origin": f"http://{host}", "Sec_Fetch_Site": "same-origin"}
        assert page.ask("api/stats", **same).status == 200


def test_a_preflight_allows_nothing(page: Page) -> None:
    reply = page.ask(
        "api/stats", method="OPTIONS", Origin="https://evil.example",
        Access_Control_Request_Method="GET", Access_Control_Request_Headers=OURS,
    )  # fmt: skip
    assert reply.status == 404
    assert not [name for name, _ in reply.headers if name.startswith("access-control")]


def test_a_call_is_explained_as_it_was_made(gateway: Gateway, page: Page) -> None:
    gateway.ask(LABELS + "?per_page=3&secret=ghp_x")
    (call,) = page.ask("api/activity").json["calls"]
    told = page.ask("api/explain", {"n": call["n"]}).json
    assert told["request"] == f"GET https://api.github.com{LABELS}?per_page=3&secret=…"
    assert told["route"] == "GET /repos/{owner}/{repo}/labels"
    assert told["held"]["readable"] is True
    assert told["next"].startswith("is answered from the cache")
    assert told["caller"] == call["caller"]
    for n in (999, -1, "1", None, [1]):
        assert page.ask("api/explain", {"n": n}).status == 400


def test_no_token_goes_to_the_page(gateway: Gateway, page: Page) -> None:
    gateway.ask(LABELS)
    gateway.graphql("{ viewer { login } }")
    said = b"".join(
        page.ask(f"api/{name}").body for name in ("activity", "history", "peers", "stats", "status")
    )
    said += page.ask("api/explain", {"n": 1}).body + page.ask("api/explain", {"n": 2}).body
    assert SECRETS["alice"].encode() not in said


def test_only_loopback_listens(gateway: Gateway, page: Page) -> None:
    rows = Path(f"/proc/{gateway.pid}/net/tcp").read_text().splitlines()[1:]
    bound = [row.split()[1] for row in rows if row.split()[3] == "0A"]
    assert [where for where in bound if where.endswith(f":{page.port:04X}")] == [
        f"0100007F:{page.port:04X}"
    ]


def test_nothing_listens_before_it_is_wanted(gateway: Gateway) -> None:
    inodes = {p.readlink().name for p in Path(f"/proc/{gateway.pid}/fd").iterdir()}
    rows = Path(f"/proc/{gateway.pid}/net/tcp").read_text().splitlines()[1:]
    assert not [row for row in rows if f"socket:[{row.split()[9]}]" in inodes]


def test_it_uses_the_port_that_is_open_anyway(gateways: GatewayFactory, sim: SimProcess) -> None:
    port = free_port()
    gateway = gateways(f"unix://{sim.unix}", CACHE_HTTP_PORT=str(port))
    page = Page(gateway.control("POST", "/dashboard", {})["url"])
    assert page.port == port
    page.sign_in()
    assert page.ask("api/stats").status == 200
    http_url: Any = gateway.control("GET", "/status")["http_url"]
    assert urlsplit(http_url).path not in page.path
    assert urlsplit(http_url).path.encode() not in page.ask("api/status").body


def test_tickets_and_sessions_end() -> None:
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    late, soon = sessions.ticket(), sessions.ticket()
    now[0] = TICKET_SECONDS - 1
    session = sessions.redeem(soon)
    assert session is not None
    now[0] = TICKET_SECONDS + 1
    assert sessions.redeem(late) is None
    now[0] += SESSION_SECONDS - 3
    assert sessions.holds(session)
    now[0] += SESSION_SECONDS - 1
    assert sessions.holds(session)
    now[0] += SESSION_SECONDS + 1
    assert not sessions.holds(session)
    crowd = [sessions.ticket() for _ in range(100)]
    assert [ticket for ticket in crowd if sessions.redeem(ticket)] == crowd[-16:]
