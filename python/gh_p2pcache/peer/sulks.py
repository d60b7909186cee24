"""Who was silent just now: it costs one deadline, and not each."""

from __future__ import annotations

import trio

SULK = 5.0
"""Seconds for which a peer that was silent until the deadline is not asked."""


class Sulks:
    """Peers that are not worth asking for a while."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def speaking(self, peer: str) -> bool:
        """Tell whether a peer is worth asking."""
        return self._until.get(peer, 0.0) <= trio.current_time()

    def sulk_at(self, peer: str) -> None:
        """Ask a silent peer nothing for SULK seconds."""
        now = trio.current_time()
        self._until = {other: until for other, until in self._until.items() if until > now}
        self._until[peer] = now + SULK
