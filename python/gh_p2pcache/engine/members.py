"""What other machines may give to a call, judged; and what GitHub's answers say of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any

from gh_p2pcache.engine.call import Call
from gh_p2pcache.engine.desk import Desk
from gh_p2pcache.engine.judge import FUTURE_SECONDS, ForgedError, bound, opened
from gh_p2pcache.engine.news import News
from gh_p2pcache.engine.peers import Offer, Peers
from gh_p2pcache.engine.shelf import Entry
from gh_p2pcache.engine.stats import Stats
from gh_p2pcache.engine.trust import Trust
from gh_p2pcache.errors import RejectedError
from gh_p2pcache.origin.etag import plain
from gh_p2pcache.policy.classes import ITSELF
from gh_p2pcache.policy.times import newest_time
from gh_p2pcache.records.record import Record, Validation
from gh_p2pcache.records.seal import ScopeKeys
from gh_p2pcache.records.sign import Signer, check_validation, peer_id, sign_record

_LOG = logging.getLogger(__name__)
_CLOCK_SECONDS = 5
"""How much GitHub's own clocks may differ from each other."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the members had: the entry to go on with, and the scope in which the fill is ours.

    `given`: it is what a member gave, or confirmed, just now.
    """

    entry: Entry | None
    lease: ScopeKeys | None = None
    given: bool = False


class Members:
    """Asks members before GitHub is asked, and judges what they give."""

    def __init__(
        self, desk: Desk, peers: Peers, news: News, *, stats: Stats, signer: Signer, trust: Trust
    ) -> None:
        self._desk = desk
        self._stats = stats
        self._news = news
        self._signer = signer
        self._tasks: set[asyncio.Future[None]] = set()
        self.trust = trust
        self.peers = peers
        desk.judge = self._judge

    def shared(self, call: Call) -> ScopeKeys | None:
        """Return the scope in which members may have an answer to this call; None: private.

        Without a team it is the token's own: whoever holds the same token may have it too.
        """
        if call.plan.access is None:
            return None
        team = self._desk.teams.of(call.plan.access)
        if team is not None:
            return team.keys
        alone = self._desk.teams.all or not self.peers.wanted or call.principal.kind == "none"
        return None if alone else call.principal.keys

    def vouched(self, record: Record) -> Record:
        """Return a record that GitHub gave to this machine, signed."""
        tags = {tag for tag in record.tags if not tag.startswith("signer:")}
        tags.add(f"signer:{self._signer.public.hex()}")
        return sign_record(self._signer, replace(record, tags=tuple(sorted(tags))))

    def answered(self, call: Call, date: int) -> None:
        """Take nothing from before `date` for this key: GitHub's answer of then is not kept."""
        for keys in call.scopes:
            self._news.note(keys.id, call.plan.key, date)

    async def ask(self, call: Call, entry: Entry | None) -> Asked:
        """Return what the members have that is newer than `entry`, which is returned if nothing."""
        keys = self.shared(call)
        if keys is None:
            return Asked(entry)
        if not self.peers.members or call.must_ask:
            return Asked(entry)
        tag = keys.tag(call.plan.key)
        own = entry.digest if entry is not None and entry.keys.id == keys.id else b""
        after = self._known(call, keys, entry)
        found = await self.peers.find(keys.id, tag, have=own, after=after)
        lease = keys if found.yours else None
        if found.offer is None:
            return Asked(entry, lease)
        try:
            taken = await self._take(call, keys, tag, entry, found.offer)
        except RejectedError as error:
            self._stats.event("peer_rejected")
            _LOG.warning("a record from %s is refused: %s", found.offer.peer, error)
            if isinstance(error, ForgedError):
                self._distrust(found.offer.validation.signer, proven=False)
            return Asked(entry, lease)
        return Asked(taken, lease, given=True)

    def may_answer(self, call: Call, entry: Entry) -> bool:
        """Tell whether what a member gave may be answered without asking GitHub first."""
        desk = self._desk
        sound = desk.fresh(call, entry) and desk.readable(call, entry)
        return sound and not any(map(self.trust.suspect, self._others(entry)))

    def samples(self, call: Call) -> bool:
        """Tell whether what a member gave is to be compared with GitHub after the answer."""
        return call.plan.operation is None and self.trust.sample()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work` beside the calls."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def release(self, asked: Asked, key: bytes) -> None:
        """End the lease of a fill, after whatever it brought was announced."""
        keys = asked.lease
        if keys is None:
            return
        entry = self._desk.shelf.hot(keys, key)
        if entry is None or not entry.record.signature or entry.digest:
            loop = asyncio.get_running_loop()
            loop.call_soon(self.peers.release, keys.id, keys.tag(key))

    def confirmed(self, entry: Entry) -> None:
        """GitHub confirmed an entry."""
        for signer in self._others(entry):
            self.trust.agreed(signer)

    def differs(self, call: Call, entry: Entry, text: bytes) -> None:
        """GitHub gave another body (`text`, decoded), which may be new or show a forgery.

        It is one where the body can never change. Else it counts against who vouched for it, unless
        something in the new body happened since. What shows the caller's own permissions (class
        `itself`) may differ from token to token.
        """
        access = call.plan.access
        own = access is None or ITSELF in access.classes
        if own or text == plain(entry.record.headers, entry.record.body):
            return
        proven = call.plan.row.immutable
        if not proven and newest_time(text) >= entry.validation.github_date - _CLOCK_SECONDS:
            return
        for signer in self._others(entry):
            self._distrust(signer, proven=proven)

    def _known(self, call: Call, keys: ScopeKeys, entry: Entry | None) -> int:
        """Return the newest GitHub date of which this machine knows what a key's answer was."""
        entries = (entry, self._desk.shelf.hot(keys, call.plan.key))
        dates = [one.validation.github_date for one in entries if one is not None]
        return max(self._news.newest(keys.id, call.plan.key), *dates, 0)

    async def _take(
        self, call: Call, keys: ScopeKeys, tag: str, entry: Entry | None, offer: Offer
    ) -> Entry:
        """Judge an offer and keep it; raises RejectedError."""
        desk, validation = self._desk, offer.validation
        if offer.blob:
            record = opened(offer, keys, tag)
        elif entry is not None and entry.digest == validation.digest:
            check_validation(keys.id, tag, validation)
            record = entry.record
        else:
            raise RejectedError("a validation without its record")
        longest = self._bound(call, keys, record, validation)
        if desk.tombstones.buried(
            desk.tombstones.marks_in(keys, record.tags), validation.github_date
        ):
            raise RejectedError("a record that a write has buried")
        if validation.github_date <= self._known(call, keys, entry):
            raise RejectedError("a record that is older than what is known by now")
        validation = replace(validation, validated_at=desk.clock.locally(validation.github_date))
        if offer.blob:
            entry = await desk.shelf.adopt(record, validation, keys, offer.blob)
        else:
            assert entry is not None
            await desk.shelf.revalidated(entry, validation, record.headers)
        entry.judged, entry.peer, entry.bound = True, offer.peer, longest
        self._stats.event("peer_records")
        self._stats.event("peer_bytes", len(offer.blob))
        return entry

    def _judge(self, call: Call, entry: Entry) -> bool:
        """Judge a record that came from another machine when a call finds it on disk."""
        try:
            entry.bound = self._bound(call, entry.keys, entry.record, entry.validation)
        except RejectedError as error:
            self._stats.event("peer_rejected")
            _LOG.warning("a kept record of another machine is refused: %s", error)
            return False
        return True

    def _bound(self, call: Call, keys: ScopeKeys, record: Record, validation: Validation) -> float:
        """Return the longest that a record of a member may be fresh; raises RejectedError."""
        desk = self._desk
        team = desk.teams.by_scope(keys.id)
        lists = (team.trusted, team.untrusted) if team else (frozenset[bytes](), frozenset[bytes]())
        for signer in {record.signer, validation.signer} - {b""}:
            if not self.trust.may_publish(signer, *lists):
                raise RejectedError(f"{peer_id(signer)} may not publish here")
        if validation.github_date - desk.clock.github_now() > FUTURE_SECONDS:
            raise RejectedError("a validation from the future")
        if record.access != self._access(call, keys):
            raise RejectedError("a record of another access")
        expected = call.plan.tags | {f"scope:{keys.id.hex()}", f"signer:{record.signer.hex()}"}
        return bound(call, record, expected, largest=desk.settings.max_entry)

    def _access(self, call: Call, keys: ScopeKeys) -> str | None:
        """Return what a record of this call names as its access; None in a token's own scope."""
        access = call.plan.access
        if access is None or self._desk.teams.by_scope(keys.id) is None:
            return None
        return f"{access.repo} {','.join(sorted(access.classes))}"

    def _others(self, entry: Entry) -> set[bytes]:
        return {entry.record.signer, entry.validation.signer} - {b"", self._signer.public}

    def _distrust(self, signer: bytes, *, proven: bool) -> None:
        why = self.trust.differed(signer, proven=proven)
        if why is None:
            return
        self._stats.event("peer_banned")
        self._desk.tombstones.bury([f"signer:{signer.hex()}"], int(self._desk.clock.github_now()))
        # What it only vouched for is judged anew, from disk.
        self._desk.shelf.forget_all()
        self.peers.ban(signer, why)

    def _done(self, task: asyncio.Future[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._stats.event("internal_error")
            _LOG.error("an error of ours beside a call", exc_info=error)
