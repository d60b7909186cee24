"""The fills of our own gateway for which others wait: the leases that this machine has."""

from __future__ import annotations

import logging

import trio

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.leases import LIFE, Key
from gh_p2pcache.peer.messages import Claim
from gh_p2pcache.peer.owner import WORD, OpenAsk
from gh_p2pcache.peer.wire import PeerError

_LOG = logging.getLogger("gh_p2pcache.peer")


class Fills:
    """Keeps leases alive until they are announced, released or as old as a lease gets."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._open: dict[Key, _Fill] = {}

    def hold(self, key: Key, ask: OpenAsk) -> None:
        """Keep the lease that `ask` gave; it is closed here when it is over."""
        self._over(key, None)
        fill = self._open[key] = _Fill(ask)
        self._nursery.start_soon(self._tend, key, fill)

    def announced(self, key: Key, claim: Claim) -> None:
        """End the lease of a key: we hold it now, as `claim` says."""
        self._over(key, (claim,))

    def released(self, key: Key) -> None:
        """End the lease of a key: there is nothing to share."""
        self._over(key, ())

    def abandon(self, *keys: Key) -> None:
        """End leases (all, if none is named) unfinished: each goes to one that waits."""
        for key in keys or list(self._open):
            self._over(key, None)

    def _over(self, key: Key, claims: tuple[Claim, ...] | None) -> None:
        fill = self._open.pop(key, None)
        if fill is not None:
            fill.claims = claims
            fill.over.set()

    async def _tend(self, key: Key, fill: _Fill) -> None:
        try:
            with trio.move_on_after(LIFE):
                while not fill.over.is_set():
                    with trio.move_on_after(WORD):
                        await fill.over.wait()
                        break
                    await fill.ask.progress()
            if fill.claims is not None:
                await fill.ask.finish(fill.claims)
        except (PeerError, RejectedError) as error:
            # Nobody waits there any more; what we announce reaches others by gossip.
            _LOG.debug("a lease ended early: %s", error)
        finally:
            if self._open.get(key) is fill:
                del self._open[key]
            await fill.ask.close()


class _Fill:
    def __init__(self, ask: OpenAsk) -> None:
        self.ask = ask
        self.over = trio.Event()
        self.claims: tuple[Claim, ...] | None = None
        """What it ended with; None: unfinished."""
