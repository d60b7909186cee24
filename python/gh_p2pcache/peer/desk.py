"""What the peer process does with each message of its gateway."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from gh_p2pcache.peer.fills import Fills
from gh_p2pcache.peer.finder import Finder
from gh_p2pcache.peer.messages import (
    Bury,
    Claim,
    Find,
    Message,
    Nobody,
    Proofs,
    Release,
    SignedValidation,
    Waiting,
)
from gh_p2pcache.peer.owner import Owner

_MOST_FINDS = 512

News = SignedValidation | Bury | Proofs


class Desk:
    """Finds for the gateway, tells members its news, and lets others see to the rest."""

    def __init__(
        self,
        *,
        nursery: trio.Nursery,
        own_id: str,
        send: Callable[[Message], None],
        finder: Finder,
        owner: Owner,
        fills: Fills,
        tell: Callable[[News], None],
        manage: Callable[[Message], Awaitable[None]],
    ) -> None:
        """`tell` gossips and remembers news; `manage` takes hello, ban, dial and status."""
        self._nursery = nursery
        self._own_id = own_id
        self._send = send
        self._finder = finder
        self._owner = owner
        self._fills = fills
        self._tell = tell
        self._manage = manage
        self._finds: set[trio.CancelScope] = set()

    async def take(self, message: Message) -> None:
        """Deal with a message; none keeps the next one waiting for the network."""
        if isinstance(message, Find):
            self._begin(message)
        elif isinstance(message, SignedValidation):
            self._announce(message)
        elif isinstance(message, (Bury, Proofs)):
            self._tell(message)
        elif isinstance(message, Release):
            self._fills.released((message.scope, message.tag))
        else:
            self._nursery.start_soon(self._manage, message)
        await trio.lowlevel.checkpoint()

    def left(self) -> None:
        """End what a gateway that is gone has begun, so that others may have its leases."""
        for find in self._finds:
            find.cancel()
        self._fills.abandon()

    def _announce(self, message: SignedValidation) -> None:
        """Tell first who waits for it, then everybody."""
        key, claim = (message.scope, message.tag), Claim(self._own_id, message.row())
        self._owner.announced(*key, (claim,))
        self._fills.announced(key, claim)
        self._tell(message)

    def _begin(self, wanted: Find) -> None:
        if len(self._finds) >= _MOST_FINDS:
            self._send(Nobody(wanted.n, yours=False))
            return
        scope = trio.CancelScope()
        self._finds.add(scope)
        self._nursery.start_soon(self._find, wanted, scope)

    async def _find(self, wanted: Find, scope: trio.CancelScope) -> None:
        try:
            with scope:
                answer = await self._finder.find(wanted, lambda: self._send(Waiting(wanted.n)))
                if scope.cancel_called:
                    self._fills.abandon((wanted.scope, wanted.tag))
                elif answer.parcel is not None:
                    self._send(answer.parcel.found(wanted.n))
                else:
                    self._send(Nobody(wanted.n, answer.yours, self._finder.known(wanted)))
        finally:
            self._finds.discard(scope)
