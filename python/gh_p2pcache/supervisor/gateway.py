"""One run of the gateway process, watched by its heartbeat."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping

from gh_p2pcache.supervisor import log

SILENCE = 3.0
"""Seconds without a heartbeat (two are due each second) after which a gateway counts as hung."""

COMING_UP = 10.0
"""Seconds that a gateway has for its first heartbeat: 0.2 on a quiet machine (measured)."""


class Gateway:
    """A running gateway. It has the listening sockets by inheritance, nothing else of ours."""

    def __init__(
        self, command: list[str], env: Mapping[str, str], sockets: Mapping[str, int]
    ) -> None:
        self.ready = False
        self.heartbeat, theirs = os.pipe()
        os.set_blocking(self.heartbeat, False)
        self._silent_since = time.monotonic()
        self.hung_up = False
        self.pid = os.fork()
        if self.pid == 0:
            _become(command, env, {**sockets, "heartbeat": theirs})
        os.close(theirs)

    def listen(self) -> bool:
        """Take in the heartbeats that have come; True at the first of all."""
        try:
            beats = os.read(self.heartbeat, 4096)
        except BlockingIOError:
            return False
        self.hung_up = not beats
        if beats:
            self._silent_since = time.monotonic()
        first = b"+" in beats and not self.ready
        self.ready |= first
        return first

    def deadline(self) -> float:
        """Return the monotonic time at which this gateway counts as hung."""
        return self._silent_since + (SILENCE if self.ready else COMING_UP)

    def forgive(self) -> None:
        """Count silence anew: it was the supervisor that was late."""
        self._silent_since = time.monotonic()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; a gateway that is gone already is no error."""
        send(self.pid, number)

    def close(self) -> None:
        """Close the heartbeat: whoever still writes to it is to leave."""
        os.close(self.heartbeat)


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a child that may have been reaped."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _become(command: list[str], env: Mapping[str, str], given: Mapping[str, int]) -> None:
    """Turn this forked process into the gateway; never returns."""
    try:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(2, 1)
        for descriptor in given.values():
            os.set_inheritable(descriptor, True)
        named = ",".join(f"{name}={descriptor}" for name, descriptor in given.items())
        os.execve(command[0], command, {**env, "GH_P2PCACHE_FDS": named})  # noqa: S606
    except OSError as error:
        log.say(f"{command[0]}: {error}")
    finally:
        os._exit(127)
