"""The flow as a caller sees it, over the small GitHub: one test for each sentence of the design."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path

import pytest

from gh_p2pcache.records.message import header
from gh_p2pcache.sim.faults import Fault
from support.engine import Bench

QUERY = """query{repository(owner:"acme",name:"widgets"){id issues(first:5){nodes{id title}}}}"""
ISSUES = "/repos/acme/widgets/issues?per_page=5"


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    await made.start()
    return made


@pytest.fixture
async def shared(tmp_path: Path) -> Bench:
    made = Bench(tmp_path, {"CACHE_P2P_SHARED_SECRET": "p2pcache_tests"})
    await made.start()
    return made


async def test_a_second_call_is_a_hit_with_the_same_bytes(bench: Bench) -> None:
    first = await bench.ask("/user")
    second = await bench.ask("/user")
    assert (first.source, second.source) == ("MISS", "HIT")
    assert second.body == first.body
    assert len(bench.origin.sent) == 1


async def test_profile_exact_revalidates_each_read_free_of_charge(bench: Bench) -> None:
    await bench.ask("/user", profile="exact")
    second = await bench.ask("/user", profile="exact")
    assert second.source == "REVALIDATED"
    assert header(bench.origin.sent[-1].headers, b"if-none-match") is not None


async def test_an_immutable_object_is_not_asked_for_twice_even_in_exact(bench: Bench) -> None:
    branch = json.loads(
        (
            await bench.ask("/repos/acme/widgets/branches/main", headers=[("accept-encoding", "")])
        ).body
    )
    commit = f"/repos/acme/widgets/git/commits/{branch['commit']['sha']}"
    await bench.ask(commit, profile="exact")
    assert (await bench.ask(commit, profile="exact")).source == "HIT"


async def test_an_expired_answer_is_revalidated_with_its_etag(bench: Bench) -> None:
    await bench.ask("/user")
    bench.time.advance(301)
    assert (await bench.ask("/user")).source == "REVALIDATED"
    assert (await bench.ask("/user")).source == "HIT"


async def test_a_restart_keeps_what_was_kept(bench: Bench) -> None:
    first = await bench.ask("/user")
    await bench.stop()
    await bench.start()
    second = await bench.ask("/user")
    assert (second.source, second.body) == ("HIT", first.body)


async def test_tokens_share_nothing_without_a_secret(bench: Bench) -> None:
    await bench.ask(ISSUES, token="alice")
    assert (await bench.ask(ISSUES, token="bob")).source == "MISS"


async def test_a_second_token_proves_its_access_with_a_free_304(shared: Bench) -> None:
    await shared.ask("/repos/acme/widgets/labels", token="bob")  # calibrates bob's kind of token
    await shared.ask(ISSUES, token="alice")
    assert (await shared.ask(ISSUES, token="bob")).source == "REVALIDATED"
    assert (await shared.ask(ISSUES, token="bob")).source == "HIT"


async def test_a_token_without_access_gets_githubs_404(shared: Bench) -> None:
    private = "/repos/acme/private/issues"
    assert (await shared.ask(private, token="alice")).status == 200
    refused = await shared.ask(private, token="mallory")
    assert refused.status == 404
    assert b"Not Found" in gzip.decompress(refused.body)


async def test_a_class_is_proven_by_itself(shared: Bench) -> None:
    """carol may read issues of acme/private, not its contents."""
    await shared.ask("/repos/acme/private/issues", token="alice")
    await shared.ask("/repos/acme/private/commits", token="alice")
    assert (await shared.ask("/repos/acme/private/issues", token="carol")).status == 200
    assert (await shared.ask("/repos/acme/private/commits", token="carol")).status in {403, 404}


async def test_a_write_is_seen_by_the_next_read(bench: Bench) -> None:
    await bench.ask(ISSUES)
    made = await bench.ask(
        "/repos/acme/widgets/issues", method="POST", body=b'{"title":"fresh from the test"}'
    )
    assert made.status == 201
    after = await bench.ask(ISSUES, headers=[("accept-encoding", "")])
    assert b"fresh from the test" in after.body


async def test_a_write_buries_what_was_kept_before_it_for_good(bench: Bench) -> None:
    await bench.ask(ISSUES)
    await bench.ask("/search/issues?q=repo:acme/widgets")
    await bench.ask("/repos/acme/widgets/issues", method="POST", body=b'{"title":"later"}')
    bench.time.advance(30)  # past the replicas' lag, within every lifetime
    assert (await bench.ask(ISSUES)).source != "HIT"
    assert (await bench.ask("/search/issues?q=repo:acme/widgets")).source != "HIT"


async def test_a_burial_outlives_a_kill_in_the_middle_of_the_write(bench: Bench) -> None:
    await bench.ask(ISSUES)
    assert bench.house is not None
    bench.house.desk.tombstones.begin(["repo:github.com/acme/widgets"])
    bench.abandon()
    await bench.start()
    bench.time.advance(30)
    assert (await bench.ask(ISSUES)).source != "HIT"


async def test_a_write_that_the_gateway_of_before_ends_late_is_seen(
    bench: Bench, tmp_path: Path
) -> None:
    """A restart leaves an upload of minutes to the old process: its end is in the journal."""
    assert bench.house is not None
    before = bench.house.desk.tombstones
    write = before.begin(["repo:github.com/acme/widgets"])
    after = Bench(tmp_path, beside=bench)
    await after.start()
    assert after.house is not None
    await after.ask("/user")
    after.time.advance(90)
    await after.ask(ISSUES)
    assert (await after.ask(ISSUES)).source == "HIT", "it is not waited for longer than a minute"
    after.time.advance(30)
    assert after.house.desk.tombstones.catch_up(), "it may still end"

    before.end(write, int(bench.time.seconds))

    assert not after.house.desk.tombstones.catch_up()
    assert (await after.ask(ISSUES)).source != "HIT"
    await after.stop()


async def test_a_burst_is_one_upstream_call(bench: Bench) -> None:
    answers = await asyncio.gather(*(bench.ask("/user") for _ in range(200)))
    assert len(bench.origin.sent) == 1
    assert len({given.body for given in answers}) == 1


async def test_a_primary_limit_is_bridged_and_ends_by_itself(bench: Bench) -> None:
    await bench.ask(ISSUES)
    bench.time.advance(400)
    alice = bench.sim.world.tokens["alice"]
    bench.sim.limits.set(alice, "core", bench.sim.clock.now(), remaining=0, reset_in=3600)
    assert (await bench.ask(ISSUES)).source == "STALE"
    before = len(bench.origin.sent)
    assert (await bench.ask(ISSUES)).source == "STALE"
    assert len(bench.origin.sent) == before, "a spent budget is not asked again"
    bench.time.advance(3700)
    assert (await bench.ask(ISSUES)).source in {"REVALIDATED", "MISS"}


async def test_with_nothing_kept_the_limit_is_githubs_own_answer_again(bench: Bench) -> None:
    alice = bench.sim.world.tokens["alice"]
    bench.sim.limits.set(alice, "core", bench.sim.clock.now(), remaining=0, reset_in=3600)
    first = await bench.ask(ISSUES)
    second = await bench.ask(ISSUES)
    assert first.status == second.status
    assert first.body == second.body
    assert len(bench.origin.sent) == 1


async def test_an_outage_is_bridged_for_as_long_as_the_profile_allows(bench: Bench) -> None:
    await bench.ask(ISSUES)
    bench.sim.faults.waiting.append(Fault("down"))
    bench.time.advance(400)
    assert (await bench.ask(ISSUES, profile="exact")).source == "STALE"
    bench.time.advance(600)
    assert (await bench.ask(ISSUES, profile="exact")).status == 502
    assert (await bench.ask(ISSUES)).source == "STALE"
    bench.time.advance(24 * 3600)
    assert (await bench.ask(ISSUES)).status == 502
    bench.sim.faults.waiting.clear()
    assert (await bench.ask(ISSUES)).status == 200


async def test_status_is_never_served_older_than_a_minute(bench: Bench) -> None:
    await bench.ask("/repos/acme/widgets/actions/runs")
    bench.sim.faults.waiting.append(Fault("down"))
    bench.time.advance(50)
    assert (await bench.ask("/repos/acme/widgets/actions/runs")).source == "STALE"
    bench.time.advance(11)
    assert (await bench.ask("/repos/acme/widgets/actions/runs")).status == 502


async def test_a_revoked_token_gets_nothing_that_was_kept_for_it(bench: Bench) -> None:
    await bench.ask("/user")
    await bench.ask(ISSUES)
    bench.sim.world.tokens["alice"].revoked = True
    assert (await bench.ask("/repos/acme/widgets")).status == 401
    assert (await bench.ask("/user")).status == 401
    assert (await bench.ask(ISSUES)).status == 401


async def test_a_wrong_etag_formula_stops_prediction_and_never_answers_wrongly(
    shared: Bench,
) -> None:
    await shared.ask("/repos/acme/widgets/labels", token="bob")
    shared.sim.switches.etag_formula = "other"
    await shared.ask(ISSUES, token="alice")
    assert (await shared.ask(ISSUES, token="bob")).source == "MISS"
    assert not shared.house.desk.predictor.trusted() or (
        ("github.com", "ghp_") not in shared.house.desk.predictor.trusted()
    )


async def test_gh_that_keeps_answers_itself_never_gets_a_stale_one(bench: Bench) -> None:
    await bench.ask(ISSUES)
    bench.time.advance(400)
    alice = bench.sim.world.tokens["alice"]
    bench.sim.limits.set(alice, "core", bench.sim.clock.now(), remaining=0, reset_in=3600)
    pins = [("x-gh-cache-ttl", "24h0m0s")]
    assert (await bench.ask(ISSUES, headers=pins)).status in {403, 429}, "GitHub's own, fresh"
    assert (await bench.ask(ISSUES, headers=pins)).status == 503


async def test_offline_answers_from_the_cache_or_says_504(bench: Bench) -> None:
    offline = [("x-p2pcache-mode", "offline")]
    missing = await bench.ask("/user", headers=offline)
    assert (missing.status, missing.absent) == (504, True)
    await bench.ask("/user")
    assert (await bench.ask("/user", headers=offline)).source == "HIT"
    assert len(bench.origin.sent) == 1


async def test_refresh_asks_github_although_the_answer_is_fresh(bench: Bench) -> None:
    await bench.ask("/user")
    assert (
        await bench.ask("/user", headers=[("x-p2pcache-mode", "refresh")])
    ).source == "REVALIDATED"


async def test_nothing_of_ours_goes_upstream(bench: Bench) -> None:
    ours = [("x-p2pcache-ttl", "5"), ("x-p2pcache-call", "1"), ("x-gh-cache-ttl", "1h0m0s")]
    await bench.ask("/user", headers=ours)
    names = {name for name, _ in bench.origin.sent[0].headers}
    assert not {name for name in names if name.startswith((b"x-p2pcache", b"x-gh-cache"))}


async def test_a_clients_own_condition_gets_its_304(bench: Bench) -> None:
    first = await bench.ask("/user")
    etag = (header(first.headers, b"etag") or b"").decode()
    assert (await bench.ask("/user", headers=[("if-none-match", etag)])).status == 304
    assert (await bench.ask("/user", headers=[("if-none-match", '"other"')])).status == 200
    assert (await bench.ask("/user")).status == 200


async def test_head_is_answered_from_a_stored_get(bench: Bench) -> None:
    await bench.ask("/user")
    assert (await bench.ask("/user", method="HEAD")).source == "HIT"


async def test_a_client_without_gzip_gets_plain_bytes(bench: Bench) -> None:
    packed = await bench.ask(ISSUES)
    assert header(packed.headers, b"content-encoding") == b"gzip"
    plain = await bench.ask(ISSUES, headers=[("accept-encoding", "")])
    assert plain.source == "HIT"
    assert header(plain.headers, b"content-encoding") is None
    assert plain.body == gzip.decompress(packed.body)


async def test_a_mutation_is_seen_by_the_next_query_and_the_next_read(bench: Bench) -> None:
    query = json.dumps({"query": QUERY}).encode()
    asked = {"target": "/graphql", "method": "POST", "headers": [("accept-encoding", "")]}
    before = json.loads((await bench.ask(**asked, body=query)).body)
    assert (await bench.ask(**asked, body=query)).source == "HIT"
    await bench.ask(ISSUES)
    mutation = {
        "query": "mutation($i:CreateIssueInput!){createIssue(input:$i){issue{id}}}",
        "variables": {
            "i": {"repositoryId": before["data"]["repository"]["id"], "title": "by mutation"}
        },
    }
    assert (await bench.ask(**asked, body=json.dumps(mutation).encode())).status == 200
    after = await bench.ask(**asked, body=query)
    assert b"by mutation" in after.body
    listed = await bench.ask(ISSUES, headers=[("accept-encoding", "")])
    assert b"by mutation" in listed.body


async def test_a_write_that_nobody_answered_buries_whatever_our_clock_says(bench: Bench) -> None:
    """Set back by a day, and no answer of GitHub's since the start to tell its time by."""
    await bench.ask(ISSUES)
    await bench.stop()
    bench.time.jump(-86_400)
    bench.sim.faults.waiting.append(Fault("down"))
    await bench.start()
    write = await bench.ask("/repos/acme/widgets/issues", method="POST", body=b'{"title":"?"}')
    assert write.status == 502
    bench.time.advance(61)
    assert (await bench.ask(ISSUES)).status == 502
    bench.sim.faults.waiting.clear()
    assert (await bench.ask(ISSUES)).status == 200
    for _ in range(3):
        bench.time.advance(11)
        await bench.ask(ISSUES)
    assert (await bench.ask(ISSUES)).source == "HIT", "and it ends by itself"


async def test_a_clock_set_back_makes_no_old_record_young(bench: Bench) -> None:
    await bench.ask("/user")
    await bench.stop()
    bench.time.advance(90_000)
    bench.time.jump(-89_990)
    bench.sim.faults.waiting.append(Fault("down"))
    await bench.start()
    assert (await bench.ask("/user")).source in {"HIT", "STALE"}, "nothing tells: ten seconds old"
    bench.time.jump(-80_000)
    await bench.stop()
    await bench.start()
    assert (await bench.ask("/user")).status == 502, "a clock before GitHub's own date is wrong"


async def test_a_repository_object_is_proven_by_its_own_bytes(shared: Bench) -> None:
    """It shows the caller's permissions: bob's own may not be alice's."""
    await shared.ask("/repos/acme/widgets/commits", token="bob")
    first = await shared.ask("/repos/acme/widgets", token="alice")
    assert (await shared.ask("/repos/acme/widgets", token="alice")).source == "HIT"
    second = await shared.ask("/repos/acme/widgets", token="bob")
    assert second.source in {"MISS", "REVALIDATED"}, "asked, whatever else bob has proven"
    assert first.status == second.status == 200
