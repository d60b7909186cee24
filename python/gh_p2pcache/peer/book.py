"""Who we know: where they listen, what they share with us, how they behave.

No IO but `load` and `save`; the clocks are given. Bounded whatever peers do.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.address import Address, parse
from gh_p2pcache.peer.rates import Budget
from gh_p2pcache.peer.wire import Member

_LOG = logging.getLogger("gh_p2pcache.peer")

_ENTRIES = 2000
_KEPT = 256
"""Peers whose addresses are written down."""
_ADDRESSES = 8
_DROPPED_AT = -100.0
_FORGIVEN_PER_SECOND = 0.5
_BAN_SECONDS = 600.0
"""For the first time; twice as long for each further one."""
_LONGEST_BAN = 7 * 86400.0


class Connection(Protocol):
    """What the book asks of a `link.Link`."""

    since: float

    @property
    def rtt(self) -> float:
        """Seconds."""

    @property
    def bytes_in(self) -> int:
        """Bytes that came."""

    @property
    def bytes_out(self) -> int:
        """Bytes that went."""


@dataclass(slots=True)
class Entry:
    """One peer."""

    id: str
    addresses: dict[Address, None] = field(default_factory=dict)
    """Newest last."""
    seen: float = 0.0
    """When it was last a connected member, unix seconds; 0.0: never."""
    link: Connection | None = None
    scopes: frozenset[bytes] = frozenset()
    accepting: bool = False
    keeper: bool = False
    records_in: int = 0
    records_out: int = 0
    past_in: int = 0
    past_out: int = 0
    score: float = 0.0
    scored_at: float = 0.0
    bans: int = 0
    banned_until: float = 0.0
    why: str = ""
    budget: Budget = field(default_factory=Budget)


class Book:
    """See `wire.Book`; `on_ban(peer)` must close its connection."""

    def __init__(
        self,
        path: Path | None,
        on_ban: Callable[[str], None],
        *,
        now: Callable[[], float],
        ticks: Callable[[], float],
    ) -> None:
        self._path = path
        self._on_ban = on_ban
        self._now = now
        self._ticks = ticks
        self._entries: dict[str, Entry] = {}
        self._changed = False

    def entry(self, peer: str) -> Entry:
        """Return what is known of a peer, making room for it if it is new."""
        if peer not in self._entries:
            if len(self._entries) >= _ENTRIES:
                self._evict()
            self._entries[peer] = Entry(peer)
        return self._entries[peer]

    def entries(self) -> Sequence[Entry]:
        """Return all that is known."""
        return tuple(self._entries.values())

    def connected(self, peer: str, link: Connection, scopes: frozenset[bytes]) -> None:
        """Note that a member is there."""
        entry = self.entry(peer)
        self._settle(entry)
        entry.link, entry.scopes, entry.seen = link, scopes, self._now()
        self._changed = True

    def disconnected(self, peer: str) -> None:
        """Note that a member is gone."""
        entry = self.entry(peer)
        self._settle(entry)
        entry.link, entry.scopes, entry.seen = None, frozenset(), self._now()

    def learn(self, peer: str, addresses: Iterable[Address]) -> None:
        """Note where a peer may be dialled: the newest come first, and the oldest go."""
        entry = self.entry(peer)
        known = dict.fromkeys((*addresses, *entry.addresses))
        entry.addresses = dict.fromkeys(list(known)[:_ADDRESSES])
        self._changed = True

    def members(self, scope: bytes) -> Sequence[Member]:
        """Return the connected members of a scope, quickest first."""
        found = [
            Member(entry.id, entry.accepting, entry.link.rtt, entry.keeper, self._score(entry))
            for entry in self._entries.values()
            if entry.link is not None and scope in entry.scopes
        ]
        return sorted(found, key=lambda member: member.rtt)

    def is_member(self, peer: str, scope: bytes) -> bool:
        """Tell whether a connected peer proved the key of this scope."""
        return scope in self.scopes(peer)

    def scopes(self, peer: str) -> frozenset[bytes]:
        """Return the scopes that a connected peer shares with us."""
        entry = self._entries.get(peer)
        return frozenset() if entry is None else entry.scopes

    def note_records(self, peer: str, *, received: int = 0, sent: int = 0) -> None:
        """Count records."""
        entry = self.entry(peer)
        entry.records_in += received
        entry.records_out += sent

    def allow(self, peer: str, what: str, amount: int = 1) -> bool:
        """Take from the peer's budget; who goes on beyond it is dropped."""
        entry = self.entry(peer)
        if entry.budget.take(what, amount, self._ticks()):
            return True
        self.misbehaved(peer, 1, f"too much {what}")
        return False

    def misbehaved(self, peer: str, points: int, why: str) -> None:
        """Score a peer down; at -100 it is dropped and banned."""
        entry = self.entry(peer)
        entry.score = self._score(entry) - points
        entry.scored_at = self._ticks()
        _LOG.info("%s: %s (score %.0f)", peer, why, entry.score)
        if entry.score <= _DROPPED_AT and not self.is_banned(peer):
            self.ban(peer, why, min(_BAN_SECONDS * 2**entry.bans, _LONGEST_BAN))

    def ban(self, peer: str, why: str, seconds: float = _LONGEST_BAN) -> None:
        """Have nothing to do with a peer for so long; kept over restarts."""
        entry = self.entry(peer)
        entry.bans += 1
        entry.banned_until = max(entry.banned_until, self._now() + seconds)
        entry.why, entry.score = why, 0.0
        self._changed = True
        _LOG.warning("%s is banned: %s", peer, why)
        self._on_ban(peer)

    def lift(self, peer: str) -> None:
        """End a ban before its time, and forget what led to it."""
        entry = self.entry(peer)
        entry.banned_until, entry.bans, entry.score = 0.0, 0, 0.0
        self._changed = True

    def is_banned(self, peer: str) -> bool:
        """Tell whether to refuse a peer."""
        entry = self._entries.get(peer)
        return entry is not None and entry.banned_until > self._now()

    def score(self, peer: str) -> float:
        """Return a peer's score: 0.0 for one without a stain, down to -100."""
        return self._score(self.entry(peer))

    def traffic(self, entry: Entry) -> tuple[int, int]:
        """Return the bytes that came from and went to a peer, over all its connections."""
        now_in, now_out = (entry.link.bytes_in, entry.link.bytes_out) if entry.link else (0, 0)
        return entry.past_in + now_in, entry.past_out + now_out

    def load(self) -> None:
        """Read what was saved; a file that cannot be read is a book without entries."""
        if self._path is None or not self._path.exists():
            return
        try:
            saved = json.loads(self._path.read_bytes())
            for peer, row in saved["peers"].items():
                self._restore(peer, row)
        except (
            OSError,
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
            RejectedError,
        ) as error:
            _LOG.warning("%s cannot be read and is begun anew: %s", self._path, error)

    def _restore(self, peer: str, row: Mapping[str, object]) -> None:
        entry = self.entry(peer)
        addresses = row["addresses"]
        assert isinstance(addresses, list)
        entry.addresses = dict.fromkeys(parse(str(text)) for text in addresses)
        entry.seen = float(str(row["seen"]))
        entry.banned_until = float(str(row["banned_until"]))
        entry.bans = int(str(row["bans"]))
        entry.why = str(row["why"])

    def save(self) -> None:
        """Write down members' addresses and bans (0600), if anything of them changed."""
        if self._path is None or not self._changed:
            return
        self._changed = False
        known = sorted(self._entries.values(), key=lambda entry: -entry.seen)
        banned = [entry for entry in known if entry.banned_until > self._now()]
        kept = banned[:_KEPT] + [e for e in known if e.seen and e.addresses and e not in banned]
        rows = {
            entry.id: {
                "addresses": [str(address) for address in entry.addresses],
                "seen": entry.seen,
                "banned_until": entry.banned_until,
                "bans": entry.bans,
                "why": entry.why,
            }
            for entry in kept[: 2 * _KEPT]
        }
        fresh = self._path.with_suffix(".new")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump({"peers": rows}, file)
            fresh.replace(self._path)
        except OSError as error:
            _LOG.warning("%s cannot be written: %s", self._path, error)

    def _score(self, entry: Entry) -> float:
        elapsed = self._ticks() - entry.scored_at
        return min(0.0, entry.score + elapsed * _FORGIVEN_PER_SECOND)

    def _settle(self, entry: Entry) -> None:
        entry.past_in, entry.past_out = self.traffic(entry)
        entry.link = None

    def _evict(self) -> None:
        idle = (e for e in self._entries.values() if e.link is None and not self.is_banned(e.id))
        oldest = min(idle, key=lambda entry: entry.seen, default=None)
        if oldest is None:  # all banned: the ban that ends first
            oldest = min(self._entries.values(), key=lambda entry: entry.banned_until)
        del self._entries[oldest.id]
