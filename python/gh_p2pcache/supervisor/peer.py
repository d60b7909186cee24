"""The peer process: started by the first connection to its socket, restarted when it dies.

Whatever it does, the gateway's sockets and the gateway's life are none of its matter.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping

from gh_p2pcache.supervisor import environment, log
from gh_p2pcache.supervisor.child import Child
from gh_p2pcache.supervisor.engine import Engine
from gh_p2pcache.supervisor.place import PEER, Place

SILENCE, COMING_UP = 10.0, 30.0
"""Seconds; see Child. It imports for 0.6 to 0.8 s on a quiet machine (measured)."""

DEATHS, WITHIN, PAUSE = 3, 60.0, 60.0
"""So many deaths in so many seconds are followed by such a pause."""

NOT_INSTALLED = 3
"""Its exit code without libp2p."""


class Peer:
    """Keeps a peer process behind run/peer.sock while one is wanted."""

    def __init__(self, place: Place, engine: Engine, env: Mapping[str, str], leaving: int) -> None:
        self._place = place
        self._engine = engine
        self._env = environment.for_peer(env)
        self._leaving = leaving
        self._missing = False
        self._installed_before = 0
        self._deaths: list[float] = []
        self._paused_until = 0.0
        self._stopped = False
        self.child: Child | None = None
        if environment.wants_peers(env):
            self._offer()
        else:
            place.withhold_peer()

    def wakes_on(self) -> int | None:
        """Return the descriptor on which somebody may wait for it; None while nobody can."""
        if self.child or self._leaving or self._stopped or PEER not in self._place.sockets:
            return None
        return self._place.sockets[PEER].fileno()

    def state(self) -> str:
        """Return "off", "not installed", "failed" (it gets a pause), "asleep" or "running"."""
        if PEER not in self._place.sockets:
            return "not installed" if self._missing else "off"
        if self.child:
            return "running"
        return "failed" if time.monotonic() < self._paused_until else "asleep"

    def deadline(self) -> float:
        """Return the monotonic time at which it counts as hung."""
        return self.child.deadline() if self.child else float("inf")

    def wake(self) -> None:
        """Start it for the connections that wait, or hang up on them during a pause."""
        if time.monotonic() >= self._paused_until:
            self._start()
            return
        try:
            connection, _ = self._place.sockets[PEER].accept()
        except OSError:
            return
        connection.close()

    def listen(self) -> None:
        """Take in its heartbeats."""
        if self.child:
            self.child.listen()

    def ended(self, pid: int, code: int) -> None:
        """Decide what follows the end of a child; nothing if it was none of ours."""
        if pid == self._leaving:
            self._leaving = 0
        if self.child is None or pid != self.child.pid:
            return
        child, self.child = self.child, None
        child.listen()
        child.close()
        if code == 0 or self._stopped:
            child.say_left()
        elif code == NOT_INSTALLED:
            log.say("peers are not installed (gh p2pcache setup)")
            self._missing, self._installed_before = True, self._engine.peers_installed()
            self._place.withhold_peer()
        else:
            child.say_died(code)
            self._restart()

    def look_again(self) -> None:
        """Offer the socket again once a set-up has brought what was missing."""
        if self._missing and self._engine.peers_installed() != self._installed_before:
            self._missing = False
            self._offer()

    def stop(self) -> None:
        """Let it end, and start no other."""
        self._stopped = True
        if self.child:
            self.child.signal(signal.SIGTERM)

    def retire(self) -> int:
        """Let it end, to be followed by another once it has; returns its pid, 0 if none ran."""
        if self.child:
            self.child.signal(signal.SIGTERM)
            self.child.close()
            self._leaving, self.child = self.child.pid, None
        return self._leaving

    def _start(self) -> None:
        listening = {PEER: self._place.sockets[PEER].fileno()}
        command = self._engine.peer()
        try:
            self.child = Child(
                PEER, command, self._env, listening, silence=SILENCE, coming_up=COMING_UP
            )
        except OSError as error:  # no process or descriptor to be had
            log.say(f"no peers for {PAUSE:.0f} s: {error}")
            self._paused_until = time.monotonic() + PAUSE

    def _restart(self) -> None:
        now = time.monotonic()
        self._deaths = [then for then in self._deaths if then > now - WITHIN] + [now]
        if len(self._deaths) >= DEATHS:
            log.say(f"no peers for {PAUSE:.0f} s: the peer process died {DEATHS} times")
            self._deaths = []
            self._paused_until = now + PAUSE
        else:
            self._start()

    def _offer(self) -> None:
        try:
            self._place.offer_peer()
        except OSError as error:
            log.say(f"no peers: {os.path.join(self._place.run, PEER)}.sock: {error}")
