"""Members that lie, forge and make up: none can make an answer worse, and they are found."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace

import pytest

from gh_p2pcache.engine.peers import Offer
from gh_p2pcache.engine.trust import Trust
from gh_p2pcache.records.cid import digest
from gh_p2pcache.records.record import Record, pack, unpack
from gh_p2pcache.records.seal import ScopeKeys
from gh_p2pcache.records.sign import Signer, sign_record, sign_validation
from gh_p2pcache.store.shared import read_shared
from support.circle import ISSUES, Circle, Link, fetched, settled
from support.engine import Bench

SOMEONE = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"


def forged(signer: Signer, keys: ScopeKeys, change: Callable[[Record], Record]) -> Callable:  # type: ignore[type-arg]
    """Return what a member with the key and an identity of its own can make of a record."""

    def tamper(offer: Offer) -> Offer:
        record = change(unpack(keys.open(offer.blob)))
        tags = [tag for tag in record.tags if not tag.startswith("signer:")]
        tags.append(f"signer:{signer.public.hex()}")
        blob = keys.seal(pack(sign_record(signer, replace(record, tags=tuple(sorted(tags))))))
        tag = keys.tag(record.key)
        validation = replace(offer.validation, digest=digest(blob))
        return Offer(sign_validation(signer, keys.id, tag, validation), blob, offer.peer)

    return tamper


def lie(record: Record) -> Record:
    return replace(record, body=gzip.compress(b'[{"title":"forged"}]'))


def team_keys(bench: Bench) -> ScopeKeys:
    assert bench.house is not None
    return bench.house.desk.teams.all[0].keys


@pytest.mark.parametrize(
    "tamper",
    [
        lambda offer: replace(offer, blob=offer.blob[:-1] + bytes([offer.blob[-1] ^ 1])),
        lambda offer: replace(offer, validation=replace(offer.validation, ttl=1.0)),
        lambda offer: replace(
            offer,
            validation=replace(offer.validation, github_date=offer.validation.github_date + 9),
        ),
        lambda offer: replace(offer, validation=replace(offer.validation, signature=bytes(64))),
        lambda offer: replace(offer, blob=b""),
    ],
)
async def test_what_is_not_signed_as_it_is_given_is_refused(
    circle: Circle, tamper: Callable[[Offer], Offer]
) -> None:
    _, two = await fetched(circle)
    circle.links[0].tampers = tamper
    assert (await two.ask(ISSUES)).source == "MISS"
    assert two.house is not None
    assert two.house.stats.totals["peer_rejected"] == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda r: replace(r, key=b"another"),
        lambda r: replace(r, scope=b"another-"),
        lambda r: replace(r, tags=()),
        lambda r: replace(r, status=404),
        lambda r: replace(r, access="github.com/acme/other issues"),
        lambda r: replace(r, access=None),
        lambda r: replace(r, headers=(*r.headers, (b"set-cookie", b"a=b"))),
        lambda r: replace(r, github_date=r.github_date + 1000),
    ],
)
async def test_a_record_that_we_would_not_have_kept_so_is_refused(
    circle: Circle, change: Callable[[Record], Record]
) -> None:
    _, two = await fetched(circle)
    circle.links[0].tampers = forged(Signer(bytes(32)), team_keys(two), change)
    assert (await two.ask(ISSUES)).source == "MISS"


async def test_a_forger_is_found_by_a_sample_banned_and_its_records_dropped(
    circle: Circle,
) -> None:
    forger = Signer(bytes(32))
    one, two = await fetched(circle)
    circle.links[0].tampers = forged(forger, team_keys(two), lie)
    assert two.house is not None
    two.house.members.trust._chance = lambda: 0.0
    assert (await two.ask(ISSUES)).source == "PEER"  # the sample is taken behind the answer
    for number in range(1, 5):
        await settled()
        other = f"/repos/acme/widgets/issues/{number}"
        await one.ask(other)
        await settled()
        await two.ask(other)
        for _ in range(30):
            await settled()
    link: Link = circle.links[1]
    assert forger.public in link.banned
    seen = await two.ask(ISSUES, headers=[("accept-encoding", "")])
    assert b"forged" not in seen.body
    assert not Trust(two.house.settings.state_dir / "banned.json", own=b"").may_publish(
        forger.public, frozenset(), frozenset()
    )


async def test_nobody_is_blamed_for_what_differs_from_token_to_token(circle: Circle) -> None:
    """The repository object shows the caller's own permissions."""
    repository = "/repos/acme/private"
    one, two = await fetched(circle, repository, token="alice")
    assert one.house is not None
    assert (await two.ask(repository, token="carol")).status == 200
    assert not circle.links[1].banned
    assert two.house is not None
    assert not two.house.members.trust.suspect(one.house.members.trust.own)


async def test_nobody_is_blamed_for_what_has_changed_since(circle: Circle) -> None:
    one, two = await fetched(circle)
    assert one.house is not None
    assert two.house is not None
    one.time.advance(20)
    circle.links[0].up = circle.links[1].up = False  # the tombstone is lost
    await one.ask("/repos/acme/widgets/issues", method="POST", body=b'{"title":"changed"}')
    circle.links[0].up = circle.links[1].up = True
    one.time.advance(20)
    two.house.members.trust._chance = lambda: 0.0
    await two.ask(ISSUES)
    for _ in range(30):
        await settled()
    assert not two.house.members.trust.suspect(one.house.members.trust.own)


async def test_a_ban_can_be_lifted(circle: Circle) -> None:
    one, two = await fetched(circle)
    assert one.house is not None
    assert two.house is not None
    signer, trust = one.house.members.trust.own, two.house.members.trust
    trust.ban(signer, "was in a bad mood")
    assert (await two.ask(ISSUES)).source == "MISS"
    assert trust.lift(signer)
    other = "/repos/acme/widgets/issues/2"
    await one.ask(other)
    await settled()
    assert (await two.ask(other)).source == "PEER"


async def test_a_suspect_is_not_believed_before_github_was_asked(circle: Circle) -> None:
    forger = Signer(bytes(32))
    one, two = await fetched(circle)
    circle.links[0].tampers = forged(forger, team_keys(two), lie)
    assert two.house is not None
    two.house.members.trust.differed(forger.public, proven=False)
    seen = await two.ask(ISSUES, headers=[("accept-encoding", "")])
    assert b"forged" not in seen.body
    assert one.house is not None


async def test_only_who_is_trusted_may_publish(circle: Circle) -> None:
    secret = {"CACHE_P2P_SHARED_SECRET": "p2pcache_tests"}
    one = await circle.machine()
    both = f"{SOMEONE},{circle.links[0].name}"
    two = await circle.machine(secret | {"CACHE_TRUSTED_PEERS": both})
    three = await circle.machine(secret | {"CACHE_TRUSTED_PEERS": SOMEONE})
    await one.ask(ISSUES)
    await settled()
    assert (await two.ask(ISSUES)).source == "PEER"
    assert (await three.ask(ISSUES)).source == "MISS"


async def test_a_record_of_the_future_is_kept_for_nobody(circle: Circle) -> None:
    one, two = await circle.machine(), await circle.machine()
    await one.ask(ISSUES)
    await settled()
    said = circle.announced[-1]
    found = read_shared(one.house.settings.cache_dir / "records", said.scope, said.tag)
    assert found is not None
    forged = replace(found.validation, github_date=2**40, validated_at=0.0)
    signed = sign_validation(Signer(b"e" * 32), said.scope, said.tag, forged)

    two.house.news.heard.keep(said.scope, said.tag, Offer(signed, found.blob, SOMEONE))
    writer = two.house.desk.shelf._writer  # to wait for what it has to write
    await writer.do(lambda: None, size=1 << 20, wait=True)

    assert (await two.ask(ISSUES)).source == "PEER"


async def test_a_ban_reaches_what_the_banned_only_vouched_for(circle: Circle) -> None:
    one, two = await circle.machine(), await circle.machine()
    await one.ask(ISSUES)
    await settled()
    said, forger = circle.announced[-1], Signer(b"e" * 32)
    one.time.advance(250)
    now = int(two.house.desk.clock.github_now())

    def younger(offer: Offer) -> Offer:
        made = replace(offer.validation, github_date=now)
        return replace(offer, validation=sign_validation(forger, said.scope, said.tag, made))

    circle.links[0].tampers = younger
    given = await two.ask(ISSUES)
    assert (given.source, given.age) == ("PEER", 0)
    circle.links[0].up = False
    assert (await two.ask(ISSUES)).source == "HIT"

    two.house.members._distrust(forger.public, proven=True)

    assert (await two.ask(ISSUES)).source in {"MISS", "REVALIDATED"}
