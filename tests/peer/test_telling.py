"""Gossip and anti-entropy over real libp2p connections."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trio

from gh_p2pcache.peer.anti_entropy import AntiEntropy
from gh_p2pcache.peer.clock import GitHubTime
from gh_p2pcache.peer.gossip import Gossip
from gh_p2pcache.peer.index import Index
from gh_p2pcache.peer.knowledge import Knowledge
from gh_p2pcache.peer.messages import Bury, Proof, SignedValidation, Tombstone
from support.network import RED, Network, address, ids, running, topic_of, trial, until
from support.peers import tag, validation

MARK = b"m" * 16


class Mouth:
    """All of a member that speaks and hears, without a gateway."""

    def __init__(self, network: Network) -> None:
        self.network = network
        clock = GitHubTime(time.time)
        self.index = Index(clock)
        self.knowledge = Knowledge(
            network.own_id, [RED.id], index=self.index, clock=clock, listener=self
        )
        self.gossip = Gossip(network, network.book, self.knowledge, [RED])
        self.anti_entropy = AntiEntropy(network, network.book, self.knowledge)
        self.marks: set[bytes] = set()

    def buried(self, _scope: bytes, tombstones: Sequence[Tombstone]) -> None:
        self.marks |= {row.mark for row in tombstones}

    def undecided(self, _scope: bytes, marks: Sequence[bytes]) -> None:
        self.marks |= set(marks)

    def proved(self, _scope: bytes, _items: Sequence[Proof]) -> None: ...

    def announced(self, _holder: str, _validation: SignedValidation) -> None: ...

    def holders(self, number: int) -> set[str]:
        return {holder.peer for holder in self.index.holders(RED.id, tag(number))}


@asynccontextmanager
async def mouth(*bootstrap: Mouth, **options: Any) -> AsyncIterator[Mouth]:
    mouths: list[Mouth] = []
    addresses = tuple(address(other.network) for other in bootstrap)
    async with (
        running(
            bootstrap=addresses, prepare=lambda network: mouths.append(Mouth(network)), **options
        ),
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(mouths[0].gossip.run)
        nursery.start_soon(mouths[0].anti_entropy.run)
        yield mouths[0]
        nursery.cancel_scope.cancel()


def record(number: int) -> SignedValidation:
    return validation(number, int(time.time()), scope=RED.id)


@trial
async def test_members_hear_of_records_and_writes() -> None:
    async with mouth() as a, mouth(a) as b, mouth(a) as c:
        await until(lambda: len(ids(b.network)) == 2 and len(ids(c.network)) == 2)
        for number in range(30):
            b.gossip.tell(record(number))
        b.gossip.tell(Bury(RED.id, (MARK,), int(time.time())))
        for other in (a, c):
            await until(lambda other=other: MARK in other.marks)
            await until(
                lambda other=other: all(
                    other.holders(number) == {b.network.own_id} for number in range(30)
                )
            )
        assert not any(entry.score for entry in a.network.book.entries())


@trial
async def test_who_comes_later_learns_what_was_said_before() -> None:
    async with mouth() as a, mouth(a) as b:
        await until(lambda: ids(a.network) and ids(b.network))
        for number in range(2000):
            b.gossip.tell(record(number))
        b.gossip.tell(Bury(RED.id, (MARK,), int(time.time())))
        b.gossip.tell(Bury(RED.id, (b"undecided write!",), 0))
        async with mouth(a) as c:
            await until(lambda: ids(c.network))
            await c.anti_entropy.caught_up(RED.id)
            assert c.marks == {MARK, b"undecided write!"}
            await until(lambda: len(c.index) == 2000)


@trial
async def test_a_member_that_gossips_rubbish_is_dropped() -> None:
    async with mouth() as a, mouth(a) as b:
        await until(lambda: ids(a.network) and ids(b.network))
        for number in range(20):
            await b.network.publish(topic_of(RED), b"rubbish %d" % number)
        await until(lambda: a.network.book.is_banned(b.network.own_id))
        await until(lambda: not ids(a.network))
