"""Whom to dial, and when: bootstrap addresses, the LAN, what members tell, who was there before.

`Schedule` decides, without IO; `Dialer` does it.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import trio

from gh_p2pcache.peer.address import Address
from gh_p2pcache.peer.wire import OwnAddressError, PeerError

_LOG = logging.getLogger("gh_p2pcache.peer")

_FIRST_DELAY = 1.0
_LONGEST_DELAY = 60.0
_SOON_SECONDS = 120.0
_SOON_DELAY = 5.0
"""For a member that was there a moment ago, and for bootstrap addresses."""
_OTHER_DIALS = 2.0
"""How long the peer with the greater id leaves dialling to the other. It dials all the same: the
other may be behind a NAT, or may not know our address."""
_AT_ONCE = 8
_TARGETS = 512
_FAILURES_KEPT = 10
"""Dials in vain after which an address that only others told of is forgotten."""


@dataclass(slots=True)
class Target:
    """A peer, or an address of whom we don't know the peer (`peer` is "")."""

    peer: str
    addresses: dict[Address, None] = field(default_factory=dict)
    bootstrap: bool = False
    due: float = 0.0
    delay: float = 0.0
    failures: int = 0
    dialing: bool = False
    lost: float = -_SOON_SECONDS
    why: str = ""
    """What went wrong last."""


class Schedule:
    """Which targets are due; `connected(peer)` tells whom we need not dial."""

    def __init__(self, own_id: str, connected: Callable[[str], bool]) -> None:
        self._own = own_id
        self._connected = connected
        self._targets: dict[str, Target] = {}

    def learn(self, peer: str, addresses: Iterable[Address], now: float) -> bool:
        """Note where a peer may be; True when that is news."""
        if peer == self._own:
            return False
        target = self._target(peer, now)
        fresh = [address for address in addresses if address not in target.addresses]
        if fresh:
            target.addresses = dict.fromkeys([*fresh, *target.addresses][:8])
            self._hurry(target, now)
        return bool(fresh)

    def add_bootstrap(self, address: Address, now: float) -> None:
        """Dial this address for ever."""
        target = self._target(address.peer or str(address), now)
        target.peer = address.peer
        target.addresses[address] = None
        target.bootstrap = True
        target.due = now

    def met(self, peer: str, at: Address | None) -> None:
        """Note that a peer is connected; `at`: where it was dialled."""
        for target in self._targets.values():
            if at in target.addresses and not target.peer:
                target.peer = peer  # a bootstrap address without an id: now we know whose it is
            if target.peer == peer:
                target.failures, target.delay, target.why = 0, 0.0, ""

    def lost(self, peer: str, now: float) -> None:
        """Try a peer that is gone again soon."""
        for target in self._of(peer):
            target.lost = now
            target.delay = 0.0
            target.due = now + random.uniform(0.1, 0.5) + self._patience(target)  # noqa: S311

    def hurry(self, now: float) -> None:
        """Try everyone at once: the network has changed."""
        for target in self._targets.values():
            self._hurry(target, now)

    def due(self, now: float, busy: int) -> list[Target]:
        """Return whom to dial now; they count as being dialled until `done`."""
        found = [
            target
            for target in self._targets.values()
            if target.due <= now
            and not target.dialing
            and not (target.peer and self._connected(target.peer))
        ][: max(0, _AT_ONCE - busy)]
        for target in found:
            target.dialing = True
        return found

    def next(self, now: float) -> float:
        """Return the seconds until someone is due."""
        waiting = [
            target.due
            for target in self._targets.values()
            if not target.dialing and not (target.peer and self._connected(target.peer))
        ]
        return max(0.0, min(waiting, default=now + _LONGEST_DELAY) - now)

    def done(self, target: Target, error: PeerError | None, now: float) -> None:
        """Note how a dial went: the error that it ended with, None if it connected."""
        target.dialing = False
        target.why = "" if isinstance(error, OwnAddressError) else str(error or "")
        if error is None:
            return
        target.failures += 1
        if target.failures > _FAILURES_KEPT and not target.bootstrap:
            self._targets = {k: t for k, t in self._targets.items() if t is not target}
            return
        soon = target.bootstrap or now - target.lost < _SOON_SECONDS
        longest = _SOON_DELAY if soon else _LONGEST_DELAY
        target.delay = min(longest, max(_FIRST_DELAY, target.delay * 2))
        target.due = now + target.delay * random.uniform(0.8, 1.2)  # noqa: S311 - jitter

    def problems(self) -> list[str]:
        """Return what a user may want to know: bootstrap addresses that don't answer."""
        return [t.why for t in self._targets.values() if t.bootstrap and t.why]

    def _hurry(self, target: Target, now: float) -> None:
        target.delay = 0.0
        target.due = min(target.due, now) if target.bootstrap else now + self._patience(target)

    def _patience(self, target: Target) -> float:
        mine = target.bootstrap or not target.peer or self._own < target.peer
        return 0.0 if mine else _OTHER_DIALS

    def _of(self, peer: str) -> list[Target]:
        return [target for target in self._targets.values() if target.peer == peer]

    def _target(self, key: str, now: float) -> Target:
        if key not in self._targets:
            if len(self._targets) >= _TARGETS:
                spare = (k for k, t in self._targets.items() if not t.bootstrap and not t.dialing)
                self._targets.pop(next(spare, ""), None)
            known = "" if key.startswith("/") else key
            self._targets[key] = Target(known, due=now)
            self._targets[key].due += self._patience(self._targets[key])
        return self._targets[key]


class Dialer:
    """Dials whom the schedule names; `dial(address)` connects or raises PeerError."""

    def __init__(self, schedule: Schedule, dial: Callable[[Address], Awaitable[str]]) -> None:
        self.schedule = schedule
        self._dial = dial
        self._busy = 0
        self._news = trio.Event()

    def wake(self) -> None:
        """Look at the schedule again."""
        self._news.set()

    async def run(self) -> None:
        """Dial for ever."""
        async with trio.open_nursery() as nursery:
            while True:
                self._news = trio.Event()
                for target in self.schedule.due(trio.current_time(), self._busy):
                    self._busy += 1
                    nursery.start_soon(self._try, target)
                with trio.move_on_after(max(0.05, self.schedule.next(trio.current_time()))):
                    await self._news.wait()

    async def _try(self, target: Target) -> None:
        failed: PeerError | None = PeerError("no address")
        try:
            for address in list(target.addresses):
                try:
                    peer = await self._dial(address)
                except PeerError as error:
                    failed = error
                    _LOG.debug("dialling %s", error)
                else:
                    failed = None
                    self.schedule.met(peer, address)
                    break
        finally:
            self._busy -= 1
            self.schedule.done(target, failed, trio.current_time())
            self.wake()
