"""One machine of a team for tests: everything that finds and serves, over memory pipes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import trio
from trio.testing import MockClock

from gh_p2pcache.peer.desk import Desk, News
from gh_p2pcache.peer.exchange import Exchange
from gh_p2pcache.peer.fills import Fills
from gh_p2pcache.peer.finder import Finder
from gh_p2pcache.peer.index import Index
from gh_p2pcache.peer.messages import Find, Keep, Message, Nobody, Release, SignedValidation
from gh_p2pcache.peer.owner import Owner, rank
from gh_p2pcache.records.cid import digest
from gh_p2pcache.records.record import Validation
from gh_p2pcache.records.sign import sign_validation
from gh_p2pcache.store.shared import Shared
from support.wires import Machine, Net

SCOPE = b"scope-id"
TAG = "5" * 32
DATE = 1_700_000_000
MAX_BLOB = 1 << 20
DEADLINE = 0.15


def in_a_team(main: Callable[[Team], Awaitable[None]], *, autojump: bool = True) -> None:
    """Run `main(team)` on a clock that stands while anybody works, and jumps when all wait."""

    async def run() -> None:
        async with trio.open_nursery() as nursery:
            await main(Team(nursery))
            nursery.cancel_scope.cancel()

    clock = MockClock(autojump_threshold=0) if autojump else None
    trio.run(run, clock=clock)


class Team:
    """Members and the net between them."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery
        self.net = Net(nursery, [SCOPE])

    def member(self, **options: Any) -> TeamMember:
        """Return a new member, connected to nobody."""
        return TeamMember(self, self.net.machine(**options))

    def members(self, count: int) -> list[TeamMember]:
        """Return members that are all connected, the owner of TAG first."""
        made = [self.member() for _ in range(count)]
        self.net.connect(*(member.machine for member in made))
        by_id = {member.id: member for member in made}
        return [by_id[peer] for peer in rank(SCOPE, TAG, by_id)]


@dataclass
class TeamMember:
    """A machine, and what its peer process is made of."""

    team: Team
    machine: Machine
    files: dict[str, Shared] = field(default_factory=dict)
    kept: list[Keep] = field(default_factory=list)
    said: list[Message] = field(default_factory=list)
    """What its gateway heard."""
    told: list[News] = field(default_factory=list)
    """What was gossiped."""
    managed: list[Message] = field(default_factory=list)
    synced: trio.Event = field(default_factory=trio.Event)
    spoken: trio.lowlevel.ParkingLot = field(default_factory=trio.lowlevel.ParkingLot)
    number: int = 0

    def __post_init__(self) -> None:
        machine, nursery = self.machine, self.team.nursery
        self.index = Index(lambda: float(DATE + 3600))
        self.exchange = Exchange(
            nursery=nursery,
            wire=machine,
            book=machine,
            index=self.index,
            read=self.read,
            keep=self.kept.append,
            accepting=lambda: machine.accepting,
            may_serve=lambda _: self.synced.is_set(),
            max_blob=MAX_BLOB,
            now=lambda: float(DATE),
        )
        self.owner = Owner(
            machine,
            machine,
            self.index,
            accepting=lambda: machine.accepting,
            note=self.index.announced,
            fresh=self.exchange.fresh,
        )
        self.fills = Fills(nursery)
        self.finder = Finder(
            wire=machine,
            book=machine,
            index=self.index,
            owner=self.owner,
            exchange=self.exchange,
            fills=self.fills,
            synced=lambda _: self.synced.wait(),
        )
        self.desk = Desk(
            nursery=nursery,
            own_id=machine.own_id,
            send=self.say,
            finder=self.finder,
            owner=self.owner,
            fills=self.fills,
            tell=self.told.append,
            manage=self.manage,
        )
        self.synced.set()
        nursery.start_soon(self.owner.run)

    @property
    def id(self) -> str:
        return self.machine.own_id

    async def read(self, scope: bytes, tag: str) -> Shared | None:
        await trio.lowlevel.checkpoint()
        return self.files.get(tag) if scope == SCOPE else None

    async def manage(self, message: Message) -> None:
        self.managed.append(message)

    def store(self, blob: bytes = b"a sealed blob", date: int = DATE) -> SignedValidation:
        """Put a blob for TAG into the store, signed, and return its announcement."""
        unsigned = Validation(digest(blob), date, float(date), 60.0)
        v = sign_validation(self.machine.signer, SCOPE, TAG, unsigned)
        self.files[TAG] = Shared(v, blob)
        return SignedValidation(SCOPE, TAG, v.digest, date, v.ttl, len(blob), v.signer, v.signature)

    def heard(self, announced: SignedValidation, holder: TeamMember) -> None:
        """Know by gossip what a holder announced."""
        self.index.announced(announced, holder.id, holder.id)

    async def ask(self, **changes: Any) -> int:
        """Let the gateway ask for TAG; return the number of its question."""
        self.number += 1
        fields: dict[str, Any] = {"have": b"", "after": 0, "deadline": DEADLINE}
        await self.desk.take(Find(self.number, SCOPE, TAG, **{**fields, **changes}))
        return self.number

    def answers(self, n: int) -> list[Message]:
        """Return what was answered to a question, without the calls to wait on."""
        return [m for m in self.said if getattr(m, "n", None) == n and m.kind != "waiting"]

    async def find(self, **changes: Any) -> Message:
        """Ask and return the answer."""
        n = await self.ask(**changes)
        return await self.answer(n)

    async def answer(self, n: int) -> Message:
        """Wait for the answer to a question."""
        while not self.answers(n):
            await self.spoken.park()
        (answer,) = self.answers(n)
        return answer

    def say(self, message: Message) -> None:
        self.said.append(message)
        self.spoken.unpark_all()

    async def announce(self, announced: SignedValidation) -> None:
        """Let the gateway announce what it has stored."""
        await self.desk.take(announced)

    async def release(self) -> None:
        """Let the gateway give its fill up."""
        await self.desk.take(Release(SCOPE, TAG))

    def waiting(self, n: int) -> int:
        """Return how often the gateway was told to wait on."""
        return sum(m.kind == "waiting" and getattr(m, "n", None) == n for m in self.said)


def yours(answer: Message) -> bool:
    """Tell whether an answer says to fetch it oneself; fails for a found record."""
    assert isinstance(answer, Nobody), answer
    return answer.yours
