"""Owners, leases and blobs over real connections: what memory pipes cannot show."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import trio

from gh_p2pcache.peer import exchange
from gh_p2pcache.peer.messages import Found, ScopeGrant
from gh_p2pcache.peer.owner import rank
from gh_p2pcache.peer.wire import PeerError
from gh_p2pcache.records.sign import Signer
from support.members import SCOPE, TAG, TeamMember, yours
from support.network import Network, address, running, trial, until

GRANT = ScopeGrant(SCOPE, b"m" * 32, b"t" * 32, "team")


class Machine:
    """A real network as `TeamMember` takes it: wire and book in one."""

    def __init__(self, network: Network, seed: bytes) -> None:
        self._network = network
        self.signer = Signer(seed)

    @property
    def accepting(self) -> bool:
        return self._network.accepting

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name, None) or getattr(self._network.book, name)


class Nursery:
    """What `TeamMember` takes of a team."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery


@asynccontextmanager
async def member(bootstrap: tuple[str, ...] = (), **options: Any) -> AsyncIterator[Running]:
    made = []
    seed = os.urandom(32)
    async with trio.open_nursery() as nursery:

        def prepare(network: Network) -> None:
            machine: Any = Machine(network, seed)
            team: Any = Nursery(nursery)
            made.append(TeamMember(team, machine, **options))

        async with running(GRANT, bootstrap=bootstrap, seed=seed, prepare=prepare) as network:
            yield Running(network, made[0])
        nursery.cancel_scope.cancel()


class Running:
    def __init__(self, network: Network, member: TeamMember) -> None:
        self.network = network
        self.member = member

    def sees(self, count: int) -> bool:
        """Tell whether so many others are there, all of whom accept connections."""
        members = self.network.book.members(SCOPE)
        return len(members) == count and all(other.accepting for other in members)


@asynccontextmanager
async def team(count: int) -> AsyncIterator[list[Running]]:
    """Run members that all see each other, the owner of TAG first."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(member())
        bootstrap = (address(first.network),)
        others = [await stack.enter_async_context(member(bootstrap)) for _ in range(count - 1)]
        everyone = [first, *others]
        await until(lambda: all(one.sees(count - 1) for one in everyone))
        await until(lambda: all(one.network.accepting for one in everyone))
        by_id = {one.member.id: one for one in everyone}
        yield [by_id[peer] for peer in rank(SCOPE, TAG, by_id)]


@trial
async def test_ten_megabytes_arrive_whole() -> None:
    async with team(2) as (one, two):
        two.member.exchange._max_blob = 10 << 20
        announced = one.member.store(os.urandom(10 << 20))
        parcel = await two.member.exchange.fetch(one.member.id, announced)
        assert parcel is not None
        assert parcel.blob == one.member.files[TAG].blob


@trial
async def test_one_fetches_and_the_others_get_it_from_there() -> None:
    async with team(3) as (one, two, three):
        assert yours(await two.member.find(deadline=1.0))
        asked = [await each.member.ask(deadline=1.0) for each in (one, three)]
        await until(lambda: one.member.waiting(asked[0]) and three.member.waiting(asked[1]))
        await two.member.announce(two.member.store())
        for waiting, n in zip((one, three), asked, strict=True):
            answer = await waiting.member.answer(n)
            assert isinstance(answer, Found)
            assert (answer.blob, answer.peer) == (b"a sealed blob", two.member.id)


@trial
async def test_a_lease_ends_with_the_connection() -> None:
    async with team(2) as (one, two):
        assert yours(await two.member.find(deadline=1.0))
        n = await one.member.ask(deadline=1.0)
        await until(lambda: one.member.waiting(n))
        for link in list(two.network.host.links()):
            await link.close()
        assert yours(await one.member.answer(n))


@trial
async def test_an_owner_that_dies_is_replaced() -> None:
    async with team(3) as (one, two, three):
        first = await two.member.ask(deadline=1.0)
        assert yours(await two.member.answer(first))
        second = await three.member.ask(deadline=1.0)
        await until(lambda: three.member.waiting(second))
        for link in list(one.network.host.links()):
            await link.close()
        assert yours(await three.member.answer(second))


@trial
async def test_a_stream_that_is_left_open_is_let_go() -> None:
    async with team(2) as (one, two):
        stream = await two.network.open_stream(one.member.id, exchange.PROTOCOL)
        await stream.write(b"\x00\x00")
        with trio.fail_after(2 * exchange.STEP):
            with suppress(PeerError):  # reset
                assert await stream.read(1) == b""
