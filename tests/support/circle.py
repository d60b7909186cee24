"""Machines in one process whose members' traffic is handed over by hand: no network, no delay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gh_p2pcache.engine.peers import Found, Offer, Peers
from gh_p2pcache.records.record import Validation
from gh_p2pcache.records.sign import peer_id
from gh_p2pcache.store.shared import read_shared
from support.engine import Bench

ISSUES = "/repos/acme/widgets/issues?per_page=5"
SECRET = {"CACHE_P2P_SHARED_SECRET": "p2pcache_tests"}


@dataclass
class Announced:
    scope: bytes
    tag: str
    validation: Validation
    by: Link


class Link:
    """One machine's port to the others; `tampers` changes what it hands over."""

    wanted = True

    def __init__(self, circle: Circle) -> None:
        self.circle = circle
        self.bench: Bench | None = None
        self.up = True
        self.known: set[bytes] = set()
        self.asked: list[str] = []
        self.banned: list[bytes] = []
        self.released: list[str] = []
        self.tampers: Callable[[Offer], Offer] = lambda offer: offer

    @property
    def members(self) -> int:
        return len(self._others(None)) if self.up else 0

    def _others(self, scope: bytes | None) -> list[Link]:
        links = self.circle.links
        return [
            link
            for link in links
            if link is not self and link.up and (scope is None or scope in link.known)
        ]

    async def find(self, scope: bytes, tag: str, *, have: bytes, after: int) -> Found:
        self.asked.append(tag)
        known = None
        for said in reversed(self.circle.announced):
            found = said.by.bench and read_shared(
                said.by.bench.house.settings.cache_dir / "records", scope, tag
            )
            if said.by is self or (said.scope, said.tag) != (scope, tag):
                continue
            if not said.by.up:
                known = known or said.by.tampers(Offer(said.validation, b"", "")).validation
                continue
            if found and found.validation.github_date > after:
                blob = b"" if found.validation.digest == have else found.blob
                validation = replace(found.validation, validated_at=0.0)
                return Found(said.by.tampers(Offer(validation, blob, said.by.name)))
        return Found(yours=True, known=known)

    @property
    def name(self) -> str:
        assert self.bench is not None
        assert self.bench.house is not None
        return peer_id(self.bench.house.members.trust.own)

    def announce(self, scope: bytes, tag: str, validation: Validation, size: int) -> None:
        assert size > 0
        self.circle.announced.append(Announced(scope, tag, validation, self))

    def release(self, scope: bytes, tag: str) -> None:
        assert scope in self.known
        self.released.append(tag)

    def bury(self, scope: bytes, marks: Sequence[bytes], date: int) -> None:
        self.circle.said += list(marks)
        for link in self._others(scope) if self.up else []:
            link.bench.house.news.heard.bury(scope, marks, date)

    def proofs(self, scope: bytes, items: Sequence[tuple[bytes, bytes, int]]) -> None:
        for link in self._others(scope) if self.up else []:
            link.bench.house.news.heard.proofs(items)

    def ban(self, signer: bytes, why: str) -> None:
        assert why
        self.banned.append(signer)

    def know(self, scope: bytes, member_key: bytes, topic_key: bytes, name: str) -> None:
        del name
        assert len(member_key) == len(topic_key) == 32
        self.known.add(scope)


@dataclass
class Circle:
    """The machines, everything announced, and every mark that a tombstone named."""

    directory: Path
    links: list[Link] = field(default_factory=list)
    announced: list[Announced] = field(default_factory=list)
    said: list[bytes] = field(default_factory=list)

    async def machine(
        self,
        env: dict[str, str] | None = None,
        behind: Callable[[Link, Path], Peers] = lambda link, _: link,
    ) -> Bench:
        """Start one more machine; all see the same GitHub and the same time.

        `behind` makes its peers of its link and its directory.
        """
        link = Link(self)
        first = self.links[0].bench if self.links else None
        where = self.directory / str(len(self.links))
        made = Bench(where, SECRET if env is None else env, beside=first, peers=behind(link, where))
        link.bench = made
        self.links.append(link)
        await made.start()
        assert made.house is not None
        made.house.members.trust._chance = lambda: 1.0  # no samples, unless a test wants them
        return made


async def settled() -> None:
    """Let announcements, which follow an answer, go out."""
    for _ in range(5):
        await asyncio.sleep(0)


async def fetched(circle: Circle, target: str = ISSUES, **how: str) -> tuple[Bench, Bench]:
    """Return two machines of which the first has asked GitHub for `target`."""
    one, two = await circle.machine(), await circle.machine()
    assert (await one.ask(target, **how)).source == "MISS"
    await settled()
    return one, two
