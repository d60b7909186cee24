"""Who may see the dashboard: a ticket that is good once, soon, becomes a session."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

TICKET_SECONDS = 60.0
"""For a browser to start; its command line, which other users may see, has the ticket."""

SESSION_SECONDS = 12 * 3600.0
"""Since it was last used."""

_MOST = 16


class Sessions:
    """Tickets and sessions of one gateway, in memory as hashes; the oldest make room."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tickets: OrderedDict[bytes, float] = OrderedDict()
        self._sessions: OrderedDict[bytes, float] = OrderedDict()

    def ticket(self) -> str:
        """Return a new ticket."""
        return self._new(self._tickets, TICKET_SECONDS)

    def redeem(self, ticket: str) -> str | None:
        """Return a session for a ticket, None where it is unknown, used or too old."""
        until = self._tickets.pop(_hash(ticket), 0.0)
        return self._new(self._sessions, SESSION_SECONDS) if until > self._clock() else None

    def holds(self, session: str) -> bool:
        """Tell whether a session is good; it lasts on from now."""
        name = _hash(session)
        if self._sessions.get(name, 0.0) <= self._clock():
            return False
        self._sessions[name] = self._clock() + SESSION_SECONDS
        self._sessions.move_to_end(name)
        return True

    def _new(self, known: OrderedDict[bytes, float], seconds: float) -> str:
        secret = secrets.token_urlsafe(24)
        known[_hash(secret)] = self._clock() + seconds
        while len(known) > _MOST:
            known.popitem(last=False)
        return secret


def _hash(secret: str) -> bytes:
    """Return what a look-up may take its time over without telling anything of the secret."""
    return hashlib.sha256(secret.encode()).digest()
