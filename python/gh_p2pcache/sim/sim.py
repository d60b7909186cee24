"""The small GitHub itself: one request in, one answer out, without sockets."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from gh_p2pcache.errors import OriginError
from gh_p2pcache.records.message import Request, Response, header
from gh_p2pcache.sim import etags, graphql, limits, rest, wire
from gh_p2pcache.sim.answers import Answer, Call, Fields, HTTPError, error, parse_query
from gh_p2pcache.sim.clock import Clock, http_date
from gh_p2pcache.sim.faults import Fault, Faults
from gh_p2pcache.sim.files import serve_file
from gh_p2pcache.sim.hosts import Place, place
from gh_p2pcache.sim.journal import Entry, Journal
from gh_p2pcache.sim.refusals import over_limit, over_secondary
from gh_p2pcache.sim.replay import Replay
from gh_p2pcache.sim.seed import seed_world
from gh_p2pcache.sim.tokens import ANONYMOUS, Token, secret_of
from gh_p2pcache.sim.world import World

PATTERN = bytes(range(256)) * 256
"""What a streamed body repeats: 64 KiB."""


@dataclass(slots=True)
class Switches:
    """How this GitHub behaves.

    `etag_formula`: "github" or "other"; `lag`: seconds for which reads show the world from before
    a write; `last_page_lie`: a full last page that gained a successor is still 304, without Link.
    """

    etag_formula: str = "github"
    lag: float = 0.0
    last_page_lie: bool = True


@dataclass(slots=True)
class Outcome:
    """What a client gets: `delay` seconds first, then an answer, or `fault` (down, timeout, die).

    `stream` more bytes of PATTERN follow the body.
    """

    status: int = 0
    headers: Fields = field(default_factory=list)
    body: bytes = b""
    stream: int = 0
    delay: float = 0.0
    fault: str = ""


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
        self._served = 0
        self._ended: set[str] = set()
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
        delay = sum(fault.seconds for fault in faults if fault.kind == "delay")
        fault = next((fault for fault in faults if fault.kind != "delay"), None)
        if fault is not None and fault.kind != "die" and not fault.late:
            outcome = self._failed(request, fault)
        else:
            outcome = self._answer(request, uploaded)
            if fault is not None and fault.kind == "die":
                outcome.fault = "die"
            elif fault is not None:
                outcome = self._failed(request, fault)
        outcome.delay = delay
        return outcome

    def _failed(self, request: Request, fault: Fault) -> Outcome:
        token = self._token(request) or ANONYMOUS
        status = fault.status if fault.kind == "status" else 0
        entry = Entry(self.clock.now(), token.name, request, "fault", status, billed=False)
        self.journal.add(entry)
        if fault.kind != "status":
            return Outcome(fault=fault.kind)
        answer = Answer(status, {"message": "Server Error"}, etag=False)
        prepared = wire.prepare(answer, "fault", for_people=False)
        return self._outcome(request, token, prepared, "core")

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
        outcome = self._outcome(request, token, prepared, resource, billed=billed)
        billed = billed and outcome.status != 304
        now = self.clock.now()
        self.journal.add(Entry(now, token.name, request, prepared.route, outcome.status, billed))
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
        key = (token.name, at.base, request.target, accept, for_people)
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
            world.memo[key] = prepared
        return prepared

    def _route(self, call: Call, at: Place, request: Request) -> tuple[str, Answer]:
        try:
            if self.replay is not None:
                return "replay", self.replay.answer(request)
            if at.kind == "files":
                return "files", serve_file(call)
            if call.path == "/rate_limit":
                return "GET /rate_limit", self._rate_limit(call)
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

    def _rate_limit(self, call: Call) -> Answer:
        now, resources = self.clock.now(), {}
        for resource in ("core", "search", "graphql", "code_search"):
            window = self.limits.window(call.token, resource, now)
            resources[resource] = {
                "limit": window.limit,
                "used": window.used,
                "remaining": window.remaining,
                "reset": window.reset,
            }
        data = {"resources": resources, "rate": resources["core"]}
        return Answer(data=data, etag=False, memo=False)

    def _outcome(
        self,
        request: Request,
        token: Token,
        prepared: wire.Prepared,
        resource: str,
        *,
        billed: bool = False,
    ) -> Outcome:
        body, compressed = wire.coded(prepared, request.headers)
        fields = list(prepared.fields)
        unmodified = False
        if prepared.validated and prepared.status == 200:
            opaque = self._etag(request, prepared)
            fields.append((b"etag", f'{"W/" if compressed else ""}"{opaque}"'.encode()))
            unmodified = self._not_modified(request, fields, opaque)
        status = 304 if unmodified else prepared.status
        head: Fields = [
            (b"server", b"GitHub.com"),
            (b"date", http_date(self.clock.now())),
            *(f for f in fields if not (unmodified and f[0] == b"content-type")),
        ]
        if status not in (204, 304):
            head.append((b"content-length", b"%d" % (len(body) + prepared.stream)))
        if compressed and not unmodified:
            head.append((b"content-encoding", b"gzip"))
        head += self._about_caller(token, resource or "core", spend=billed and not unmodified)
        empty = unmodified or request.method == "HEAD"
        stream = 0 if empty else prepared.stream
        return Outcome(status, head, b"" if empty else body, stream)

    def _etag(self, request: Request, prepared: wire.Prepared) -> str:
        varied = tuple(f for f in request.headers if f[0] in etags.VARIED)
        key = (*varied, (b"formula", self.switches.etag_formula.encode()))
        if key not in prepared.etags:
            formula = etags.FORMULAS[self.switches.etag_formula]
            prepared.etags[key] = formula(varied, prepared.body)
        return prepared.etags[key]

    def _not_modified(self, request: Request, fields: Fields, opaque: str) -> bool:
        """Say whether the answer is 304, with GitHub's lie about a full last page."""
        more = b'rel="next"' in (header(tuple(fields), b"link") or b"")
        condition = header(request.headers, b"if-none-match")
        if condition is None or not etags.matches(condition, opaque):
            if not more:
                self._ended.add(opaque)
            return wire.unmodified_since(request.headers, fields)
        if more and opaque in self._ended:
            if not self.switches.last_page_lie:
                self._ended.discard(opaque)
                return False
            fields[:] = [f for f in fields if f[0] != b"link"]
        return True

    def _about_caller(self, token: Token, resource: str, *, spend: bool) -> Fields:
        self._served += 1
        fields: Fields = []
        if token.scopes is not None:
            fields.append((b"x-oauth-scopes", token.scopes.encode()))
            fields.append((b"x-accepted-oauth-scopes", b"repo"))
        if resource != "files":
            window = self.limits.window(token, resource, self.clock.now())
            window.used += spend
            fields += limits.headers(window, resource)
        request_id = f"51A0:1F2B:{self._served:07X}:{self._served * 2:07X}:683C3F00"
        return [
            *fields,
            *wire.FIXED,
            wire.VARY_CODING,
            (b"x-github-request-id", request_id.encode()),
        ]


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
