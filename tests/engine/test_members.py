"""What one machine knows, the others know: and that no member can make anything worse."""

from __future__ import annotations

import asyncio
import errno
import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gh_p2pcache.engine.peers import EVERYTHING, Found, Offer
from gh_p2pcache.engine.trust import Trust
from gh_p2pcache.records.cid import digest
from gh_p2pcache.records.message import Request, Response, header
from gh_p2pcache.records.record import Record, pack, unpack
from gh_p2pcache.records.seal import ScopeKeys
from gh_p2pcache.records.sign import Signer, sign_record, sign_validation
from gh_p2pcache.sim.faults import Fault
from gh_p2pcache.store.shared import read_shared
from support.circle import Circle, Link
from support.engine import Bench

ISSUES = "/repos/acme/widgets/issues?per_page=5"
PRIVATE = "/repos/acme/private/issues"
SOMEONE = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"


@pytest.fixture
def circle(tmp_path: Path) -> Circle:
    return Circle(tmp_path)


async def test_who_wants_it_younger_is_not_given_what_another_took_from_a_member(
    circle: Circle,
) -> None:
    one, two = await circle.machine(), await circle.machine()
    await one.ask(ISSUES)
    await settled()
    one.time.advance(200)

    given, younger = await asyncio.gather(
        two.ask(ISSUES), two.ask(ISSUES, headers=[("x-p2pcache-ttl", "5")])
    )

    assert (given.source, given.age) == ("PEER", 200)
    assert (younger.source, younger.age) == ("REVALIDATED", 0)


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


async def test_the_same_token_elsewhere_is_answered_without_github(circle: Circle) -> None:
    one, two = await fetched(circle)
    given = await two.ask(ISSUES)
    assert given.source == "PEER"
    assert given.detail == circle.links[0].name
    assert given.body == (await one.ask(ISSUES)).body
    assert not two.origin.sent
    assert (await two.ask(ISSUES)).source == "HIT"


async def test_what_a_member_gave_survives_a_restart(circle: Circle) -> None:
    _, two = await fetched(circle)
    await two.ask(ISSUES)
    await two.ask("/repos/acme/widgets/issues/1")  # its own proof: learned ones are in memory only
    await two.stop()
    await two.start()
    assert (await two.ask(ISSUES)).source == "HIT"


async def test_another_token_proves_its_access_once_with_a_free_304(circle: Circle) -> None:
    _, two = await fetched(circle)
    assert (await two.ask(ISSUES, token="bob")).source == "REVALIDATED"
    one = circle.links[0].bench
    assert one is not None
    other = "/repos/acme/widgets/issues/1"
    await one.ask(other, token="alice")
    await settled()
    assert (await two.ask(other, token="bob")).source in {"PEER", "REVALIDATED"}


async def test_a_token_without_access_gets_githubs_404(circle: Circle) -> None:
    _, two = await fetched(circle, PRIVATE)
    refused = await two.ask(PRIVATE, token="mallory")
    assert refused.status == 404


async def test_a_new_jobs_token_proves_itself_by_the_304_of_what_it_asked_for(
    circle: Circle,
) -> None:
    _, two = await fetched(circle)
    assert (await two.ask(ISSUES, token="bob")).source == "REVALIDATED"
    assert len(two.origin.sent) == 1
    assert (await two.ask("/repos/acme/widgets/issues?per_page=5", token="bob")).source == "HIT"


async def test_contents_open_no_issue(circle: Circle) -> None:
    """carol may read issues of acme/private, not its contents."""
    _, two = await fetched(circle, "/repos/acme/private/commits")
    assert (await two.ask(PRIVATE, token="carol")).status == 200
    assert (await two.ask("/repos/acme/private/commits", token="carol")).status in {403, 404}


async def test_profile_exact_asks_github_whether_a_members_body_is_current(circle: Circle) -> None:
    _, two = await fetched(circle)
    assert (await two.ask(ISSUES, profile="exact")).source == "REVALIDATED"
    assert header(two.origin.sent[-1].headers, b"if-none-match") is not None


async def test_an_expired_record_lives_on_by_anothers_304(circle: Circle) -> None:
    one, two = await fetched(circle)
    await two.ask(ISSUES)
    one.time.advance(301)
    assert (await one.ask(ISSUES)).source == "REVALIDATED"
    await settled()
    given = await two.ask(ISSUES)
    assert given.source == "PEER"
    assert not two.origin.sent
    assert given.age == 0


async def test_a_members_answer_ages_by_githubs_date(circle: Circle) -> None:
    one, two = await fetched(circle)
    one.time.advance(200)
    given = await two.ask(ISSUES)
    assert (given.source, given.age) == ("PEER", 200)
    one.time.advance(101)
    assert (await two.ask(ISSUES)).source == "REVALIDATED"


async def test_what_a_member_gives_late_takes_no_newer_answers_place(circle: Circle) -> None:
    """Promise 2: GitHub was asked meanwhile."""
    _, two = await fetched(circle)
    find, gave, late = circle.links[1].find, asyncio.Event(), asyncio.Event()

    async def slow(*args: Any, **more: Any) -> Found:
        found = await find(*args, **more)
        gave.set()
        await late.wait()
        return found

    circle.links[1].find = slow  # type: ignore[method-assign]
    asking = asyncio.create_task(two.ask(ISSUES))
    await gave.wait()
    two.time.advance(5)
    newest = await two.ask(ISSUES, headers=[("x-p2pcache-mode", "refresh")])
    late.set()
    await asking
    again = await two.ask(ISSUES)
    assert again.source == "HIT"
    assert header(again.headers, b"date") == header(newest.headers, b"date")


async def test_a_304_outlives_what_a_member_gave_while_it_was_on_its_way(circle: Circle) -> None:
    """Promise 2: GitHub's word is the newer one, and stays so over a crash."""
    one, two = await fetched(circle)
    link, sent, back = circle.links[1], asyncio.Event(), asyncio.Event()
    link.up = False
    assert (await two.ask(ISSUES)).source == "MISS"
    one.time.advance(301)
    await one.ask(ISSUES)
    await settled()
    one.time.advance(2)
    ask_github = two.sim.handle

    async def slow(request: Request) -> Response:
        response = await ask_github(request)
        if not sent.is_set():
            sent.set()
            await back.wait()
        return response

    two.sim.handle = slow  # type: ignore[method-assign]
    confirming = asyncio.create_task(two.ask(ISSUES, profile="exact"))
    await sent.wait()
    link.up = True
    assert (await two.ask(ISSUES)).source == "PEER"
    back.set()
    confirmed = await confirming
    assert confirmed.source == "REVALIDATED"
    assert header((await two.ask(ISSUES)).headers, b"date") == header(confirmed.headers, b"date")
    two.abandon()
    await two.start()
    assert header((await two.ask(ISSUES)).headers, b"date") == header(confirmed.headers, b"date")


async def test_private_answers_are_not_even_asked_of_members(circle: Circle) -> None:
    one, two = await circle.machine(), await circle.machine()
    query = b'{"query":"query{viewer{login}}"}'
    for machine in (one, two):
        await machine.ask("/user")
        await machine.ask("/notifications")
        await machine.ask("/repos/acme/widgets/releases")
        await machine.ask("/repos/acme/widgets/issues/1/timeline")
        await machine.ask("/graphql", method="POST", body=query)
        await settled()
    assert not circle.announced
    assert not circle.links[1].asked


async def test_a_repository_of_no_pattern_never_leaves(circle: Circle) -> None:
    only = {"CACHE_P2P_SHARED_SECRET": "p2pcache_tests", "CACHE_SHARE": "other/*"}
    one, two = await circle.machine(only), await circle.machine(only)
    await one.ask(ISSUES)
    await one.ask("/repos/acme/widgets/issues", method="POST", body=b'{"title":"x"}')
    await settled()
    assert (await two.ask(ISSUES)).source == "MISS"
    assert not circle.announced
    repo = "repo:github.com/acme/widgets"
    keys = one.house.desk.teams.all[0].keys
    assert not set(circle.said) & set(one.house.desk.tombstones.shared_marks(keys, [repo]))


async def test_teams_stay_apart(circle: Circle) -> None:
    one = await circle.machine()
    two = await circle.machine({"CACHE_P2P_SHARED_SECRET": "p2pcache_others"})
    await one.ask(ISSUES)
    await settled()
    assert (await two.ask(ISSUES)).source == "MISS"


async def test_without_a_team_the_same_token_shares_and_no_other(circle: Circle) -> None:
    one, two = await circle.machine({}), await circle.machine({})
    await two.ask("/user", token="alice")
    await two.ask("/repos/acme/widgets/labels", token="alice")
    await one.ask(ISSUES)
    await settled()
    assert (await two.ask(ISSUES, token="bob")).source == "MISS"
    assert (await two.ask(ISSUES, token="alice")).source == "PEER"


async def test_a_write_elsewhere_is_seen_by_the_next_read(circle: Circle) -> None:
    one, two = await fetched(circle)
    await two.ask(ISSUES)
    one.time.advance(1)
    await one.ask("/repos/acme/widgets/issues", method="POST", body=b'{"title":"told to all"}')
    seen = await two.ask(ISSUES, headers=[("accept-encoding", "")])
    assert b"told to all" in seen.body


async def test_what_a_write_buried_is_taken_from_no_member(circle: Circle) -> None:
    one, two = await fetched(circle)
    one.time.advance(1)
    circle.links[0].up = False  # hears of nothing
    await two.ask("/repos/acme/widgets/issues", method="POST", body=b'{"title":"unheard"}')
    circle.links[0].up = True
    seen = await two.ask(ISSUES, headers=[("accept-encoding", "")])
    assert b"unheard" in seen.body


async def test_tombstones_that_became_too_many_bury_all_that_is_shared(circle: Circle) -> None:
    _, two = await fetched(circle)
    await two.ask(ISSUES)
    await two.ask("/user")
    keys, now = team_keys(two), int(two.time.wall())
    assert two.house is not None
    two.house.news.heard.bury(keys.id, [EVERYTHING], now)
    two.time.advance(30)
    assert (await two.ask(ISSUES)).source == "REVALIDATED"
    assert (await two.ask("/user")).source == "HIT"


async def test_a_member_bridges_an_outage(circle: Circle) -> None:
    one, two = await fetched(circle)
    one.time.advance(400)
    two.sim.faults.waiting.append(Fault("down"))
    given = await two.ask(ISSUES)
    assert given.source == "STALE"


async def test_a_key_that_github_refused_is_not_brought_back_by_a_member(circle: Circle) -> None:
    one, two = await fetched(circle, PRIVATE)
    one.time.advance(1)
    issue = "/repos/acme/private/issues/1"
    await one.ask(issue)
    await settled()
    two.sim.world.tokens["alice"].revoked = True
    assert (await two.ask("/repos/acme/private/issues?state=all")).status == 401
    two.sim.world.tokens["alice"].revoked = False
    assert (await two.ask(issue)).source != "PEER"  # no proof is left; GitHub is asked


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


async def test_a_record_that_the_disk_did_not_take_is_waited_for_by_nobody(
    circle: Circle, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await circle.machine()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("gh_p2pcache.store.files.os.replace", full)
    assert (await one.ask(ISSUES)).status == 200
    await settled()

    assert not circle.announced
    assert circle.links[0].released


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


async def test_a_refusal_outlives_a_restart_and_what_members_tell_of_before(circle: Circle) -> None:
    one, two = await circle.machine(), await circle.machine()
    told: list[Any] = []
    two.house.desk.proofs.learn = lambda *row: told.append(row)
    await one.ask(ISSUES)
    await settled()
    one.time.advance(20)
    one.sim.faults.waiting.append(Fault("status", status=404, match="issues/1"))
    assert (await one.ask("/repos/acme/widgets/issues/1")).status == 404
    assert (await one.ask(ISSUES, headers=[("x-p2pcache-mode", "offline")])).absent

    await one.stop()
    await one.start()
    one.house.desk.unheard.clear()
    one.house.news.heard.proofs(told)

    assert told
    assert (await one.ask(ISSUES, headers=[("x-p2pcache-mode", "offline")])).absent
