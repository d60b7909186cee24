"""One run of a process behind our sockets, watched by its heartbeat."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping

from gh_p2pcache.supervisor import log


class Child:
    """A running gateway or peer process. It has its sockets by inheritance, nothing else of ours.

    Heartbeats (two are due each second) that stay away for `silence` seconds, or `coming_up` for
    the first one, mean that it hangs.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        env: Mapping[str, str],
        sockets: Mapping[str, int],
        *,
        silence: float,
        coming_up: float,
    ) -> None:
        self.name = name
        self.ready = False
        self.heartbeat, theirs = os.pipe()
        os.set_blocking(self.heartbeat, False)
        self._silence = silence
        self._coming_up = coming_up
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
        """Return the monotonic time at which it counts as hung."""
        return self._silent_since + (self._silence if self.ready else self._coming_up)

    def check(self, now: float) -> None:
        """Kill it if it hangs."""
        if now >= self.deadline():
            log.say(f"{self.name} {self.pid} is silent: killed")
            self.signal(signal.SIGKILL)
            self.forgive()

    def forgive(self) -> None:
        """Count silence anew: it was the supervisor that was late."""
        self._silent_since = time.monotonic()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; a process that is gone already is no error."""
        send(self.pid, number)

    def close(self) -> None:
        """Close the heartbeat: whoever still writes to it is to leave."""
        os.close(self.heartbeat)

    def say_died(self, code: int) -> str:
        """Log an end that nobody asked for; returns it in words."""
        said = f"exit code {code}" if code >= 0 else f"signal {-code}"
        how = "died" if self.ready else "did not come up"
        log.say(f"{self.name} {self.pid} {how}: {said}")
        return said

    def say_left(self) -> None:
        """Log an end that was asked for, or was its own wish."""
        log.say(f"{self.name} {self.pid} left")


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a child that may have been reaped."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _become(command: list[str], env: Mapping[str, str], given: Mapping[str, int]) -> None:
    """Turn this forked process into the command; never returns."""
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
