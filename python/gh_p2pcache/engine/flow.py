"""The one request flow: store, then GitHub, then a stale answer; one fill for many callers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from gh_p2pcache.engine import answer
from gh_p2pcache.engine.answer import Answer, coalesced, own_answer, own_error
from gh_p2pcache.engine.budgets import Budgets
from gh_p2pcache.engine.call import Call
from gh_p2pcache.engine.desk import Desk
from gh_p2pcache.engine.explain import explain
from gh_p2pcache.engine.fill import Fill, Outcome
from gh_p2pcache.engine.forward import Forward
from gh_p2pcache.engine.principals import Principals
from gh_p2pcache.engine.shelf import Entry
from gh_p2pcache.engine.stats import Stats
from gh_p2pcache.policy.control import wishes
from gh_p2pcache.policy.freshness import Profile
from gh_p2pcache.policy.pages import family, is_later
from gh_p2pcache.policy.plan import plan
from gh_p2pcache.records.message import Request, header


@dataclass(frozen=True, slots=True, eq=False)
class Flight:
    """A fill under way, and on whose behalf: what is no record is for that principal alone."""

    principal: bytes
    fill: asyncio.Task[Outcome]


class Engine:
    """Answers requests; the gateway feeds it and tests do."""

    def __init__(
        self,
        *,
        desk: Desk,
        principals: Principals,
        fill: Fill,
        forward: Forward,
        budgets: Budgets,
        stats: Stats,
    ) -> None:
        self.desk = desk
        self.principals = principals
        self.budgets = budgets
        self.stats = stats
        self._fill = fill
        self._pace = fill.pace
        self._forward = forward
        self._flights: dict[tuple[object, ...], Flight] = {}

    async def prepare(self, request: Request, profile: Profile, caller: str = "") -> Call:
        """Return what is to be done with a request (its body complete if `plan` needs it).

        `caller`: the program that asks, where that is known.
        """
        principal = await self.principals.of(request.headers)
        desk, plan_, wishes_ = self.desk, plan(request), wishes(request.headers)
        scopes = desk.scopes(plan_, principal)
        return Call(
            request=request,
            plan=plan_,
            wishes=wishes_,
            principal=principal,
            profile=profile,
            scopes=scopes,
            life=desk.life(plan_, wishes_, profile),
            marks=desk.tombstones.marks_in(scopes[0], plan_.tags),
            behind=family(request) if plan_.per_page and is_later(request) else None,
            caller=caller,
        )

    def hot(self, call: Call, caller: str) -> Entry | None:
        """Return the entry that answers a call without a single await; counts as a hit.

        The call may be one that another `caller` made before.
        """
        if call.plan.action != "keep" or call.must_ask:
            return None
        found: Entry | None = None
        for keys in call.scopes:
            entry = self.desk.shelf.hot(keys, call.plan.key)
            if entry is not None and found is not None:
                return None
            found = entry or found
        if found is None or not self._may_answer(call, found):
            return None
        self.stats.answered("hit", call.plan.route, len(found.record.body), caller)
        self._pace.hits += 1
        return found

    async def read(self, call: Call) -> Answer:
        """Answer a call that policy lets us keep."""
        entry = await self.desk.find(call)
        if entry is not None:
            self.desk.lists.saw(call, entry)
            if not call.must_ask and self._may_answer(call, entry):
                return self._hit(call, entry)
        if call.request.method == "HEAD" and (given := await self._head_of_get(call)) is not None:
            return given
        if call.only_kept:
            given = self._offline(call, entry)
        else:
            given = await self._join(call, entry)
        self._count(call, given)
        return given

    async def explain(self, call: Call) -> Answer:
        """Say in JSON what would be done with a call, instead of doing it."""
        told = await explain(self.desk, self.budgets, self._fill.members.trust, call)
        return own_answer(200, told)

    async def forward(self, call: Call, body: AsyncIterator[bytes] | None) -> Answer:
        """Pass a call through to GitHub, where it may be asked."""
        if call.only_kept:
            given = _missing("--offline asks no one, and this call goes to GitHub alone")
        else:
            given = await self._forward.run(call, body)
        self._count(call, given)
        return given

    def _may_answer(self, call: Call, entry: Entry) -> bool:
        return self.desk.fresh(call, entry) and self.desk.readable(call, entry)

    def _hit(self, call: Call, entry: Entry) -> Answer:
        given = self.desk.answer(call, entry, answer.HIT)
        self._count(call, given)
        return given

    async def _head_of_get(self, call: Call) -> Answer | None:
        """Answer HEAD from a stored GET (RFC 9111 section 4); the server sends no body for it."""
        get = await self.prepare(replace(call.request, method="GET"), call.profile, call.caller)
        entry = await self.desk.find(get)
        if entry is None or get.must_ask or not self._may_answer(get, entry):
            return None
        return self._hit(get, entry)

    def _offline(self, call: Call, entry: Entry | None) -> Answer:
        if entry is not None and self.desk.may_bridge(call, entry):
            return self.desk.answer(call, entry, answer.STALE, detail="offline")
        return _missing("nothing usable is kept for this call, and --offline asks no one")

    async def _join(self, call: Call, entry: Entry | None, *, alone: bool = False) -> Answer:
        """Take part in the one fill of this key, or start it; `alone`: not with other tokens."""
        who = call.principal.id if alone else self._sharing(call)
        key = self._flight_key(call, who)
        flight = None if call.must_ask else self._flights.get(key)
        if flight is None:
            flight = Flight(call.principal.id, asyncio.create_task(self._fill.run(call, entry)))
            self._flights[key] = flight
            flight.fill.add_done_callback(lambda _: self._landed(key, flight))
            return (await asyncio.shield(flight.fill)).answer
        outcome = await asyncio.shield(flight.fill)
        given = outcome.answer
        if outcome.entry is not None and self.desk.readable(call, outcome.entry):
            aged = given.source in {answer.PEER, answer.HIT}
            if aged and not self.desk.fresh(call, outcome.entry):
                return await self._join(call, outcome.entry, alone=alone)
            source = answer.STALE if given.source == answer.STALE else answer.COALESCED
            return self.desk.answer(call, outcome.entry, source, detail=given.detail)
        if flight.principal != call.principal.id:
            return await self._join(call, entry, alone=True)
        if given.stream is not None:
            return (await self._fill.run(call, entry)).answer
        return coalesced(given)

    def _sharing(self, call: Call) -> bytes:
        """Return whose fill may serve this call: the team's if this token proved its access."""
        team, access = self.desk.team_of(call.plan.access), call.plan.access
        if team is None or access is None:
            return call.principal.id
        return team.id if self.desk.proofs.holds(call.principal.id, access) else call.principal.id

    def _flight_key(self, call: Call, who: bytes) -> tuple[object, ...]:
        """Return what calls must have in common to share a fill (DESIGN section 5, step 3)."""
        headers = call.request.headers
        epoch = self.desk.tombstones.epoch(call.marks)
        own = (header(headers, b"accept-encoding"), header(headers, b"if-none-match"))
        return (call.plan.key, who, epoch, call.profile, call.no_stale, own)

    def _landed(self, key: tuple[object, ...], flight: Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _count(self, call: Call, given: Answer) -> None:
        if given.absent:
            self.stats.event("absent")
            return
        source = given.source.lower()
        self.stats.answered(source, call.plan.route, len(given.body), call.caller)
        if given.status >= 500 and given.source != answer.STALE:
            self.stats.event("error")


def _missing(why: str) -> Answer:
    """Return what a call gets that only what is kept may answer."""
    missing = own_error(504, why)
    missing.absent = True
    return missing
