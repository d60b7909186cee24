"""Which members hold a record, from what they announced (no IO, no clock of its own).

Bounded fairly: when it is full, who filled most of it loses what was longest not asked for, so
that a member that announces without end only pushes out its own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.clock import AHEAD
from gh_p2pcache.peer.rows import SignedValidation

MOST = 16_384
"""Holdings in all; 0.9 kB each (measured), so 15 MB when full."""
MOST_RELAYED = 16
"""Holders that one member may name, besides itself, for one tag."""

Key = tuple[bytes, str]
"""Scope id and lookup tag."""
_Slot = tuple[str, bool]
"""A holder, and whether it was another that said so."""


@dataclass(frozen=True, slots=True)
class Holder:
    """`peer` holds what `validation` is of; `source`, the holder itself or another, said so."""

    peer: str
    validation: SignedValidation
    source: str

    @property
    def relayed(self) -> bool:
        """Whether this is hearsay, which never replaces what the holder itself said."""
        return self.peer != self.source


class Index:
    """Holders by scope and tag, at most `most`; `now` is GitHub's time in unix seconds."""

    def __init__(self, now: Callable[[], float], most: int = MOST) -> None:
        self._now = now
        self._most = most
        self._tags: dict[Key, dict[_Slot, Holder]] = {}
        self._used: dict[str, OrderedDict[tuple[Key, _Slot], None]] = {}
        self._size = 0
        self._banned: set[bytes] = set()

    def __len__(self) -> int:
        return self._size

    def announced(self, validation: SignedValidation, holder: str, source: str) -> bool:
        """Note that `source` says that `holder` has it; False when that is no news.

        Raises RejectedError for a date in the future and for a signer that is banned.
        """
        if validation.date > self._now() + AHEAD:
            raise RejectedError("an announcement from the future")
        if validation.signer in self._banned:
            raise RejectedError("an announcement of what a banned member signed")
        key = (validation.scope, validation.tag)
        new = Holder(holder, validation, source)
        slots = self._tags.get(key, {})
        for slot in ((holder, False), (holder, new.relayed)):
            known = slots.get(slot)
            if known is not None and not _newer(validation, known.validation):
                return False
        self._replace(key, new)
        while self._size > self._most:
            self._evict()
        return True

    def holders(self, scope: bytes, tag: str, after: int = 0) -> tuple[Holder, ...]:
        """Return who holds an answer that GitHub dates later than `after`, newest first."""
        key = (scope, tag)
        slots = self._tags.get(key, {})
        found = [item for item in slots.items() if item[1].validation.date > after]
        for slot, holder in found:
            self._used[holder.source].move_to_end((key, slot))
        found.sort(key=lambda item: (-item[1].validation.date, item[1].relayed, item[1].peer))
        return tuple(holder for _, holder in found)

    def gone(self, scope: bytes, tag: str, holder: str, digest: bytes) -> None:
        """Forget what a holder was asked for and had no longer."""
        key = (scope, tag)
        for slot in ((holder, False), (holder, True)):
            known = self._tags.get(key, {}).get(slot)
            if known is not None and known.validation.digest == digest:
                self._remove(key, slot)

    def drop(self, peer: str) -> None:
        """Forget all that a peer holds or said."""
        self._drop(lambda holder: peer in (holder.peer, holder.source))

    def drop_signer(self, signer: bytes) -> None:
        """Forget all that `signer` published, and refuse it from now on."""
        self._banned.add(signer)
        self._drop(lambda holder: holder.validation.signer == signer)

    def lift(self, signer: bytes) -> None:
        """Take again what `signer` published."""
        self._banned.discard(signer)

    def _drop(self, doomed: Callable[[Holder], bool]) -> None:
        every = [(key, slot, h) for key, slots in self._tags.items() for slot, h in slots.items()]
        for key, slot, holder in every:
            if doomed(holder):
                self._remove(key, slot)

    def _replace(self, key: Key, new: Holder) -> None:
        """Put a holding in place of what it outdates."""
        slots = self._tags.get(key, {})
        outdated = [(new.peer, True)] if new.relayed else [(new.peer, False), (new.peer, True)]
        for slot in outdated:
            known = slots.get(slot)
            if known is not None and not _newer(known.validation, new.validation):
                self._remove(key, slot)
        if new.relayed:
            self._make_room_for_hearsay(key, new.source)
        slot = (new.peer, new.relayed)
        self._tags.setdefault(key, {})[slot] = new
        self._used.setdefault(new.source, OrderedDict())[key, slot] = None
        self._size += 1

    def _make_room_for_hearsay(self, key: Key, source: str) -> None:
        slots = self._tags.get(key, {})
        said = [slot for slot, h in slots.items() if h.relayed and h.source == source]
        if len(said) >= MOST_RELAYED:
            self._remove(key, min(said, key=lambda slot: (slots[slot].validation.date, slot)))

    def _evict(self) -> None:
        """Take the longest unused holding from whoever has most of them."""
        used = self._used[max(self._used, key=lambda source: (len(self._used[source]), source))]
        self._remove(*next(iter(used)))

    def _remove(self, key: Key, slot: _Slot) -> None:
        slots = self._tags[key]
        source = slots.pop(slot).source
        if not slots:
            del self._tags[key]
        used = self._used[source]
        del used[key, slot]
        if not used:
            del self._used[source]
        self._size -= 1


def _newer(one: SignedValidation, other: SignedValidation) -> bool:
    """Tell whether one replaces the other: by GitHub's date, then (to be the same everywhere) hash.

    Two answers of one second cannot be ordered by time; any order will do that all agree on.
    """
    return (one.date, one.digest, one.signature) > (other.date, other.digest, other.signature)
