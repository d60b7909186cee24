"""The sim on sockets: all listeners, faults as clients see them, streams, its end."""

import http.client
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gh_p2pcache.sim.seed_parts import BIG_ASSET
from support.sim import ROOT, SECRETS, Certificate, SimProcess, plain_sim
from support.wait import until

AUTH = {"Authorization": f"token {SECRETS['alice']}", "User-Agent": "test"}
BIG = "release-assets.githubusercontent.com"


def test_every_listener_is_the_same_github(sim: SimProcess, certificate: Certificate) -> None:
    tls, tcp = urlsplit(sim.tls), urlsplit(sim.tcp)
    context = ssl.create_default_context(cafile=str(certificate.ca))
    for connection in (
        http.client.HTTPConnection(tcp.netloc),
        http.client.HTTPSConnection(tls.netloc, context=context),
    ):
        for _ in range(2):
            connection.request("GET", "/user", headers=AUTH)
            answer = connection.getresponse()
            assert json.loads(answer.read())["login"] == "alice"
        connection.close()
    assert sim.request("GET", "/user", token="bob")[0] == 200
    assert sim.state()["tokens"] == {"alice": 4, "bob": 1}


def test_the_target_is_told_as_it_was_sent(sim: SimProcess) -> None:
    for target in ("/user?", "/users/a%2Fb", "/user?b=1&a=%20"):
        sim.request("GET", target, token="alice")
        assert sim.state()["requests"][-1]["target"] == target


@pytest.mark.parametrize("kind", ["down", "die"])
def test_a_connection_that_breaks(sim: SimProcess, kind: str) -> None:
    sim.control(fault={"kind": kind, "times": 1})
    with pytest.raises((http.client.HTTPException, OSError)):
        sim.request("GET", "/user", token="alice")
    assert sim.request("GET", "/user", token="alice")[0] == 200


def test_half_a_body_is_half(sim: SimProcess) -> None:
    sim.control(fault={"kind": "die", "match": "/user"})
    with pytest.raises(http.client.IncompleteRead) as caught:
        sim.request("GET", "/user", token="alice")
    assert caught.value.partial
    assert sim.request("GET", "/zen")[0] == 200


def test_an_answer_that_never_comes(sim: SimProcess) -> None:
    sim.control(fault={"kind": "timeout"})
    connection = http.client.HTTPConnection(urlsplit(sim.tcp).netloc, timeout=0.2)
    connection.request("GET", "/user", headers=AUTH)
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("kind", ["down", "status"])
def test_a_write_that_fails_may_have_happened(sim: SimProcess, kind: str, *, late: bool) -> None:
    sim.control(fault={"kind": kind, "times": 1, "late": late, "match": "POST "})
    try:
        status = sim.request(
            "POST", "/repos/acme/widgets/labels", token="alice", body={"name": "late"}
        )[0]
    except (http.client.HTTPException, OSError):
        status = 0
    assert status == (0 if kind == "down" else 502)
    there = sim.request("GET", "/repos/acme/widgets/labels/late", token="alice")[0]
    assert there == (200 if late else 404)


def test_delays_are_waited_for(sim: SimProcess) -> None:
    sim.control(fault={"kind": "delay", "seconds": 30, "match": "/user"})
    done = threading.Event()

    def slow() -> None:
        connection = http.client.HTTPConnection(urlsplit(sim.tcp).netloc, timeout=0.5)
        connection.request("GET", "/user", headers=AUTH)
        with pytest.raises(TimeoutError):
            connection.getresponse()
        connection.close()
        done.set()

    thread = threading.Thread(target=slow)
    thread.start()
    until(lambda: sim.calls() == 1, what="the slow call to come in")
    assert sim.request("GET", "/zen")[0] == 200
    thread.join()
    assert done.is_set()


def peak(sim: SimProcess) -> int:
    status = Path(f"/proc/{sim.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_large_bodies_both_ways_in_flat_memory(sim: SimProcess) -> None:
    before = peak(sim)
    release = json.loads(sim.request("GET", "/repos/acme/widgets/releases/latest")[2])
    asset = next(asset for asset in release["assets"] if asset["name"] == "big.bin")
    connection = http.client.HTTPConnection(urlsplit(sim.tcp).netloc)
    connection.request("GET", f"/asset/{asset['id']}?sig=sim", headers={"Host": BIG})
    answer, size = connection.getresponse(), 0
    while chunk := answer.read(1 << 20):
        size += len(chunk)
    assert size == BIG_ASSET

    def parts() -> Iterator[bytes]:
        for _ in range(64):
            yield bytes(1 << 20)

    target = f"/repos/acme/widgets/releases/{release['id']}/assets?name=up.bin"
    upload = {**AUTH, "Content-Length": str(64 << 20), "Host": "uploads.github.com"}
    connection.request("POST", target, body=parts(), headers=upload)
    made = connection.getresponse()
    assert (made.status, json.loads(made.read())["size"]) == (201, 64 << 20)
    connection.close()
    assert peak(sim) - before < 40 << 20


def test_it_leaves_with_its_parent(tmp_path: Path) -> None:
    alone = plain_sim(tmp_path)
    assert alone.process.stdin is not None
    alone.process.stdin.close()
    until(lambda: alone.process.poll() is not None, what="the sim to leave")
    assert alone.process.returncode == 0
    alone.process.stdin = None
    alone.stop()


@pytest.mark.parametrize("arguments", [(), ("--tls", "0")])
def test_arguments_that_make_no_sense(arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "gh_p2pcache.sim", *arguments]
    env = {"PYTHONPATH": str(ROOT / "python")}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 2
    assert "needed" in done.stderr or "needs" in done.stderr


def test_bad_switches_get_a_400(sim: SimProcess) -> None:
    status, _, body = sim.request("POST", "/_sim/control", body={"bananas": 1})
    assert (status, "bananas" in body.decode()) == (400, True)
    assert sim.request("GET", "/_sim/nothing")[0] == 404


def test_several_at_once_share_nothing(
    sim: SimProcess, sim_factory: Callable[..., SimProcess]
) -> None:
    other = sim_factory()
    sim.request("PATCH", "/repos/acme/widgets/issues/1", token="alice", body={"title": "x"})
    assert b'"title":"x"' not in other.request("GET", "/repos/acme/widgets/issues/1")[2]
