"""What a machine shared is had from an IPFS node when that machine is gone."""

import shutil
from collections.abc import Iterator

import pytest

from support.ipfs_node import StandIn
from support.js_ipfs import js_ipfs
from support.sim import SimProcess
from support.wait import until

from .conftest import Team

ISSUES = "/repos/acme/widgets/issues?per_page=5"


@pytest.fixture
def node() -> Iterator[StandIn]:
    made = StandIn()
    yield made
    made.stop()


@pytest.fixture(params=["stand-in", pytest.param("js-ipfs", marks=pytest.mark.soak)])
def urls(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    if request.param == "stand-in":
        yield request.getfixturevalue("node").urls
        return
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    with js_ipfs() as real:
        yield real


def test_a_record_outlives_its_machine(
    team: Team, shared_sim: SimProcess, urls: tuple[str, str]
) -> None:
    api, gateway = urls
    one, two = team(2, {"CACHE_IPFS_API": api, "CACHE_IPFS_GATEWAY": gateway})
    first = one.ask(ISSUES)
    assert first.source == "MISS"
    until(lambda: one.total("ipfs_put") and two.total("peer_proofs"), 30)
    one.stop()
    until(lambda: two.members() == 0, 30)
    calls = shared_sim.billed()
    second = two.ask(ISSUES)
    assert (second.source, second.plain) == ("PEER", first.plain)
    assert "IPFS" in second.field("cache-status")
    assert shared_sim.billed() == calls
    assert two.total("ipfs_fetched") == 1


def test_a_node_that_is_gone_is_said_once_and_costs_no_call(team: Team, node: StandIn) -> None:
    (one,) = team(1, {"CACHE_IPFS_API": node.api})
    node.behaves = "failing"
    for number in range(1, 6):
        assert one.ask(f"/repos/acme/widgets/issues/{number}").source == "MISS"
    until(lambda: one.total("ipfs_failed") >= 3, 30)
    assert one.control("GET", "/status")["ipfs"]["state"] == "failed"
    assert one.log().count("writing to IPFS fails") == 1
