"""Judging what is kept: whether this principal may have it, and whether it is still good."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import inf

from gh_p2pcache.engine import answer
from gh_p2pcache.engine.answer import Answer, cache_fields
from gh_p2pcache.engine.call import Call
from gh_p2pcache.engine.clock import Clock
from gh_p2pcache.engine.lists import Lists
from gh_p2pcache.engine.principals import Principal
from gh_p2pcache.engine.proofs import LIFE_SECONDS, Proofs
from gh_p2pcache.engine.shelf import Entry, Shelf
from gh_p2pcache.engine.teams import Teams
from gh_p2pcache.engine.tombstones import Tombstones
from gh_p2pcache.origin.etag import Predictor, by_formula, is_git_name, plain, predict
from gh_p2pcache.policy.conditional import not_modified, wants_gzip
from gh_p2pcache.policy.control import Wishes
from gh_p2pcache.policy.freshness import Profile, lifetime, max_stale
from gh_p2pcache.policy.plan import Access, Plan
from gh_p2pcache.records.message import Headers, header
from gh_p2pcache.records.record import Record
from gh_p2pcache.records.seal import ScopeKeys
from gh_p2pcache.settings import Settings

_NOT_IN_A_304 = frozenset({b"content-type", b"content-encoding", b"content-length"})


class Desk:
    """Finds entries and makes answers of them; asks nobody."""

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        shelf: Shelf,
        tombstones: Tombstones,
        proofs: Proofs,
        predictor: Predictor,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.shelf = shelf
        self.tombstones = tombstones
        self.proofs = proofs
        self.predictor = predictor
        self.lists = Lists()
        self.teams = Teams()
        self.judge: Callable[[Call, Entry], bool] = lambda _call, _entry: True
        self.unheard: set[bytes] = set()
        """Team scopes in which members may have written while this daemon was away."""
        self.away_until = 0.0
        """Until when (by `clock`) it was away."""

    def team_of(self, access: Access | None) -> ScopeKeys | None:
        """Return the team scope that shares what `access` names, if there is one."""
        team = self.teams.of(access)
        return None if team is None else team.keys

    def scopes(self, plan: Plan, principal: Principal) -> tuple[ScopeKeys, ...]:
        """Return the scopes in which a record of this plan may lie, the widest first."""
        team = self.teams.of(plan.access)
        return (principal.keys,) if team is None else (*team.ring, principal.keys)

    def life(self, plan: Plan, wishes: Wishes, profile: Profile) -> float:
        """Return how long an answer is fresh that sets no bound itself."""
        settings = self.settings
        return lifetime(plan, inf, profile, wishes, settings.default_ttl, settings.rules)

    async def find(self, call: Call) -> Entry | None:
        """Return the newest entry of this key, whether or not it may be answered from."""
        entries = [await self.shelf.find(keys, call.plan.key) for keys in call.scopes]
        found = [entry for entry in entries if entry is not None and self._sound(call, entry)]
        return max(found, key=lambda entry: entry.validation.github_date, default=None)

    def _sound(self, call: Call, entry: Entry) -> bool:
        """Tell whether an entry is ours, or what another machine signed and we would have kept."""
        if entry.judged or self.foreign(entry) is None:
            return True
        entry.judged = self.judge(call, entry)
        return entry.judged

    def foreign(self, entry: Entry) -> bytes | None:
        """Return who signed a record that another machine fetched, None for our own."""
        own, signer = self.shelf.signer, entry.record.signer
        return signer if signer and own is not None and signer != own.public else None

    def alive(self, entry: Entry) -> bool:
        """Tell whether no write has buried the entry."""
        tombstones = self.tombstones
        if entry.alive_at == tombstones.generation:
            return True
        if tombstones.buried(entry.marks, entry.validation.github_date):
            return False
        entry.alive_at = tombstones.generation
        return True

    def readable(self, call: Call, entry: Entry, within: float = LIFE_SECONDS) -> bool:
        """Tell whether this principal may see the entry without asking GitHub again."""
        if entry.keys.id == call.principal.keys.id:
            return True
        if self.settings.trust == "team" and call.principal.kind != "none":
            return True
        access = self.access_of(call, entry)
        return access is not None and self.proofs.holds(call.principal.id, access, within)

    @staticmethod
    def access_of(call: Call, entry: Entry) -> Access | None:
        """Return what must have been proven to be answered from this entry."""
        access = call.plan.access
        return None if access is None else access.for_record(entry.body_digest)

    def age(self, entry: Entry) -> float:
        """Return the seconds since GitHub last confirmed the entry."""
        return self.clock.age(entry.validation.validated_at, entry.validation.github_date)

    def remaining(self, call: Call, entry: Entry) -> float:
        """Return the seconds for which the entry is still fresh; 0 or less: it is not."""
        if self.doubt(call, entry):
            return -self.age(entry)
        return min(call.life, entry.validation.ttl, entry.bound) - self.age(entry)

    def fresh(self, call: Call, entry: Entry) -> bool:
        """Tell whether the entry is still good, whoever may read it."""
        return self.alive(entry) and self.remaining(call, entry) > 0

    def doubt(self, call: Call, entry: Entry) -> str:
        """Return why GitHub is to be asked of an entry however young it is, "" for no reason."""
        if self.lists.overtaken(call, entry):
            return "the first page of this list has changed"
        if self.tombstones.recently_written(call.marks):
            return "written to less than 10 s ago"
        if call.profile == "exact" and call.plan.operation is None and self._hearsay(entry):
            return "a member's word alone"
        if self.unheard and self._from_before(call, entry):
            return "from before this daemon's start, and no member has told yet what was written"
        return ""

    def _hearsay(self, entry: Entry) -> bool:
        """Tell whether GitHub has not itself told this machine that the entry is current."""
        own, signer = self.shelf.signer, entry.validation.signer
        return bool(signer) and own is not None and signer != own.public

    def _from_before(self, call: Call, entry: Entry) -> bool:
        """Tell whether a member may have buried the entry while this daemon was away."""
        if call.plan.row.immutable or entry.validation.validated_at >= self.away_until:
            return False
        scopes = (entry.keys, *self.teams.telling(entry.record.tags))
        return not self.unheard.isdisjoint(keys.id for keys in scopes)

    def stale_bound(self, call: Call) -> float:
        """Return the oldest age that may bridge a limit or an outage."""
        return max_stale(call.plan, call.profile, self.settings.max_stale)

    def may_bridge(self, call: Call, entry: Entry | None) -> bool:
        """Tell whether the entry may be given although GitHub could not confirm it."""
        if entry is None or call.no_stale:
            return False
        bound = self.stale_bound(call)
        return self.age(entry) <= bound and self.alive(entry) and self.readable(call, entry, bound)

    def answer(self, call: Call, entry: Entry, source: str, *, detail: str = "") -> Answer:
        """Make an answer of an entry, a 304 where the client's own condition allows one."""
        etag = self.etag(call, entry)
        headers: Headers = entry.base if etag is None else (*entry.base, (b"etag", etag))
        age = 0.0 if source in (answer.MISS, answer.REVALIDATED) else self.age(entry)
        fresh = source in {answer.HIT, answer.PEER}
        remaining = self.remaining(call, entry) if fresh else None
        fields = cache_fields(source, age, remaining=remaining, detail=detail)
        record = entry.record
        if not_modified(call.request.headers, etag):
            kept = tuple(field for field in headers if field[0] not in _NOT_IN_A_304)
            return Answer(304, kept + fields, b"", source, age=int(age), detail=detail)
        body = record.body
        if entry.gzip and not wants_gzip(call.request.headers):
            body = plain(record.headers, body)
            headers = tuple(field for field in headers if field[0] != b"content-encoding")
        headers = (*headers, *fields)
        if record.method != "HEAD":
            headers = (*headers, (b"content-length", b"%d" % len(body)))
        return Answer(record.status, headers, body, source, age=int(age), detail=detail)

    def etag(self, call: Call, entry: Entry) -> bytes | None:
        """Return the ETag GitHub would give this principal: its own, a predicted one, or None."""
        principal = call.principal
        own = entry.own.get(principal.auth)
        if own is None:
            own = entry.record.publisher == publisher(entry.keys, principal)
            own = own and self.foreign(entry) is None
            entry.own[principal.auth] = own
        if own:
            return header(entry.record.headers, b"etag")
        if not self.predictor.trusts(call.plan.site, principal.kind):
            return None
        if principal.auth not in entry.etags:
            foreign = self.foreign(entry) is not None
            entry.etags[principal.auth] = predicted(
                call.request.headers, entry.record, foreign=foreign
            )
        return entry.etags[principal.auth]


def publisher(keys: ScopeKeys, principal: Principal) -> bytes:
    """Return the name under which a principal publishes in a scope: one per Authorization value."""
    return _pseudonym(keys, principal.auth)


@lru_cache(256)
def _pseudonym(keys: ScopeKeys, auth: bytes) -> bytes:
    return keys.pseudonym(auth)


def predicted(sent: Headers, record: Record, *, foreign: bool) -> bytes | None:
    """Return the ETag that the formula gives for `sent`, None where it cannot apply.

    Of a `foreign` record, which another machine signed, never the ETag that it brought: a member
    that forges a body would leave GitHub's own beside it, and a 304 would seem to confirm it.
    """
    vary, etag = header(record.headers, b"vary"), header(record.headers, b"etag")
    if vary is None or etag is None or record.method == "HEAD":
        return None
    if not by_formula(etag):
        return etag if is_git_name(etag) and not foreign else None
    compressed = header(record.headers, b"content-encoding") is not None
    try:
        return predict(sent, vary, plain(record.headers, record.body), compressed=compressed)
    except ValueError:
        return None
