"""One read going upstream: the conditional request, and judging what comes back."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace

from gh_p2pcache.engine import answer
from gh_p2pcache.engine.answer import Answer, own_error
from gh_p2pcache.engine.budgets import Budgets
from gh_p2pcache.engine.call import Call
from gh_p2pcache.engine.desk import Desk, predicted, publisher
from gh_p2pcache.engine.members import Members
from gh_p2pcache.engine.nodes import Nodes
from gh_p2pcache.engine.outages import Outages
from gh_p2pcache.engine.pace import Pace
from gh_p2pcache.engine.passing import own_fields, passed_on, read_whole, streaming
from gh_p2pcache.engine.shelf import Entry
from gh_p2pcache.engine.stats import Stats
from gh_p2pcache.errors import OriginError
from gh_p2pcache.origin.etag import plain, predict
from gh_p2pcache.origin.upstream import Upstream
from gh_p2pcache.policy.control import upstream_headers
from gh_p2pcache.policy.freshness import ceiling, is_private_body, keepable
from gh_p2pcache.policy.headers import http_date, kept_headers, merge_304
from gh_p2pcache.policy.invalidation import response_tags
from gh_p2pcache.policy.key import pretty
from gh_p2pcache.policy.proof import proved
from gh_p2pcache.policy.ratelimit import counted_down, limited
from gh_p2pcache.policy.validators import may_revalidate
from gh_p2pcache.records.message import Headers, Request, Response, header
from gh_p2pcache.records.record import Record, Validation
from gh_p2pcache.records.seal import ScopeKeys

_LOG = logging.getLogger(__name__)

BRIDGED_SECONDS = 10.0
"""How long GitHub may take when a stale answer could bridge it; GitHub itself gives up at 10 s."""

READ_SECONDS = 60.0
"""How long a read that nothing can bridge waits for the head of an answer or its next bytes."""

_VOLATILE = (b"x-ratelimit-", b"x-github-request-id", b"date", b"etag", b"expires", b"age")
_GZIP = (b"accept-encoding", b"gzip")
_CONDITIONAL = frozenset({b"if-none-match", b"if-modified-since", b"accept-encoding", b"host"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a fill brought: an answer for who asked, and the entry if others may share it."""

    answer: Answer
    entry: Entry | None = None


class Fill:
    """Asks GitHub for one key on behalf of one principal."""

    def __init__(
        self,
        desk: Desk,
        origin: Upstream,
        budgets: Budgets,
        stats: Stats,
        *,
        outages: Outages,
        nodes: Nodes,
        members: Members,
    ) -> None:
        self.desk = desk
        self.origin = origin
        self.budgets = budgets
        self.stats = stats
        self.outages = outages
        self.nodes = nodes
        self.members = members
        self.pace = Pace()

    async def run(self, call: Call, entry: Entry | None) -> Outcome:
        """Return what members have, else what GitHub says now, or what bridges its silence."""
        members = self.members
        asked = await members.ask(call, entry)
        try:
            found = asked.entry
            if found is None or not asked.given or not members.may_answer(call, found):
                return await self.ask(call, found)
            if members.samples(call):
                members.run(self._compare(call, found))
            return Outcome(self.desk.answer(call, found, answer.PEER, detail=found.peer), found)
        finally:
            members.release(asked, call.plan.key)

    async def _compare(self, call: Call, entry: Entry) -> None:
        """Ask GitHub whether what a member signed is so, where that is free if it is."""
        sent = self._conditional(call, entry)
        blocked = self.budgets.blocked(call.principal.id, call.plan.site, call.plan.resource)
        if blocked is None and header(sent.headers, b"if-none-match") is not None:
            self.stats.event("peer_sampled")
            given = (await self._ask(call, entry)).answer
            if given.stream is not None:
                async with aclosing(given.stream) as stream:
                    await anext(stream, b"")  # one that never began would not close what it is of

    async def ask(self, call: Call, entry: Entry | None) -> Outcome:
        """Return what GitHub says now, or what bridges its silence."""
        if (wait := self.pace.delay()) > 0:
            await asyncio.sleep(wait)
        blocked = self.budgets.blocked(call.principal.id, call.plan.site, call.plan.resource)
        if blocked is not None:
            if self.desk.may_bridge(call, entry):
                return self._stale(call, entry, f"{blocked.kind} rate limit")
            if call.no_stale:
                return Outcome(own_error(503, "the rate limit is spent and nothing fresh is kept"))
            if blocked.answer is not None and _says_it_to(call, blocked.answer):
                left = blocked.until - self.desk.clock.github_now()
                return Outcome(
                    passed_on(call, counted_down(blocked.answer, int(left)), "rate limit")
                )
        return await self.pace.timed(self._ask(call, entry))

    async def _ask(self, call: Call, entry: Entry | None) -> Outcome:
        started = self.desk.tombstones.generation
        sent = self._conditional(call, entry)
        seconds = BRIDGED_SECONDS if self.desk.may_bridge(call, entry) else READ_SECONDS
        self.stats.event("upstream")
        async with AsyncExitStack() as stack:
            try:
                opened = self.origin.open(sent, silence=seconds)
                streamed = await stack.enter_async_context(opened)
                body, rest = await read_whole(streamed, self.desk.settings.max_entry)
            except OriginError as error:
                return await self._unreachable(call, entry, error)
            response = Response(streamed.status, streamed.headers, body)
            self._learn(call, response)
            if rest is not None:
                await self._drop(call)
                return Outcome(streaming(call, response, rest, stack.pop_all()))
        self.stats.event("bytes_fetched", len(body))
        return await self._judge(call, entry, sent, response, started)

    async def _judge(
        self, call: Call, entry: Entry | None, sent: Request, response: Response, started: int
    ) -> Outcome:
        try:
            text = plain(response.headers, response.body)
        except ValueError as error:
            _LOG.warning("an answer of %s is not kept: %s", call.request.host, error)
            self.stats.event("undecodable")
            return Outcome(passed_on(call, response, "undecodable"))
        if (why := self._failure(call, response, text)) is not None:
            if self.desk.may_bridge(call, entry):
                if response.status >= 500:
                    self.outages.failed(call.plan.site, f"answered {response.status}")
                return self._stale(call, entry, why)
            return Outcome(passed_on(call, response, why))
        if response.status == 304 and entry is not None:
            self.members.confirmed(entry)
            return await self._confirmed(call, entry, response, started)
        self._calibrate(call, sent, response, text)
        if entry is not None and header(sent.headers, b"if-none-match") and response.status == 200:
            self.members.differs(call, entry, text)
        if keepable(call.plan, response, text):
            return await self._keep(call, response, text, started)
        await self._refused(call, response)
        return Outcome(passed_on(call, response, ""))

    def _failure(self, call: Call, response: Response, text: bytes) -> str | None:
        """Return what kept GitHub from answering, if it is something a stale answer may bridge."""
        limit = limited(response, text, self.desk.clock.github_now(), call.plan)
        if limit is not None:
            whole = response if call.request.method != "HEAD" else None
            self.budgets.block(call.principal.id, call.plan.site, limit, whole)
            self.stats.event(f"limited_{limit.kind}")
            return f"{limit.kind} rate limit"
        if response.status >= 500:
            self.stats.event("upstream_5xx")
            return f"GitHub answered {response.status}"
        return None

    def _conditional(self, call: Call, entry: Entry | None) -> Request:
        """Return the request as it goes upstream: verbatim, with gzip, and our own validator."""
        kept = upstream_headers(call.request.headers)
        headers = (*[field for field in kept if field[0] not in _CONDITIONAL], _GZIP)
        if entry is not None and (etag := self._validator(call, entry, headers)) is not None:
            headers += ((b"if-none-match", etag),)
        return replace(call.request, headers=headers)

    def _validator(self, call: Call, entry: Entry, sent: Headers) -> bytes | None:
        record, principal = entry.record, call.principal
        if call.request.method != record.method or record.status != 200:
            return None
        try:
            if not may_revalidate(
                call.plan, record.status, record.headers, plain(record.headers, record.body)
            ):
                return None
        except ValueError:
            return None
        foreign = self.desk.foreign(entry) is not None
        if record.publisher == publisher(entry.keys, principal) and not foreign:
            return header(record.headers, b"etag")
        if not self.desk.predictor.refuted(call.plan.site, principal.kind):
            return predicted(sent, record, foreign=foreign)
        return None

    async def _confirmed(
        self, call: Call, entry: Entry, response: Response, started: int
    ) -> Outcome:
        """Answer from the entry: GitHub says that it is current, and that this token may see it."""
        desk = self.desk
        date = _date(response, desk)
        pairs = proved(call.plan, response, b"", entry.body_digest)
        desk.proofs.prove(call.principal.id, pairs, date)
        unmoved = desk.tombstones.epoch(entry.marks) <= started
        if unmoved and date >= entry.validation.github_date:
            ttl = self._still_bound(call, entry)
            validation = Validation(entry.digest, date, desk.clock.now(), ttl)
            merged = _merged(entry, response)
            if _stable(merged) != _stable(entry.record.headers):
                record = replace(entry.record, headers=merged, github_date=date)
                record = self._vouched(call, record)
                entry = await desk.shelf.keep(record, entry.keys, desk.clock.now(), ttl)
            else:
                await desk.shelf.revalidated(entry, validation, merged)
            self.nodes.saw(entry.record.tags)
        given = desk.answer(call, entry, answer.REVALIDATED)
        return Outcome(own_fields(given, response), entry)

    async def _keep(self, call: Call, response: Response, text: bytes, started: int) -> Outcome:
        desk = self.desk
        digest = hashlib.sha256(response.body).digest()
        pairs = proved(call.plan, response, text, digest)
        date = _date(response, desk)
        desk.proofs.prove(call.principal.id, pairs, date)
        private = is_private_body(call.plan, text)
        team = None if private else desk.team_of(call.plan.access)
        keys = team or call.principal.keys
        record = self._record(call, response, text, keys, date=date, shared=team is not None)
        if not private:
            record = self._vouched(call, record)
        marks = desk.tombstones.marks_in(keys, record.tags)
        current = await desk.find(call)
        if desk.tombstones.epoch(marks) > started or desk.tombstones.buried(
            marks, record.github_date
        ):
            self.members.answered(call, record.github_date)
            await self._drop(call)
            return Outcome(passed_on(call, response, "not kept: a write came between"))
        if current is not None and current.validation.github_date > record.github_date:
            # A slower fill of ours: this principal may already have seen the newer one.
            if desk.alive(current) and desk.readable(call, current):
                return Outcome(desk.answer(call, current, answer.HIT), current)
            return Outcome(passed_on(call, response, "not kept: older than what is kept"))
        lagging = desk.tombstones.recently_written(marks)
        bound = 0.0 if lagging else ceiling(call.plan, response, text)
        entry = await desk.shelf.keep(record, keys, desk.clock.now(), bound)
        if current is not None and current.keys.id != keys.id:
            await desk.shelf.drop(current.keys, call.plan.key)
        self.nodes.saw(record.tags)
        desk.lists.saw(call, entry)
        given = desk.answer(call, entry, answer.MISS)
        # A private record has all that GitHub just said.
        return Outcome(given if team is None else own_fields(given, response), entry)

    def _vouched(self, call: Call, record: Record) -> Record:
        """Return a record signed for the members of its scope, if it may be theirs."""
        keys = self.members.shared(call)
        return self.members.vouched(record) if keys and keys.id == record.scope else record

    def _still_bound(self, call: Call, entry: Entry) -> float:
        """Return the bound of a confirmed entry: 0 within the replicas' lag, which then ends."""
        if self.desk.tombstones.recently_written(entry.marks):
            return 0.0
        if entry.validation.ttl:
            return entry.validation.ttl
        record = entry.record
        response = Response(record.status, record.headers, record.body)
        return ceiling(call.plan, response, plain(record.headers, record.body))

    def _record(
        self,
        call: Call,
        response: Response,
        text: bytes,
        keys: ScopeKeys,
        *,
        date: int,
        shared: bool,
    ) -> Record:
        plan, request = call.plan, call.request
        access = plan.access
        return Record(
            key=plan.key,
            method=request.method,
            host=request.host,
            target=request.target,
            status=response.status,
            headers=kept_headers(response.headers, shared),
            body=response.body,
            github_date=date,
            fetched_at=self.desk.clock.now(),
            scope=keys.id,
            tags=record_tags(call, response_tags(plan, response, text), keys),
            publisher=publisher(keys, call.principal),
            access=f"{access.repo} {','.join(sorted(access.classes))}"
            if shared and access is not None
            else None,
        )

    async def _refused(self, call: Call, response: Response) -> None:
        """Forget what GitHub no longer gives this principal under this key."""
        desk, plan = self.desk, call.plan
        if response.status == 401:
            desk.proofs.withdraw_all(call.principal.id, _date(response, desk))
            tag = f"scope:{call.principal.keys.id.hex()}"
            desk.tombstones.bury([tag], _date(response, desk))
        self.members.answered(call, _date(response, desk))
        if response.status in {403, 404, 410, 451} and plan.access is not None:
            desk.proofs.withdraw(call.principal.id, plan.access, _date(response, desk))
        await self._drop(call, team=response.status < 400 or desk.settings.trust == "team")

    async def _drop(self, call: Call, *, team: bool = True) -> None:
        for keys in call.scopes:
            if team or keys is call.principal.keys:
                await self.desk.shelf.drop(keys, call.plan.key)

    async def _unreachable(self, call: Call, entry: Entry | None, error: OriginError) -> Outcome:
        self.stats.event("upstream_unreachable")
        self.outages.failed(call.plan.site, "could not be reached")
        _LOG.warning("%s", error)
        if self.desk.may_bridge(call, entry):
            return self._stale(call, entry, "GitHub could not be reached")
        return Outcome(own_error(503 if call.no_stale else 502, str(error)))

    def _stale(self, call: Call, entry: Entry | None, why: str) -> Outcome:
        assert entry is not None
        return Outcome(self.desk.answer(call, entry, answer.STALE, detail=why), entry)

    def _learn(self, call: Call, response: Response) -> None:
        date = http_date(header(response.headers, b"date") or b"")
        if date is not None:
            self.desk.clock.saw(date, call.plan.site)
        self.budgets.note(call.principal.id, call.plan.site, response.headers)
        if response.status < 500:
            self.outages.answered(call.plan.site)

    def _calibrate(self, call: Call, sent: Request, response: Response, text: bytes) -> None:
        etag, vary = header(response.headers, b"etag"), header(response.headers, b"vary")
        if response.status != 200 or etag is None or vary is None or pretty(sent.headers):
            return
        if sent.method == "HEAD":
            return
        compressed = header(response.headers, b"content-encoding") is not None
        guess = predict(sent.headers, vary, text, compressed=compressed)
        self.desk.predictor.compare(call.plan.site, call.principal.kind, guess, etag)


def record_tags(call: Call, found: frozenset[str], keys: ScopeKeys) -> tuple[str, ...]:
    """Return the tags under which a write, a refused token or a purge finds a record again."""
    own = f"scope:{keys.id.hex()}"
    if call.plan.row.immutable:
        return (own, *sorted(call.plan.tags))
    return tuple(sorted({own, *call.plan.tags, *found}))


def _says_it_to(call: Call, limit: Response) -> bool:
    """Tell whether a rate limit's answer is one to this call: GraphQL says it in a 200."""
    return limit.status != 200 or call.plan.resource == "graphql"


def _date(response: Response, desk: Desk) -> int:
    date = http_date(header(response.headers, b"date") or b"")
    return int(desk.clock.github_now()) if date is None else date


def _merged(entry: Entry, response: Response) -> Headers:
    """Return the record's headers updated by a 304 (RFC 9111 section 3.2), its ETag kept."""
    shared = entry.record.access is not None
    fresh = tuple(f for f in kept_headers(response.headers, shared) if f[0] != b"etag")
    return merge_304(entry.record.headers, fresh)


def _stable(headers: Headers) -> frozenset[tuple[bytes, bytes]]:
    """Return the fields whose change is worth a new record: `Link` above all."""
    return frozenset(field for field in headers if not field[0].startswith(_VOLATILE))
