"""GET /activity and /history: the last calls, how long they took, and days; without secrets."""

import json
import stat

import pytest

from gh_p2pcache.gateway.activity import Activity, shown
from support.gateway import Gateway, GatewayFactory
from support.origin import ScriptedOrigin, answer
from support.sim import SECRETS, SimProcess

LABELS = "/repos/acme/widgets/labels"
TOKEN = f"token {SECRETS['alice']}"
ROUTE = "GET /repos/{owner}/{repo}/labels"


def test_each_call_is_told_as_it_happened(gateway: Gateway, sim: SimProcess) -> None:
    gateway.ask(LABELS)
    gateway.ask(LABELS)
    gateway.ask(LABELS, door="exact")
    gateway.ask("/rate_limit")
    gateway.ask("/user", headers={"X-P2PCache-Mode": "offline"})
    sim.control(faults=[{"kind": "down"}])
    gateway.ask(LABELS, door="exact")
    gateway.ask("/user", headers={"X-P2PCache-Mode": "explain"})

    told = gateway.control("GET", "/activity")

    calls = told["calls"]
    assert [(c["source"], c["route"], c["profile"]) for c in calls] == [
        ("miss", ROUTE, "ttl"),
        ("hit", ROUTE, "ttl"),
        ("revalidated", ROUTE, "exact"),
        ("bypass", "GET /rate_limit", "ttl"),
        ("absent", "GET /user", "ttl"),
        ("stale", ROUTE, "exact"),
    ]
    assert [call["n"] for call in calls] == [1, 2, 3, 4, 5, 6]
    assert {(call["method"], call["host"]) for call in calls} == {("GET", "api.github.com")}
    assert calls[0]["bytes"] == calls[1]["bytes"] > 0
    assert all(0 < call["seconds"] < 30 for call in calls)
    assert calls[1]["seconds"] < calls[0]["seconds"]
    assert [call["at"] for call in calls] == sorted(call["at"] for call in calls)
    assert told["latency"]["hit"]["timed"] == 1
    assert told["latency"]["miss"]["p50"] > told["latency"]["hit"]["p50"] > 0
    assert len({call["caller"] for call in calls}) == 1
    assert calls[0]["caller"] not in {"", "unknown"}


def test_only_what_is_new_is_told_again(gateway: Gateway) -> None:
    gateway.ask("/user")
    last = gateway.control("GET", "/activity")["last"]
    assert gateway.control("GET", f"/activity?after={last}")["calls"] == []
    gateway.ask("/user")
    (call,) = gateway.control("GET", f"/activity?after={last}")["calls"]
    assert (call["n"], call["source"]) == (last + 1, "hit")
    gateway.restart()
    gateway.ask("/user")
    assert len(gateway.control("GET", "/activity?after=99")["calls"]) == 1


@pytest.mark.parametrize("query", ["after=x", "after=-1", "after=1e9", "after=" + "9" * 40])
def test_a_number_is_wanted(gateway: Gateway, query: str) -> None:
    reply = gateway.ask(f"/activity?{query}", door="control", token=None)
    assert (reply.status, "is a number" in reply.json["error"]) == (400, True)


def test_a_download_counts_all_of_its_bytes(
    gateways: GatewayFactory, origin: ScriptedOrigin
) -> None:
    gateway = gateways(origin.upstream)
    origin.says(answer(200, b"x" * 300_000))
    gateway.ask("/repos/acme/widgets/zipball/main")
    (call,) = gateway.control("GET", "/activity")["calls"]
    assert (call["source"], call["bytes"]) == ("bypass", 300_000)


def test_no_more_than_the_last_are_kept(gateway: Gateway) -> None:
    for _ in range(250):
        gateway.ask("/user", headers={"Accept-Encoding": ""})
    calls = gateway.control("GET", "/activity")["calls"]
    assert [call["n"] for call in calls] == list(range(51, 251))


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("/user", "/user"),
        ("/repos/a/b/issues?state=open&per_page=100&page=2",
         "/repos/a/b/issues?state=open&per_page=100&page=2"),
        ("/x?access_token=ghp_x&page=2", "/x?access_token=…&page=2"),
        ("/x?X-Amz-Signature=abc&X-Amz-Credential=def", "/x?X-Amz-Signature=…&X-Amz-Credential=…"),
        ("/x?q=repo:a/b+secret", "/x?q=…"),
        ("/x?PAGE=ghp_x", "/x?PAGE=…"),
        ("/x\x1b[31m\x9b", "/x?[31m?"),
        ("/x?a=b=c", "/x?a=…"),
        ("/" + "y" * 400, "/" + "y" * 298 + "…"),
    ],
)  # fmt: skip
def test_a_query_shows_no_secret(target: str, told: str) -> None:
    assert shown(target) == told


def test_history_holds_no_address_and_no_token(gateway: Gateway) -> None:
    gateway.ask(LABELS)
    gateway.ask(LABELS + "?per_page=3")
    gateway.ask("/search/issues?q=hush")
    gateway.graphql('{ repository(owner: "acme", name: "widgets") { id } }')
    days = gateway.control("GET", "/history?days=7")["days"]
    assert len(days) == 7
    assert {row["route"] for row in days[-1]["rows"]} >= {ROUTE, "GET /search/{what}"}
    gateway.stop()
    (file,) = (gateway.state / "history").iterdir()
    text = file.read_text()
    assert json.loads(text)["rows"] == days[-1]["rows"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for word in ("acme", "widgets", "hush", "per_page", SECRETS["alice"]):
        assert word not in text


def test_a_crowd_of_hot_hits_drives_nothing_out(gateway: Gateway) -> None:
    gateway.ask(LABELS)
    one = b"GET /repos/acme/widgets/labels HTTP/1.1\r\nHost: api.github.com\r\n"
    fields = f"Authorization: {TOKEN}\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\r\n".encode()
    with gateway.connect() as connection, connection.makefile("rb") as answers:
        for _ in range(2000):
            connection.sendall(one + fields)
            size = 0
            while (line := answers.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    size = int(line.split(b":")[1])
            answers.read(size)
    calls = gateway.control("GET", "/activity")["calls"]
    assert calls[0]["source"] == "miss"
    assert gateway.stats()["hit"] >= 1999
    (row,) = gateway.control("GET", "/history?days=1")["days"][0]["rows"]
    assert row["hit"] == gateway.stats()["hit"]


def test_days_and_totals_agree(gateway: Gateway) -> None:
    for target in (LABELS, LABELS, LABELS, "/user", "/rate_limit", "/repos/acme/nothing"):
        gateway.ask(target)
    stats = gateway.control("GET", "/stats")
    day = gateway.control("GET", "/history?days=1")["days"][0]
    for source in ("hit", "miss", "bypass"):
        assert sum(row.get(source, 0) for row in day["rows"]) == stats["totals"][source]
        assert sum(h.get(source, 0) for h in day["hours"].values()) == stats["totals"][source]
    assert sum(row["bytes"] for row in day["rows"]) == stats["totals"]["bytes_served"]


def test_percentiles_are_near() -> None:
    now = [0.0]
    activity = Activity(lambda: now[0])
    for number in range(100):
        now[0] = 0.001 * (number + 1)
        activity._last.append((number + 1, 0.0, None, ("", "", "", ""), "miss", 200, now[0], 0, ""))
        activity._count += 1
    told = activity.latency()["miss"]
    assert told["timed"] == 100
    assert told["p50"] == pytest.approx(0.050, rel=0.06)
    assert told["p99"] == pytest.approx(0.099, rel=0.06)
