"""The small GitHub itself: one request in, one answer out, without sockets."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable

from gh_p2pcache.errors import OriginError
from gh_p2pcache.records.message import Request, Response, header
from gh_p2pcache.sim import graphql, limits, rest, wire
from gh_p2pcache.sim.answers import Answer, Call, HTTPError, error, parse_query
from gh_p2pcache.sim.clock import Clock
from gh_p2pcache.sim.faults import Fault, Faults
from gh_p2pcache.sim.files import serve_file
from gh_p2pcache.sim.hosts import Place, place
from gh_p2pcache.sim.journal import Entry, Journal
from gh_p2pcache.sim.refusals import over_limit, over_secondary, rate_limit
from gh_p2pcache.sim.replay import Replay
from gh_p2pcache.sim.reply import PATTERN, Outcome, Replies, Switches
from gh_p2pcache.sim.seed import seed_world
from gh_p2pcache.sim.tokens import ANONYMOUS, Token, secret_of
from gh_p2pcache.sim.world import World

REMEMBERED = 20_000
"""Answers that are remembered at most, some 6 kB each."""


class Sim:
    """A GitHub of its own: world, tokens, limits, faults and a journal. Deterministic."""

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        replay: Replay | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.clock = clock or Clock()
        self.replay = replay
        self.sleep = sleep
        self.reset()

    def reset(self) -> None:
        """Start over: the world as seeded, full budgets, no faults, an empty journal."""
        self.world = seed_world()
        self.limits = limits.Limits()
        self.faults = Faults()
        self.switches = Switches()
        self.journal = Journal()
        self._replies = Replies(self.clock, self.limits, self.switches)
        self._past: list[tuple[float, World]] = []

    async def handle(self, request: Request) -> Response:
        """Answer as GitHub would; OriginError where a client would see a broken connection."""
        outcome = self.respond(request)
        if outcome.delay:
            await self.sleep(outcome.delay)
        if outcome.fault:
            raise OriginError(f"the simulated GitHub: {outcome.fault}")
        whole, rest = divmod(outcome.stream, len(PATTERN))
        body = outcome.body + PATTERN * whole + PATTERN[:rest]
        return Response(outcome.status, tuple(outcome.headers), body)

    def respond(self, request: Request, uploaded: int | None = None) -> Outcome:
        """Answer a request; `uploaded` is the size of a body that was too large to keep."""
        faults = self.faults.take(f"{request.method} {request.target}")
        fault = next((fault for fault in faults if fault.kind != "delay"), None)
        if fault is None or fault.late or fault.kind == "die":
            outcome = self._answer(request, uploaded)
        else:
            outcome = Outcome()
            self._note(request, self._token(request) or ANONYMOUS, "fault", 0, billed=False)
        if fault is not None:
            outcome = self._broken(request, fault, outcome)
        outcome.delay = sum(fault.seconds for fault in faults if fault.kind == "delay")
        return outcome

    def _broken(self, request: Request, fault: Fault, outcome: Outcome) -> Outcome:
        if fault.kind == "status":
            answer = Answer(fault.status, {"message": "Server Error"}, etag=False)
            prepared = wire.prepare(answer, "fault", for_people=False)
            token = self._token(request) or ANONYMOUS
            return self._replies.reply(request, token, prepared, "core", billed=False)
        outcome.fault = fault.kind
        return outcome

    def _note(
        self, request: Request, token: Token, route: str, status: int, *, billed: bool
    ) -> None:
        now = self.clock.now()
        self.journal.add(Entry(now, token.name, request, route, status, billed=billed))

    def _token(self, request: Request) -> Token | None:
        """Return who calls; None for a token that is not (or no longer) valid."""
        secret = secret_of(header(request.headers, b"authorization"))
        if secret is None:
            return ANONYMOUS
        found = self.world.token(secret)
        return None if found is None or found.revoked else found

    def _answer(self, request: Request, uploaded: int | None) -> Outcome:
        path, _, query = request.target.partition("?")
        at = place(request.host, path)
        resource = _resource(at)
        token = self._token(request)
        billed = False
        if token is None:
            token, prepared = ANONYMOUS, self._refused(error(401))
        else:
            refusal = self._limited(at, token, resource)
            if refusal is not None:
                prepared = wire.prepare(refusal, "limited", for_people=False)
            else:
                prepared = self._prepared(request, at, query, token, uploaded)
                billed = resource not in ("", "files")
        outcome = self._replies.reply(request, token, prepared, resource, billed=billed)
        billed = billed and outcome.status != 304
        self._note(request, token, prepared.route, outcome.status, billed=billed)
        return outcome

    @staticmethod
    def _refused(refusal: HTTPError) -> wire.Prepared:
        return wire.prepare(refusal.answer, "refused", for_people=False)

    def _limited(self, at: Place, token: Token, resource: str) -> Answer | None:
        if at.kind == "files" or not resource:
            return None
        now = self.clock.now()
        secondary = self.limits.limited(token, now)
        if secondary is not None:
            return over_secondary(secondary, now)
        if self.limits.window(token, resource, now).remaining <= 0:
            return over_limit(self.world, token, resource)
        return None

    def _prepared(
        self, request: Request, at: Place, query: str, token: Token, uploaded: int | None
    ) -> wire.Prepared:
        """Return the answer's bytes: a remembered one for a read of an unchanged world."""
        reading = request.method in ("GET", "HEAD")
        world = self._visible() if reading else self.world
        accept = header(request.headers, b"accept")
        for_people = wire.pretty(request.headers)
        granted = tuple(token.grants.items())
        key = (token.name, granted, at.base, request.target, accept, for_people)
        if reading and key in world.memo:
            found: wire.Prepared = world.memo[key]
            return found
        call = Call(
            world,
            token,
            request.method,
            at.base,
            at.path,
            parse_query(query),
            request.headers,
            request.body,
            self.clock.now(),
            uploaded=len(request.body) if uploaded is None else uploaded,
        )
        label, answer = self._route(call, at, request)
        prepared = wire.prepare(answer, label, for_people=for_people)
        if reading and answer.memo:
            if len(world.memo) >= REMEMBERED:
                world.memo.clear()
            world.memo[key] = prepared
        return prepared

    def _route(self, call: Call, at: Place, request: Request) -> tuple[str, Answer]:
        try:
            if self.replay is not None:
                return "replay", self.replay.answer(request, self.switches.replay_step)
            if at.kind == "files":
                return "files", serve_file(call)
            if call.path == "/rate_limit":
                return "GET /rate_limit", rate_limit(self.limits, call)
            return self._graphql(call) if at.kind == "graphql" else self._rest(call)
        except HTTPError as refusal:
            return f"{request.method} refused", refusal.answer

    def _rest(self, call: Call) -> tuple[str, Answer]:
        if call.method in ("GET", "HEAD"):
            return rest.dispatch(call)
        with self._writing():
            return rest.dispatch(call)

    def _graphql(self, call: Call) -> tuple[str, Answer]:
        operation = graphql.read(call)
        if operation.mutates:
            with self._writing():
                return "mutation", operation.execute(call)
        call.world = self._visible()
        return "query", operation.execute(call)

    def _writing(self) -> _Writing:
        return _Writing(self)

    def remember(self) -> None:
        """Keep the world as it is for readers that lag behind."""
        if self.switches.lag > 0:
            memo, self.world.memo = self.world.memo, {}
            past = copy.deepcopy(self.world)
            self.world.memo = memo
            self._past.append((self.clock.now(), past))

    def _visible(self) -> World:
        """Return the world that reads see: an older one while replicas lag."""
        horizon = self.clock.now() - self.switches.lag
        while self._past and self._past[0][0] <= horizon:
            self._past.pop(0)
        return self._past[0][1] if self._past else self.world


class _Writing:
    """Around a write: what lags is kept before, and the change is noted after."""

    def __init__(self, sim: Sim) -> None:
        self.sim = sim

    def __enter__(self) -> None:
        self.sim.remember()

    def __exit__(self, *_exc: object) -> None:
        self.sim.world.changed()


def _resource(at: Place) -> str:
    """Return the rate-limit resource of a request: "" for what is free of limits."""
    if at.kind == "files":
        return "files"
    if at.kind == "graphql":
        return "graphql"
    if at.path == "/rate_limit":
        return ""
    if at.path.startswith("/search/"):
        return "code_search" if at.path == "/search/code" else "search"
    return "core"
