"""Machines that gossip and sync over memory pipes, and what each of them has heard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import trio
from trio.testing import MockClock

from gh_p2pcache.peer.anti_entropy import AntiEntropy
from gh_p2pcache.peer.clock import GitHubTime
from gh_p2pcache.peer.gossip import Gossip
from gh_p2pcache.peer.index import Index
from gh_p2pcache.peer.knowledge import Knowledge
from gh_p2pcache.peer.messages import Proof, ScopeGrant, SignedValidation, Tombstone
from gh_p2pcache.records.sign import Signer
from support.peers import NOW, SCOPE
from support.wires import Machine, Net

GRANT = ScopeGrant(SCOPE, b"m" * 32, b"t" * 32, "acme")


@dataclass
class Talker(Machine):
    """A machine whose gossip reaches all that it can reach over others, unless `deaf`."""

    deaf: bool = False
    published: list[bytes] = field(default_factory=list)
    readers: dict[str, Callable[[str, bytes], None]] = field(default_factory=dict)
    met: list[Callable[[str], Awaitable[None]]] = field(default_factory=list)
    changed: list[Callable[[], None]] = field(default_factory=list)
    heard: list[tuple[object, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        clock = GitHubTime(lambda: NOW + trio.current_time() % 10_000)
        self.index = Index(clock)
        self.knowledge = Knowledge(
            self.own_id, self.net.scopes, index=self.index, clock=clock, listener=self
        )
        self.gossip = Gossip(self, self, self.knowledge, [GRANT])
        self.slept = 0.0
        self.anti_entropy = AntiEntropy(
            self, self, self.knowledge, wall=lambda: trio.current_time() + self.slept
        )

    # ---- Wire

    async def publish(self, topic: str, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        self.published.append(data)
        for peer in self.reachable():
            other = self.net.machines[peer]
            if not other.deaf:
                other.readers[topic](self.own_id, data)

    def reachable(self) -> set[str]:
        found, new = set(), {self.own_id}
        while new:
            found |= new
            new = {peer for one in new for peer in self.net.machines[one].connected} - found
        return found - {self.own_id}

    def subscribe(self, topic: str, on_message: Callable[[str, bytes], None]) -> None:
        self.readers[topic] = on_message

    def on_met(self, callback: Callable[[str], Awaitable[None]]) -> None:
        self.met.append(callback)

    def on_change(self, callback: Callable[[], None]) -> None:
        self.changed.append(callback)

    # ---- Listener

    def buried(self, scope: bytes, tombstones: Sequence[Tombstone]) -> None:
        assert scope == SCOPE
        self.heard += [("buried", *row) for row in tombstones]

    def undecided(self, scope: bytes, marks: Sequence[bytes]) -> None:
        assert scope == SCOPE
        self.heard += [("buried", mark, 0) for mark in marks]

    def proved(self, scope: bytes, items: Sequence[Proof]) -> None:
        assert scope == SCOPE
        self.heard += [("proved", item) for item in items]

    def announced(self, holder: str, validation: SignedValidation) -> None:
        self.heard.append(("announced", holder, validation))

    def holders(self, tag: str) -> list[str]:
        return [holder.peer for holder in self.index.holders(SCOPE, tag)]


class Talk:
    """Talkers on one net."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery
        self.net = Net(nursery, [SCOPE])

    def talker(self) -> Talker:
        seed = (len(self.net.machines) + 1).to_bytes(32, "big")
        talker = Talker(self.net, Signer(seed))
        self.net.machines[talker.own_id] = talker
        self.nursery.start_soon(talker.gossip.run)
        self.nursery.start_soon(talker.anti_entropy.run)
        return talker

    def talkers(self, count: int) -> list[Talker]:
        """Return talkers that have met each other."""
        made = [self.talker() for _ in range(count)]
        for number, one in enumerate(made):
            for other in made[:number]:
                self.meet(one, other)
        return made

    def meet(self, one: Talker, other: Talker) -> None:
        """Connect two, and let both know."""
        self.net.connect(one, other)
        for here, there in ((one, other), (other, one)):
            for changed in here.changed:
                changed()
            for met in here.met:
                self.nursery.start_soon(met, there.own_id)

    def part(self, one: Talker, other: Talker) -> None:
        """Disconnect two."""
        for here, there in ((one, other), (other, one)):
            here.connected.discard(there.own_id)
            for changed in here.changed:
                changed()


def talking(main: Callable[[Talk], Awaitable[None]]) -> None:
    """Run `main` on a clock that jumps when all wait."""

    async def run() -> None:
        async with trio.open_nursery() as nursery:
            await main(Talk(nursery))
            nursery.cancel_scope.cancel()

    trio.run(run, clock=MockClock(autojump_threshold=0))
