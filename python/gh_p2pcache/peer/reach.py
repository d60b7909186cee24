"""Where this machine can be dialled, and whether anybody has managed to."""

from __future__ import annotations

from collections.abc import Sequence

from gh_p2pcache.peer.address import Address
from gh_p2pcache.peer.watch import own_addresses
from gh_p2pcache.peer.wire_messages import Whereabouts

_MOST_OUTSIDE = 4
_MOST_TOLD = 16


class Reach:
    """Nothing is claimed that was not tried: a peer behind a NAT doesn't say that it accepts."""

    def __init__(self, own_id: str, *, keeper: bool) -> None:
        self._own = own_id
        self._keeper = keeper
        self.port = 0
        self.inside: list[Address] = []
        """On this machine's interfaces."""
        self._outside: dict[Address, None] = {}
        self.accepting = False
        """A member has dialled us, or has told us that it could."""

    def look(self) -> list[Address]:
        """Return the addresses that the interfaces have now."""
        return own_addresses(self.port, self._own)

    def moved(self, *, accepting: bool) -> None:
        """Forget what was true of the network we were in."""
        self.inside = self.look()
        self._outside.clear()
        self.accepting = accepting

    def reached_at(self, address: Address) -> bool:
        """Note where a member could dial us (a forwarded port); True when that is news."""
        if address.peer == self._own and address not in self.inside:
            self._outside = dict.fromkeys([address, *self._outside][:_MOST_OUTSIDE])
        news = not self.accepting
        self.accepting = True
        return news

    def addresses(self) -> Sequence[Address]:
        """Return all of them, those that members have seen first."""
        return [*self._outside, *self.inside]

    def whereabouts(self) -> Whereabouts:
        """Return what members are told."""
        told = tuple(map(str, self.addresses()))[:_MOST_TOLD] if self.accepting else ()
        return Whereabouts(self.accepting, self._keeper, self.port, told)
