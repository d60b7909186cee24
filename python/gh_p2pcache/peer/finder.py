"""What a gateway gets for its question to the members."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from gh_p2pcache.peer.exchange import Exchange
from gh_p2pcache.peer.fills import Fills
from gh_p2pcache.peer.index import Index
from gh_p2pcache.peer.messages import Find, SignedValidation
from gh_p2pcache.peer.owner import Owner
from gh_p2pcache.peer.patience import Patience
from gh_p2pcache.peer.search import OURS, Answer, Parts, Search
from gh_p2pcache.peer.sulks import Sulks
from gh_p2pcache.peer.wire import Book, Wire

_HASTE = 0.9
"""Of the gateway's deadline: an answer after it, a lease above all, would be nobody's."""


class Finder:
    """Answers the gateway's `find`; `synced(scope)` returns once tombstones are known."""

    def __init__(
        self,
        *,
        wire: Wire,
        book: Book,
        index: Index,
        owner: Owner,
        exchange: Exchange,
        fills: Fills,
        synced: Callable[[bytes], Awaitable[None]],
    ) -> None:
        self._parts = Parts(wire, book, index, owner, exchange, fills, Sulks(), synced)

    async def find(self, wanted: Find, waiting: Callable[[], None]) -> Answer:
        """Return an answer within `wanted.deadline`, or later after calls of `waiting`."""
        if not self._parts.book.members(wanted.scope):
            return OURS
        search = Search(self._parts, wanted, Patience(_HASTE * wanted.deadline, waiting))
        await search.run()
        return search.answer

    def known(self, wanted: Find) -> SignedValidation | None:
        """Return the newest that others announced, present or not, and have not denied since."""
        holders = self._parts.index.holders(wanted.scope, wanted.tag, wanted.after)
        own = self._parts.wire.own_id
        return next((holder.validation for holder in holders if holder.peer != own), None)
