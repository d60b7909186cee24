"""The other ways in: loopback TCP under a secret path, and the control socket."""

import http.client
import json
import socket
import stat
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.gateway import Gateway, GatewayFactory, Reply, read_reply
from support.ports import free_port
from support.sim import SECRETS, SimProcess
from support.wait import until

LABELS = "/repos/acme/widgets/labels"
TOKEN = {"Authorization": f"token {SECRETS['alice']}"}


# --- CACHE_HTTP_PORT ---


@pytest.fixture
def open_gateway(gateways: GatewayFactory, sim: SimProcess) -> Gateway:
    """A gateway with its loopback door open."""
    return gateways(f"unix://{sim.unix}", CACHE_HTTP_PORT=str(free_port()))


def base(gateway: Gateway) -> str:
    url: str = gateway.control("GET", "/status")["http_url"]
    return url


def by_tcp(url: str, method: str = "GET", **headers: str) -> Reply:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port or 0, timeout=20)
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""),
                           headers=headers)  # fmt: skip
        return read_reply(connection.getresponse())
    finally:
        connection.close()


def test_a_plain_client_shares_the_cache_with_gh(open_gateway: Gateway, sim: SimProcess) -> None:
    gh = {"Accept": "*/*", "Accept-Encoding": "gzip", "User-Agent": "octokit", **TOKEN}
    kept = open_gateway.ask(LABELS)
    given = by_tcp(base(open_gateway) + LABELS, **gh)
    assert (given.source, given.body) == ("HIT", kept.body)
    assert by_tcp(f"{base(open_gateway)}{LABELS}?per_page=2", **gh).source == "MISS"
    assert sim.state()["requests"][-1]["host"] == "api.github.com"


def test_curl_gets_what_github_prints_for_people(open_gateway: Gateway, sim: SimProcess) -> None:
    """A body of its own, never mixed up with gh's."""
    people = {"User-Agent": "curl/8.5.0", "Accept": "*/*", **TOKEN}
    direct = sim.request("GET", "/user", token="alice", headers={"User-Agent": "curl/8.5.0"})[2]
    open_gateway.ask("/user")
    for source in ("MISS", "HIT"):
        given = by_tcp(f"{base(open_gateway)}/user", **people)
        assert (given.source, given.body) == (source, direct)
    assert b"\n" not in open_gateway.ask("/user").plain


def test_without_the_secret_path_nothing_is_answered(
    open_gateway: Gateway, sim: SimProcess
) -> None:
    url = base(open_gateway)
    root, secret = url.rsplit("/", 1)
    assert len(secret) >= 32
    wrong = ["", "/", "/user", "/metrics", "/health", "/" + secret[:-1], f"/{secret[:-1]}x/user",
             f"/{secret.upper()}/user", f"/{secret}x/user", f"/x/{secret}/user",
             f"/{secret}"]  # fmt: skip
    for path in wrong:
        reply = by_tcp(root + path, **TOKEN)
        assert (reply.status, reply.body) == (404, b"")
        assert not reply.source
    assert sim.calls() == 0


def test_the_door_leads_to_github_alone(open_gateway: Gateway, sim: SimProcess) -> None:
    by_tcp(f"{base(open_gateway)}/zen", Host="evil.example", **TOKEN)
    assert sim.state()["requests"][-1]["host"] == "api.github.com"


def test_only_loopback_listens(open_gateway: Gateway) -> None:
    port = urlsplit(base(open_gateway)).port
    rows = Path(f"/proc/{open_gateway.pid}/net/tcp").read_text().splitlines()[1:]
    bound = [row.split()[1] for row in rows if row.split()[3] == "0A"]
    assert [where for where in bound if where.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]


def test_the_secret_lasts_and_is_its_owners(open_gateway: Gateway) -> None:
    url = base(open_gateway)
    secret = open_gateway.state / "http-secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    open_gateway.restart()
    assert base(open_gateway) == url


def test_metrics_and_health_are_there_too(open_gateway: Gateway) -> None:
    open_gateway.ask("/user")
    assert by_tcp(f"{base(open_gateway)}/health").json["status"] == "ok"
    text = by_tcp(f"{base(open_gateway)}/metrics").body.decode()
    assert "gh_p2pcache_answers_total" in text
    assert by_tcp(f"{base(open_gateway)}/status").source  # nothing else of the control socket


def test_a_port_that_is_taken_costs_this_door_only(
    gateways: GatewayFactory, sim: SimProcess
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        gateway = gateways(f"unix://{sim.unix}", CACHE_HTTP_PORT=str(port))
        assert gateway.ask("/user").status == 200
        told = gateway.control("GET", "/status")
        assert told["http_url"] is None
        warning = f"CACHE_HTTP_PORT {port}: Address already in use; it is left out"
        assert told["warnings"] == [warning]
        assert warning in gateway.log


def test_no_door_without_the_setting(gateway: Gateway) -> None:
    assert gateway.control("GET", "/status")["http_url"] is None


# --- The control socket ---


def test_health_and_status(gateway: Gateway) -> None:
    health = gateway.control("GET", "/health")
    assert (health["status"], health["pid"]) == ("ok", gateway.pid)
    gateway.ask("/user")
    status = gateway.control("GET", "/status")
    assert status["version"] == health["version"]
    assert status["cache_dir"] == str(gateway.cache)
    assert status["state_dir"] == str(gateway.state)
    assert status["upstream"] == gateway.upstream
    assert (status["team"], status["warnings"], status["limited_until"]) == (False, [], None)
    assert status["store"]["records"] == 1
    (budget,) = status["budgets"]
    assert (budget["site"], budget["resource"], budget["limit"]) == ("github.com", "core", 5000)


def test_statistics_count_what_happened(gateway: Gateway, sim: SimProcess) -> None:
    gateway.ask(LABELS)
    gateway.ask(LABELS)
    gateway.ask(LABELS, door="exact")
    gateway.ask("/rate_limit")
    gateway.ask("/repos/acme/nothing")
    sim.control(faults=[{"kind": "down"}])
    gateway.ask(LABELS, door="exact")
    gateway.ask("/user")
    sim.control(faults=[])
    stats = gateway.control("GET", "/stats")
    counted = {"hit": 1, "miss": 3, "revalidated": 1, "stale": 1, "bypass": 1, "error": 1}
    assert stats["totals"].items() >= counted.items()
    assert stats["calls_saved"] == 3
    labels = stats["routes"]["GET /repos/{owner}/{repo}/labels"]
    assert labels == {"miss": 1, "hit": 1, "revalidated": 1, "stale": 1}
    assert stats["store"]["records"] == 1
    gateway.restart()
    assert gateway.stats().items() >= counted.items()


def test_metrics_are_prometheus_text(gateway: Gateway) -> None:
    gateway.ask(LABELS)
    gateway.ask(LABELS)
    reply = gateway.ask("/metrics", door="control")
    assert reply.field("content-type").startswith("text/plain; version=0.0.4")
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(reply.body.decode())
        for sample in family.samples
    }
    route = "GET /repos/{owner}/{repo}/labels"
    assert samples["gh_p2pcache_answers_total", route, "hit"] == 1
    assert samples["gh_p2pcache_answers_total", route, "miss"] == 1
    assert samples["gh_p2pcache_calls_saved_total",] == 1
    assert samples["gh_p2pcache_records",] == 1
    remaining = [value for name, value in samples.items() if name[0].endswith("limit_remaining")]
    assert remaining == [4999]


def test_purging_everything_a_repository_or_a_pattern(gateway: Gateway, sim: SimProcess) -> None:
    targets = [LABELS, "/repos/acme/many/labels", "/repos/octo/hello/labels", "/user"]

    def kept() -> list[str]:
        sim.control(reset="counters")
        return [t for t in targets if gateway.ask(t).source == "HIT"]

    def purge(**what: object) -> int:
        removed: int = gateway.control("POST", "/purge", what)["removed"]
        return removed

    assert (kept(), kept()) == ([], targets)
    assert (purge(repo="Acme/Widgets", site="github.com"), kept()) == (1, targets[1:])
    gateway.restart()
    by_token = gateway.ask(
        "/purge", method="POST", door="control", body=b'{"pattern": "/repos/acme/*"}'
    )
    assert json.loads(by_token.body)["removed"] >= 1
    assert targets[1] not in (now := kept())
    assert targets[3] in now
    assert (purge(all=True), gateway.records(), kept()) == (4, 0, [])


def test_verify_says_what_it_found(gateway: Gateway) -> None:
    gateway.ask(LABELS)
    gateway.ask("/user")
    gateway.ask("/user", token="bob")
    assert gateway.control("POST", "/verify") == {"ok": 3}
    gateway.restart()
    introduced = gateway.ask("/verify", method="POST", door="control", token="alice")
    assert json.loads(introduced.body) == {"ok": 2, "unknown key": 1}
    for path in (gateway.cache / "records").glob("??/*"):
        path.write_bytes(path.read_bytes()[:-1] + b"\0")
    damaged = json.loads(gateway.ask("/verify", method="POST", door="control", token="alice").body)
    assert damaged["corrupt"] >= 2


# --- What a call leaves for the entry point ---


def test_each_call_leaves_one_line_for_all_its_pages(gateway: Gateway, sim: SimProcess) -> None:
    def line(call: str, *asked: tuple[str, dict[str, str]]) -> str:
        for target, headers in asked:
            gateway.ask(target, headers={"X-P2PCache-Call": call, **headers})
        return (gateway.run / "calls" / call).read_text()

    first = "/repos/acme/many/issues?per_page=50"
    second = "/repositories/500001003/issues?per_page=50&page=2"
    assert line("a1", (first, {}), (second, {})).startswith(f"info ⚡ Cache miss: {first} (2 pages")
    assert line("a2", (first, {}), (second, {})).startswith("info ✅ Cache hit: ")
    assert line("a3", ("/rate_limit", {})).startswith("info ⚡ Not cached: /rate_limit")
    offline = {"X-P2PCache-Mode": "offline"}
    assert line("a4", ("/zen", offline)).startswith("absent ❌ ")
    sim.control(faults=[{"kind": "down"}])
    stale = line("a5", (first, {"X-P2PCache-Mode": "refresh"}))
    assert stale.startswith("warning 🔄 Stale cache: ")
    assert "could not be reached" in stale
    assert stale.count("\n") == 1


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", "/repos/acme/widgets/issues", b'{"title": "x"}'),
        ("POST", "/graphql", b'{"query": "mutation { addStar(input: {}) { clientMutationId } }"}'),
        ("GET", "/repos/acme/widgets/actions/runs/1/logs", None),
    ],
)
def test_offline_nothing_is_sent_to_github(
    gateway: Gateway, sim: SimProcess, method: str, target: str, body: bytes | None
) -> None:
    calls = sim.calls()
    offline = {"X-P2PCache-Mode": "offline", "X-P2PCache-Call": "o"}
    assert gateway.ask(target, method=method, body=body, headers=offline).status == 504
    assert sim.calls() == calls
    assert (gateway.run / "calls/o").read_text().startswith("absent ❌ ")


def test_lines_that_nobody_fetched_do_not_pile_up(gateway: Gateway) -> None:
    for number in range(600):
        gateway.ask("/user", headers={"X-P2PCache-Call": f"call-{number}"})
    assert len(list((gateway.run / "calls").iterdir())) <= 512


@pytest.mark.parametrize("call", ["../../escape", "/abs", ".", "..", "a b", "x" * 65, "a\tb", "ä"])
def test_no_name_of_a_call_leads_elsewhere(gateway: Gateway, call: str) -> None:
    before = {path for path in gateway.root.rglob("*") if "records" not in path.parts}
    gateway.ask("/zen", headers={"X-P2PCache-Call": call, "Cache-Control": "no-store"})
    after = {path for path in gateway.root.rglob("*") if "records" not in path.parts}
    assert after - before <= {gateway.state / "stats.json", gateway.state / "proofs"}


# --- Coming and going ---


def test_sigterm_finishes_what_is_in_flight(gateway: Gateway, sim: SimProcess) -> None:
    sim.control(faults=[{"kind": "delay", "seconds": 1.0, "times": 1}])
    with gateway.connect() as connection:
        connection.sendall(b"GET /zen HTTP/1.1\r\nHost: api.github.com\r\n\r\n")
        until(lambda: gateway.stats().get("upstream") == 1)
        assert gateway.stop() == 0
        assert connection.recv(65536).startswith(b"HTTP/1.1 ")


def test_it_leaves_when_the_supervisor_is_gone(gateway: Gateway) -> None:
    assert gateway.hang_up() == 0


def test_it_leaves_when_idle(gateways: GatewayFactory, sim: SimProcess) -> None:
    gateway = gateways(f"unix://{sim.unix}", CACHE_IDLE_EXIT="1s")
    gateway.ask("/user")
    until(lambda: not gateway.is_alive())
    assert gateway.process is not None
    assert gateway.process.returncode == 0


def test_a_stream_is_no_idleness(gateways: GatewayFactory, sim: SimProcess) -> None:
    gateway = gateways(f"unix://{sim.unix}", CACHE_IDLE_EXIT="1s")
    sim.control(faults=[{"kind": "delay", "seconds": 3.0, "times": 1}])
    assert gateway.ask("/rate_limit").status == 200


def test_calls_wait_while_it_starts_anew(gateway: Gateway) -> None:
    gateway.ask("/user")
    gateway.kill()
    with gateway.connect() as waiting:
        waiting.sendall(b"GET /zen HTTP/1.1\r\nHost: api.github.com\r\nConnection: close\r\n\r\n")
        gateway.start()
        assert waiting.recv(65536).startswith(b"HTTP/1.1 ")
    assert gateway.ask("/user").source == "HIT"
