"""doctor's look at peers: what the daemon says, and the ways to the others, in words to act on."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from gh_p2pcache.cli.checkup import peers
from gh_p2pcache.cli.checkup.finding import Finding
from gh_p2pcache.teams import changes
from support.small_daemon import SmallDaemon, small_daemon

PEER = "12D3KooW9pP4Seg3kZYhySpuVjn1RPdQBsUFZKiFxGMGQN5MeL6A"
MEMBER = {"id": PEER, "since": 1_800_000_000.0, "banned": False, "why": ""}
NO_MDNS = {"CACHE_MDNS": "false"}


@pytest.fixture
def daemon() -> Iterator[SmallDaemon]:
    with small_daemon() as small:
        yield small


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def team(daemon: SmallDaemon, *bootstrap: str) -> None:
    changes.create(daemon.state, "acme", ["acme/*"], bootstrap, lambda _: None)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def on(**changed: Any) -> dict[str, Any]:
    told = {"state": "on", "why": "", "port": None, "peers": [], "members": 0}
    return told | {"teams": [{"name": "acme", "share": ["acme/*"], "members": 0}]} | changed


def found(daemon: SmallDaemon, told: dict[str, Any] | None, **env: str) -> list[Finding]:
    if told is not None:
        daemon.told["/peers"] = told
    return list(peers.peers(daemon.env | NO_MDNS | env))


def verdicts(findings: list[Finding]) -> list[tuple[str, str]]:
    assert all(finding.do for finding in findings if finding.verdict != "ok")
    return [(finding.verdict, finding.what) for finding in findings]


def test_all_is_well(daemon: SmallDaemon, listening: int) -> None:
    addr = f"/ip4/127.0.0.1/tcp/{listening}/p2p/{PEER}"
    team(daemon, addr)

    findings = found(
        daemon, on(port=listening, members=1, peers=[MEMBER]), CACHE_LISTEN_PORT=str(listening)
    )

    assert verdicts(findings) == [
        ("ok", f"other machines are heard on port {listening}"),
        ("ok", f"bootstrap member 127.0.0.1, port {listening}, accepts connections"),
        ("ok", f"members connected: 1 ({PEER} since 2027-01-15 08:00)"),
    ]


@pytest.mark.parametrize(
    ("state", "with_team", "without"),
    [
        ("off", "ok", "ok"),
        ("not installed", "note", "ok"),
        ("starting", "note", "note"),
        ("failed", "broken", "broken"),
    ],
)
def test_peers_that_are_not_on(
    daemon: SmallDaemon, state: str, with_team: str, without: str
) -> None:
    told = {"state": state, "why": "for a reason", "peers": []}

    (finding,) = found(daemon, told)
    assert (finding.verdict, "for a reason" in finding.what) == (without, True)

    (finding,) = found(daemon, told, CACHE_P2P_SHARED_SECRET="hunter2")
    assert finding.verdict == with_team


def test_a_port_that_was_taken_and_one_that_does_not_answer(
    daemon: SmallDaemon, listening: int
) -> None:
    (taken,) = found(daemon, on(port=listening), CACHE_LISTEN_PORT="9100")
    assert (taken.verdict, taken.what) == (
        "note",
        f"port 9100 was taken: other machines find this one at {listening}",
    )

    (dead,) = found(daemon, on(port=closed_port()))
    assert (dead.verdict, "does not answer on this machine" in dead.what) == ("broken", True)

    (none,) = found(daemon, on())
    assert (none.verdict, "this one dials only" in none.what) == ("note", True)


def test_a_bootstrap_member_that_is_not_there(daemon: SmallDaemon) -> None:
    port = closed_port()
    addrs = f"/ip4/127.0.0.1/tcp/{port},/dns/no-such-host.invalid/tcp/9100"

    findings = found(daemon, on(), CACHE_BOOTSTRAP_PEERS=addrs)[1:]

    assert [finding.verdict for finding in findings] == ["note", "note"]
    assert findings[0].what.startswith("bootstrap member no-such-host.invalid, port 9100")
    assert findings[1].what.endswith("is not reached: Connection refused")
    assert "firewall" in findings[1].do


def test_nobody_there_names_what_a_firewall_must_let_through(
    daemon: SmallDaemon, listening: int
) -> None:
    team(daemon)
    finding = found(daemon, on(port=listening), CACHE_LISTEN_PORT=str(listening))[-1]
    assert (finding.verdict, finding.what) == ("note", "no member is connected")
    assert f"TCP {listening}" in finding.do
    assert "UDP 5353" in finding.do
    assert "was the secret rotated? gh p2pcache team join" in finding.do


def test_who_is_banned_and_what_the_peer_process_complains_of(daemon: SmallDaemon) -> None:
    banned = MEMBER | {"banned": True, "why": "signed what GitHub never said"}

    findings = verdicts(found(daemon, on(peers=[banned], problems=["no address"])))

    assert ("note", f"peer {PEER} is banned: signed what GitHub never said") in findings
    assert ("note", "peers: no address") in findings


def test_the_lan_is_looked_at_where_mdns_is_wanted(daemon: SmallDaemon) -> None:
    def asked(**env: str) -> bool:
        return any("mDNS" in finding.what for finding in found(daemon, on(), **env))

    assert not asked()
    assert asked(CACHE_MDNS="true")
    assert not asked(CACHE_MDNS="", CACHE_P2P_SHARED_SECRET="")
    assert asked(CACHE_MDNS="", CACHE_P2P_SHARED_SECRET="hunter2")


def test_a_team_that_the_daemon_could_not_take(daemon: SmallDaemon) -> None:
    team(daemon)
    finding = found(daemon, on(teams=[]))[0]
    assert (finding.verdict, "works without team 'acme'" in finding.what) == ("broken", True)


def test_a_team_file_that_is_damaged_is_broken(daemon: SmallDaemon) -> None:
    team(daemon)
    (daemon.state / "teams/acme.toml").write_text("nonsense")
    finding = found(daemon, on())[0]
    assert (finding.verdict, "teams/acme.toml" in finding.what) == ("broken", True)


def test_a_daemon_of_before_says_nothing_of_peers(daemon: SmallDaemon) -> None:
    (finding,) = found(daemon, None)
    assert (finding.verdict, finding.do) == ("note", "gh p2pcache restart")
