"""`serve --bootstrap`: keep what members announce, for those that come when its holder has left."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

import trio

from gh_p2pcache.peer.exchange import Exchange, Parcel
from gh_p2pcache.peer.index import Index
from gh_p2pcache.peer.messages import Keep, SignedValidation
from gh_p2pcache.peer.wire import Book, PeerError
from gh_p2pcache.records.record import Validation

_LOG = logging.getLogger("gh_p2pcache.peer")

_FETCHES = 4
_PER_SECOND = 50
_BYTES_PER_SECOND = 8 << 20
_MOST_QUEUED = 8192

_Key = tuple[bytes, str]


class Keeper:
    """Fetches what is announced, oldest news first, at most so many records and bytes a second."""

    def __init__(
        self,
        own_id: str,
        book: Book,
        index: Index,
        exchange: Exchange,
        keep: Callable[[Keep], None],
    ) -> None:
        self._own_id = own_id
        self._book = book
        self._index = index
        self._exchange = exchange
        self._keep = keep
        self._queue: OrderedDict[_Key, SignedValidation] = OrderedDict()
        self._more = trio.Event()
        self._free = 0.0

    def announced(self, validation: SignedValidation, holder: str) -> None:
        """Note that a member announced something; never waits, forgets the oldest when full."""
        if holder == self._own_id:
            return
        key = (validation.scope, validation.tag)
        queued = self._queue.get(key)
        if queued is None or queued.date < validation.date:
            self._queue[key] = validation
        if len(self._queue) > _MOST_QUEUED:
            self._queue.popitem(last=False)
        self._more.set()

    async def run(self) -> None:
        """Keep, for ever."""
        async with trio.open_nursery() as nursery:
            for _ in range(_FETCHES):
                nursery.start_soon(self._work)

    async def _work(self) -> None:
        while True:
            while not self._queue:
                if self._more.is_set():
                    self._more = trio.Event()
                await self._more.wait()
            _, announced = self._queue.popitem(last=False)
            await self._pace(announced.size)
            parcel = await self._get(announced)
            if parcel is not None:
                self._keep(parcel.keep(announced.scope, announced.tag))

    async def _pace(self, size: int) -> None:
        now = trio.current_time()
        start = max(now, self._free)
        self._free = start + max(1 / _PER_SECOND, size / _BYTES_PER_SECOND)
        await trio.sleep_until(start)

    async def _get(self, announced: SignedValidation) -> Parcel | None:
        held = await self._exchange.held(announced.scope, announced.tag)
        if held is not None and held.validation.github_date >= announced.date:
            return None
        if held is not None and held.validation.digest == announced.digest:
            return Parcel(_newer(held.validation, announced), self._own_id, held.blob)
        for holder in self._index.holders(announced.scope, announced.tag):
            there = self._book.is_member(holder.peer, announced.scope)
            if there and holder.validation.digest == announced.digest:
                try:
                    return await self._exchange.fetch(holder.peer, holder.validation, via=True)
                except PeerError as error:
                    _LOG.debug("%s announced what it does not give: %s", holder.peer, error)
        return None


def _newer(held: Validation, announced: SignedValidation) -> Validation:
    return replace(
        held,
        github_date=announced.date,
        ttl=announced.ttl,
        signer=announced.signer,
        signature=announced.signature,
    )
