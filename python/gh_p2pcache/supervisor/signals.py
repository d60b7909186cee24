"""Signals as something to wait for among other descriptors, and the children that ended."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator


def signal_descriptor() -> int:
    """Return a descriptor from which the numbers of the signals that come can be read."""
    reading, writing = os.pipe()
    for end in (reading, writing):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    # A child that ended while another image of this process was in memory.
    os.write(writing, bytes([signal.SIGCHLD]))
    return reading


def ended_children() -> Iterator[tuple[int, int]]:
    """Reap the children that have ended; yields pid and exit code (minus the signal's number)."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, os.waitstatus_to_exitcode(status)
