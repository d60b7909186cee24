"""Promises 1 to 6 of the design, held against everything that can happen at once.

The machine keeps its own account of what GitHub sent to whom and when, and judges each answer by
that alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from gh_p2pcache.engine.answer import Answer
from gh_p2pcache.errors import OriginError
from gh_p2pcache.policy.headers import http_date
from gh_p2pcache.records.message import Headers, Request, Response, header
from gh_p2pcache.sim import etags
from gh_p2pcache.sim.faults import Fault
from gh_p2pcache.sim.limits import Secondary
from gh_p2pcache.sim.tokens import CLASSES
from support.engine import Bench, request_of
from support.sim import SECRETS

QUERY = json.dumps(
    {
        "query": "query($o:String!,$n:String!){repository(owner:$o,name:$n)"
        "{id issues(first:5){nodes{id title}}}}",
        "variables": {"o": "acme", "n": "widgets"},
    }
).encode()
ISSUES = "/repos/acme/widgets/issues?per_page=3"
SECOND_PAGE = "/repos/acme/widgets/issues?per_page=3&page=2"
RUNS = "/repos/acme/widgets/actions/runs"
PRIVATE = "/repos/acme/private/issues"
SHOUTED = "/repos/ACME/Widgets/issues?per_page=3"
GETS = ("/user", ISSUES, SECOND_PAGE, RUNS, PRIVATE, SHOUTED, "/search/issues?q=repo:acme/widgets")
Call = tuple[str, str, bytes]
Place = tuple[str, str]
CALLS = st.sampled_from([("GET", target, b"") for target in GETS] + [("POST", "/graphql", QUERY)])
TOKENS = st.sampled_from(["alice", "bob", "carol"])
AGAIN = st.booleans()
PROFILES = st.sampled_from(["ttl", "exact"])
BOUNDS = {"ttl": 24 * 3600, "exact": 900}
STATUS_BOUND = 60
ERRORS = b'{"errors":'


@dataclass
class Sent:
    """One complete answer of GitHub to a read."""

    at: float
    order: int
    token: str
    status: int
    body: bytes


def plain(headers: Headers, body: bytes) -> bytes:
    return gzip.decompress(body) if header(headers, b"content-encoding") == b"gzip" else body


def name_of(headers: Headers) -> str:
    secret = (header(headers, b"authorization") or b"").decode().removeprefix("token ")
    return next((name for name, known in SECRETS.items() if known == secret), "")


def key_of(call: Call) -> Place:
    method, target, _ = call
    return (method, target.lower())


class Promises(RuleBasedStateMachine):
    """An engine, its store, the small GitHub and a clock; rules are what happens to them."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.directory = Path(tempfile.mkdtemp())
        self.sent: dict[Place, list[Sent]] = {}
        self.shown: dict[tuple[str, Place], int] = {}
        self.order = 0
        self.written = 0
        self.kept_after = 0.0
        self.failing = False
        self.broken = False
        self.lately: dict[tuple[Call, str], None] = {}

    @initialize(shared=st.booleans())
    def begin(self, shared: bool) -> None:
        self.shared = shared
        env = {"CACHE_P2P_SHARED_SECRET": "p2pcache_promises"} if shared else {}
        self.bench = Bench(self.directory, env)
        self.bench.origin.on_answer = self.note
        self.now = self.bench.time
        self.loop.run_until_complete(self.bench.start())

    def teardown(self) -> None:
        if hasattr(self, "bench"):
            self.loop.run_until_complete(self.bench.stop())
        self.loop.close()
        shutil.rmtree(self.directory, ignore_errors=True)  # a killed engine may still be writing
        super().teardown()

    def note(self, request: Request, response: Response) -> None:
        """Write down what GitHub just said to whom."""
        self.order += 1
        if request.method != "GET" and request.body != QUERY:
            return
        place = (request.method, request.target.lower())
        said = self.sent.setdefault(place, [])
        status, body = response.status, plain(response.headers, response.body)
        if status == 304:
            condition = header(request.headers, b"if-none-match") or b""
            body = next(
                s.body
                for s in said
                if etags.matches(condition, etags.github(request.headers, s.body))
            )
            status = 200
        said.append(Sent(self.now.seconds, self.order, name_of(request.headers), status, body))

    def ask(self, call: Call, token: str, profile: str, times: int = 1) -> list[Answer]:
        method, target, body = call

        async def burst() -> list[Answer]:
            asked = (
                self.bench.ask(target, method=method, token=token, profile=profile, body=body)
                for _ in range(times)
            )
            return await asyncio.gather(*asked)

        return self.loop.run_until_complete(burst())

    @rule(call=CALLS, token=TOKENS, profile=PROFILES, times=st.sampled_from([1, 1, 1, 4]))
    def read(self, call: Call, token: str, profile: str, times: int) -> None:
        self.lately.pop((call, token), None)
        self.lately[call, token] = None
        self.read_as(call, token, profile, times)

    def read_as(self, call: Call, token: str, profile: str, times: int) -> None:
        before = len(self.bench.origin.sent)
        order = self.order
        for given in self.ask(call, token, profile, times):
            if given.status == 200 and ERRORS not in plain(given.headers, given.body):
                self.judge(call, token, profile, given, order)
            elif given.status >= 500 or given.status in {200, 403, 429}:
                self.judge_failure(call, token, profile, given)
        assert len(self.bench.origin.sent) - before <= 1, "promise 4: a burst is one call"

    def look_again(self, again: bool) -> None:
        """Ask once more what was asked lately: that is where an event must show, or must not."""
        for call, token in list(self.lately)[-3:] if again else ():
            self.read_as(call, token, "ttl", 1)

    def judge(self, call: Call, token: str, profile: str, given: Answer, order: int) -> None:
        place, body = key_of(call), plain(given.headers, given.body)
        said = [s for s in self.sent.get(place, ()) if s.status == 200 and s.body == body]
        assert said, "promise 1: bytes that GitHub sent for this very call"
        assert self.may_see(token, place, said), "promise 1: to a principal that may see them"
        latest = max(said, key=lambda s: s.order)
        date = http_date(header(given.headers, b"date") or b"") or 0
        assert date >= self.shown.get((token, place), 0), "promise 2: never older than before"
        self.shown[token, place] = date
        if "private" not in place[1]:
            assert latest.order > self.written, "promise 3: nothing from before a write"
        age = self.now.seconds - date
        assert age <= BOUNDS[profile] + 1, "never older than the profile bridges"
        if place[1] == RUNS:
            assert age <= STATUS_BOUND + 1, "status is never older than a minute"
        if profile == "exact" and place[0] == "GET" and given.source != "STALE":
            assert latest.order > order, "exact: every read is GitHub's word of now"
        if given.source == "STALE":
            assert self.failing or self.broken, "promise 6: stale only while GitHub fails"

    def may_see(self, token: str, place: Place, said: list[Sent]) -> bool:
        if any(s.token == token for s in said):
            return True
        if not self.shared or not place[1].startswith(("/repos/acme/", "/graphql")):
            return False
        repo = "private" if "private" in place[1] else "widgets"
        proofs = (
            s
            for at, all_said in self.sent.items()
            for s in all_said
            if (repo in at[1] or at[1] == "/graphql") and s.token == token and s.status == 200
        )
        return any(self.now.seconds - s.at <= BOUNDS["ttl"] for s in proofs)

    def judge_failure(self, call: Call, token: str, profile: str, given: Answer) -> None:
        """Promise 6: what GitHub gave this token last, and lately, bridges its failure."""
        place = key_of(call)
        own = [s for s in self.sent.get(place, ()) if s.token == token and s.status < 500]
        own = [s for s in own if s.status not in {403, 429} and not s.body.startswith(ERRORS)]
        if self.broken or not own or own[-1].status != 200:
            return
        bound = STATUS_BOUND if place[1] == RUNS else BOUNDS[profile]
        young = self.now.seconds - own[-1].at < bound - 1
        assert not (young and own[-1].at > self.kept_after), f"promise 6: {given}"

    @rule(late=st.booleans(), again=AGAIN)
    def write(self, late: bool, again: bool) -> None:
        """A write through us; when GitHub fails, nobody knows whether it took effect."""
        if self.failing and late:
            for fault in self.bench.sim.faults.waiting:
                fault.late = True
        body = json.dumps({"title": f"written {self.order}"}).encode()
        asked = self.bench.ask("/repos/acme/widgets/issues", method="POST", body=body)
        given = self.loop.run_until_complete(asked)
        if given.status == 201 or given.status >= 500:
            self.written = self.order
            undecided = 61 if given.status >= 500 else 1
            self.kept_after = max(self.kept_after, self.now.seconds + undecided)
        self.look_again(again)

    @rule(again=AGAIN)
    def somebody_else_writes(self, again: bool) -> None:
        body = json.dumps({"title": f"from outside {self.order}"}).encode()
        request = request_of("/repos/acme/widgets/issues", method="POST", token="job1", body=body)
        with contextlib.suppress(OriginError):
            self.loop.run_until_complete(self.bench.sim.handle(request))
        self.look_again(again)

    @rule(seconds=st.sampled_from([0.4, 1, 9, 31, 62, 301, 950, 90_000]), again=AGAIN)
    def time_passes(self, seconds: float, again: bool) -> None:
        self.now.advance(seconds)
        self.look_again(again)

    @rule(fault=st.sampled_from([("down", 0), ("status", 502), ("timeout", 0)]), again=AGAIN)
    def github_breaks(self, fault: tuple[str, int], again: bool) -> None:
        self.bench.sim.faults.waiting.append(Fault(fault[0], status=fault[1]))
        self.failing = True
        self.look_again(again)

    @precondition(lambda self: self.failing)
    @rule(again=AGAIN)
    def github_is_back(self, again: bool) -> None:
        self.bench.sim.faults.waiting.clear()
        self.bench.sim.limits.secondary.clear()
        self.now.advance(3700)
        self.failing = False
        self.look_again(again)

    @rule(token=TOKENS, resource=st.sampled_from(["core", "graphql", "search"]), again=AGAIN)
    def the_budget_is_spent(self, token: str, resource: str, again: bool) -> None:
        known = self.bench.sim.world.tokens[token]
        now = self.bench.sim.clock.now()
        self.bench.sim.limits.set(known, resource, now, remaining=0, reset_in=600)
        self.failing = True
        self.look_again(again)

    @rule(token=TOKENS, after=st.sampled_from(["seconds", "date", "none"]), again=AGAIN)
    def a_secondary_limit(self, token: str, after: str, again: bool) -> None:
        until = self.bench.sim.clock.now() + 90
        self.bench.sim.limits.secondary[token] = Secondary(until, after)
        self.failing = True
        self.look_again(again)

    @rule(token=TOKENS, revoked=st.booleans(), again=AGAIN)
    def a_token_is_revoked_or_restored(self, token: str, revoked: bool, again: bool) -> None:
        self.bench.sim.world.tokens[token].revoked = revoked
        self.look_again(again)

    @rule(open_=st.booleans(), again=AGAIN)
    def access_comes_and_goes(self, open_: bool, again: bool) -> None:
        grants = self.bench.sim.world.tokens["bob"].grants
        grants["acme/private"] = CLASSES if open_ else frozenset()
        self.look_again(again)

    @rule(again=AGAIN)
    def restart(self, again: bool) -> None:
        self.loop.run_until_complete(self.bench.stop())
        self.loop.run_until_complete(self.bench.start())
        self.look_again(again)

    @rule(again=AGAIN)
    def kill(self, again: bool) -> None:
        """What was being written is lost, so it need not bridge anything."""
        self.bench.abandon()
        self.loop.run_until_complete(self.bench.start())
        self.kept_after = max(self.kept_after, self.now.seconds)
        self.look_again(again)

    @rule(seconds=st.sampled_from([-86_400, -100, 100, 86_400]), again=AGAIN)
    def the_wall_clock_jumps(self, seconds: float, again: bool) -> None:
        """Records may seem too old or too young after the next start, never too fresh."""
        self.now.jump(seconds)
        self.broken = True
        self.look_again(again)


TestPromises = Promises.TestCase
LONG = settings.get_current_profile_name() == "long"
TestPromises.settings = settings(
    settings.default, max_examples=1500 if LONG else 60, stateful_step_count=40
)
