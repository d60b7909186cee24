"""What one machine knows, the others know, and only who may know it."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from typing import Any

import pytest

from gh_p2pcache.engine.peers import EVERYTHING, Found
from gh_p2pcache.records.message import Request, Response, header
from gh_p2pcache.sim.faults import Fault
from gh_p2pcache.teams import changes
from support.circle import ISSUES, Circle, fetched, settled

PRIVATE = "/repos/acme/private/issues"


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


async def test_without_a_team_a_token_takes_part_from_its_first_call_on(circle: Circle) -> None:
    one = await circle.machine({})
    await one.ask(ISSUES)
    await one.stop()
    circle.links[0].known.clear()
    await one.start()
    assert (await one.ask(ISSUES)).source == "HIT"
    assert circle.links[0].known


async def test_a_write_elsewhere_is_seen_by_the_next_read(circle: Circle) -> None:
    one, two = await fetched(circle)
    await two.ask(ISSUES)
    one.time.advance(1)
    await one.ask("/repos/acme/widgets/issues", method="POST", body=b'{"title":"told to all"}')
    seen = await two.ask(ISSUES, headers=[("accept-encoding", "")])
    assert b"told to all" in seen.body


async def test_a_write_elsewhere_is_seen_in_what_is_private_to_a_token(circle: Circle) -> None:
    one, two = await circle.machine(), await circle.machine()
    timeline = "/repos/acme/widgets/issues/1/timeline"
    await two.ask(timeline)
    assert (await two.ask(timeline)).source == "HIT"
    one.time.advance(1)
    await one.ask(
        "/repos/acme/widgets/issues/1/comments", method="POST", body=b'{"body":"told to all"}'
    )
    assert (await two.ask(timeline)).source != "HIT"
    assert not circle.announced


async def test_after_a_restart_what_is_private_to_a_token_is_confirmed_until_members_have_told(
    circle: Circle,
) -> None:
    two = await circle.machine()
    timeline = "/repos/acme/widgets/issues/1/timeline"
    await two.ask(timeline)
    await two.ask("/user")
    await two.stop()
    two.time.advance(1)
    await two.start()
    assert (await two.ask(timeline)).source == "REVALIDATED"
    assert (await two.ask("/user")).source == "HIT"


async def test_a_write_is_told_in_every_team_that_names_the_repository(
    circle: Circle, tmp_path: Path
) -> None:
    changes.join_by_secret(tmp_path / "0/state", "inner", "p2pcache_inner", ["acme/*"], pytest.fail)
    in_both, in_one = await circle.machine(), await circle.machine()
    for reader, writer in ((in_both, in_one), (in_one, in_both)):
        in_one.time.advance(20)
        await reader.ask(ISSUES)
        assert (await reader.ask(ISSUES)).source == "HIT"
        in_one.time.advance(1)
        title = b"by one of both" if writer is in_both else b"by one of one"
        body = b'{"title":"%s"}' % title
        await writer.ask("/repos/acme/widgets/issues", method="POST", body=body)
        seen = await reader.ask(ISSUES, headers=[("accept-encoding", "")])
        assert title in seen.body


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
    assert two.house is not None
    keys, now = two.house.desk.teams.all[0].keys, int(two.time.wall())
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
