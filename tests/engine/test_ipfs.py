"""An IPFS node behind the members: what it adds, and that it can make nothing worse."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gh_p2pcache.engine import ipfs_writer, upkeep
from gh_p2pcache.engine.breaker import FAILURES
from gh_p2pcache.engine.ipfs import WithIpfs
from gh_p2pcache.engine.ipfs_writer import IpfsWriter
from gh_p2pcache.engine.peers import Peers
from gh_p2pcache.origin.ipfs import IpfsNode
from gh_p2pcache.records.seal import key_id
from gh_p2pcache.sim.faults import Fault
from support.circle import Circle
from support.engine import Bench
from support.ipfs_node import StandIn

ISSUES = "/repos/acme/widgets/issues?per_page=5"
DEADLINE = 5.0
"""Of what members may cost: nothing here is fast because the clock says so."""


class Place:
    """Machines with one IPFS node behind them all."""

    def __init__(self, directory: Path) -> None:
        self.circle = Circle(directory)
        self.node = StandIn()
        self.deadline = DEADLINE
        self.tiers: list[WithIpfs] = []

    async def machine(
        self, env: dict[str, str] | None = None, *, reads: bool = True, writes: bool = True
    ) -> Bench:
        """Start a machine that has found its node."""
        made = await self.circle.machine(env, self._behind(reads=reads, writes=writes))
        await self.begin(made)
        assert made.house is not None
        made.house.members.trust._chance = lambda: 1.0  # no samples
        return made

    async def begin(self, bench: Bench) -> None:
        assert bench.house is not None
        tier = bench.peers
        assert isinstance(tier, WithIpfs)
        tier.start(bench.house.stats.event, quiet=0)
        await eventually(lambda: tier._node is not None)

    def _behind(self, *, reads: bool, writes: bool) -> Callable[..., Peers]:
        def behind(link: Peers, where: Path) -> Peers:
            api = self.node.api if writes else None
            gateway = self.node.gateway if reads else None
            self.tiers.append(
                WithIpfs(
                    link,
                    lambda: IpfsNode(api, gateway, {}),
                    self.writer(where) if writes else None,
                    deadline=self.deadline,
                )
            )
            return self.tiers[-1]

        return behind

    @staticmethod
    def writer(where: Path) -> IpfsWriter:
        return IpfsWriter(where / "state/ipfs-pins", where / "cache/records")

    async def end(self) -> None:
        for tier in self.tiers:
            await tier.close()
        await asyncio.sleep(0.01)  # asyncio closes sockets in its next turn
        if self.node._loop.is_running():
            self.node.stop()


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setattr(ipfs_writer, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(ipfs_writer, "PAUSE_SECONDS", 0.0)
    made = Place(tmp_path)
    yield made
    await made.end()


async def eventually(condition: Callable[[], object]) -> None:
    """Wait for a condition; AssertionError where it does not come true."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        await asyncio.sleep(0.01)


async def put(place: Place, bench: Bench, target: str = ISSUES) -> None:
    """Have a machine ask GitHub, and its record be on the node."""
    before = len(place.node.pins)
    assert (await bench.ask(target)).source == "MISS"
    await eventually(lambda: len(place.node.pins) > before)


async def left_alone(place: Place) -> Bench:
    """Return a machine that knows of a record whose only holder is gone."""
    one, two = await place.machine(), await place.machine()
    await put(place, one)
    place.circle.links[0].up = False
    return two


async def test_what_a_machine_that_is_gone_announced_comes_from_the_node(place: Place) -> None:
    two = await left_alone(place)
    given = await two.ask(ISSUES)
    assert (given.source, given.detail) == ("PEER", "IPFS")
    assert not two.origin.sent
    assert (await two.ask(ISSUES)).source == "HIT"
    assert two.house is not None
    assert two.house.stats.totals["ipfs_fetched"] == 1


@pytest.mark.parametrize(("reads", "writes"), [(True, False), (False, True)])
async def test_one_way_to_the_node_is_enough(place: Place, reads: bool, writes: bool) -> None:
    one = await place.machine(reads=False)
    two = await place.machine(reads=reads, writes=writes)
    await put(place, one)
    place.circle.links[0].up = False
    assert (await two.ask(ISSUES)).detail == "IPFS"


async def test_a_node_bridges_an_outage_of_everything_else(place: Place) -> None:
    two = await left_alone(place)
    two.time.advance(400)
    two.sim.faults.waiting.append(Fault("down"))
    assert (await two.ask(ISSUES)).source == "STALE"


async def test_while_members_answer_the_node_is_not_asked(place: Place) -> None:
    one, two = await place.machine(), await place.machine()
    await put(place, one)
    assert (await two.ask(ISSUES)).detail == place.circle.links[0].name
    assert not [call for call in place.node.asked if "get" in call.lower()]


async def test_nothing_but_what_a_team_shares_goes_to_the_node(place: Place) -> None:
    one = await place.machine()
    for private in ("/user", "/notifications", "/repos/acme/widgets/releases"):
        await one.ask(private)
    await put(place, one)
    assert one.house is not None
    team = one.house.desk.teams.all[0].keys.id
    assert [key_id(block) for block in place.node.blocks.values()] == [team]


async def test_without_a_team_nothing_goes_there(place: Place) -> None:
    one = await place.machine({})
    await one.ask(ISSUES)
    two = await place.machine()
    await put(place, two)
    assert len(place.node.asked) == 1
    assert len(place.circle.announced) == 2


async def test_what_is_too_large_for_a_block_stays_here(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ipfs_writer, "LARGEST", 100)
    one = await place.machine()
    assert (await one.ask(ISSUES)).source == "MISS"
    assert one.house is not None
    totals = one.house.stats.totals
    await eventually(lambda: totals["ipfs_too_large"])
    assert not place.node.asked


async def test_a_304_puts_nothing_again(place: Place) -> None:
    one = await place.machine()
    await put(place, one)
    one.time.advance(400)
    assert (await one.ask(ISSUES)).source == "REVALIDATED"
    await put(place, one, "/repos/acme/widgets/issues/1")
    assert place.node.asked.count("POST block/put") == 2


async def test_what_the_store_lets_go_of_leaves_the_node(place: Place) -> None:
    one = await place.machine()
    await put(place, one)
    await put(place, one, "/repos/acme/widgets/issues/1")
    assert one.house is not None
    assert await upkeep.purge_all(one.house.desk) == 2
    await eventually(lambda: not place.node.pins and not place.node.blocks)
    await eventually(lambda: one.house.stats.totals["ipfs_removed"] == 2)  # type: ignore[union-attr]


async def test_what_is_replaced_leaves_the_node(place: Place) -> None:
    one = await place.machine()
    await put(place, one)
    (former,) = place.node.pins
    one.time.advance(1)
    await one.ask("/repos/acme/widgets/issues", method="POST", body=b'{"title":"new"}')
    one.time.advance(30)
    assert (await one.ask(ISSUES)).source in {"MISS", "REVALIDATED"}
    await eventually(lambda: place.node.pins and former not in place.node.pins)
    await eventually(lambda: former not in place.node.blocks)


async def test_what_went_while_the_daemon_was_away_leaves_the_node(place: Place) -> None:
    one = await place.machine()
    await put(place, one)
    await place.tiers[0].close()
    assert one.house is not None
    await upkeep.purge_all(one.house.desk)
    await one.stop()
    one.peers = place._behind(reads=True, writes=True)(
        place.circle.links[0], place.circle.directory / "0"
    )
    await one.start()
    await place.begin(one)
    await eventually(lambda: not place.node.pins)


async def test_what_another_machine_holds_stays(place: Place) -> None:
    one, two = await place.machine(), await place.machine()
    await put(place, one)
    assert (await two.ask(ISSUES)).source == "PEER"
    assert two.house is not None
    await upkeep.purge_all(two.house.desk)
    await put(place, two, "/repos/acme/widgets/issues/1")
    assert len(place.node.pins) == 2


@pytest.mark.parametrize("behaves", ["lying", "endless", "failing", "moved"])
async def test_a_node_that_is_not_right_costs_a_question_to_github(
    place: Place, behaves: str
) -> None:
    two = await left_alone(place)
    place.node.behaves = behaves
    assert (await two.ask(ISSUES)).source == "MISS"
    assert (await two.ask(ISSUES)).source == "HIT"


async def test_a_hung_node_is_asked_thrice_and_then_left_alone(place: Place) -> None:
    place.deadline = 0.5
    one, two = await place.machine(), await place.machine(writes=False)
    targets = [f"/repos/acme/widgets/issues/{number}" for number in range(1, 6)]
    for target in targets:
        await put(place, one, target)
    place.circle.links[0].up = False
    place.node.behaves = "hung"
    for target in targets[:FAILURES]:
        assert (await two.ask(target)).source == "MISS"
    place.node.asked.clear()
    for target in targets[FAILURES:]:
        assert (await two.ask(target)).source == "MISS"
    assert not place.node.asked
    assert two.peers is not None
    assert two.peers.members == 0, "members are not asked for its sake"
    assert place.tiers[1].summary()["state"] == "failed"


async def test_a_node_that_is_gone_fails_nothing(place: Place) -> None:
    two = await left_alone(place)
    place.node.stop()
    assert (await two.ask(ISSUES)).source == "MISS"
    assert two.house is not None
    totals = two.house.stats.totals
    await eventually(lambda: totals["ipfs_failed"] >= 2)  # the get, and the put of what came
    assert (await two.ask(ISSUES)).source == "HIT"


async def test_what_a_node_did_not_take_is_not_pinned_and_put_with_the_next_304(
    place: Place,
) -> None:
    one = await place.machine(reads=False)
    place.node.behaves = "failing"
    assert (await one.ask(ISSUES)).source == "MISS"
    assert one.house is not None
    totals = one.house.stats.totals
    await eventually(lambda: totals["ipfs_failed"] == 1)
    assert place.tiers[0].summary()["pinned"] == 0

    place.node.behaves = "well"
    one.time.advance(400)
    assert (await one.ask(ISSUES)).source == "REVALIDATED"

    await eventually(lambda: place.node.pins)
    await eventually(lambda: place.tiers[0].summary()["pinned"] == 1)


async def test_what_comes_from_the_node_is_judged_as_a_members(place: Place) -> None:
    two = await left_alone(place)
    place.circle.links[0].tampers = lambda offer: replace(
        offer, validation=replace(offer.validation, ttl=1e6)
    )
    assert (await two.ask(ISSUES)).source == "MISS"
    assert two.house is not None
    assert two.house.stats.totals["peer_rejected"] == 1
    assert two.house.stats.totals["ipfs_fetched"] == 1


async def test_what_a_write_buried_is_not_taken_from_the_node(place: Place) -> None:
    two = await left_alone(place)
    two.time.advance(1)
    await two.ask("/repos/acme/widgets/issues", method="POST", body=b'{"title":"unheard"}')
    seen = await two.ask(ISSUES, headers=[("accept-encoding", "")])
    assert b"unheard" in seen.body


async def test_what_waits_to_be_put_is_bounded(tmp_path: Path) -> None:
    writer = Place.writer(tmp_path)
    took = [writer.offer(b"scope-id", "5" * 32, n.to_bytes(32, "big")) for n in range(2_000)]
    assert took.count(True) == ipfs_writer.MOST_QUEUED
    assert writer.offer(b"scope-id", "5" * 32, bytes(32)), "it waits already"
