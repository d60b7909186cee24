"""One line a step, with its time, on a terminal or in a log."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_ERASE = "\r\033[K"


class InstallError(Exception):
    """The set-up can't go on; its text tells the user why and what to do."""


class Progress:
    """Prints steps to stdout; on a terminal the running step's line shows what it is at."""

    def __init__(self) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A terminal of another encoding has no …; that must not end a set-up.
            sys.stdout.reconfigure(errors="replace")
        self._terminal = sys.stdout.isatty()
        self._open = ""

    def say(self, text: str) -> None:
        """Print one line of its own."""
        print(text, flush=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Print `text` when the step begins and its seconds when it ends."""
        started = time.monotonic()
        self._open = f"  {text} …"
        print(self._open, end="", flush=True)
        try:
            yield
        except BaseException:
            print(f"{_ERASE}{self._open} failed" if self._terminal else " failed", flush=True)
            raise
        seconds = f" {time.monotonic() - started:.1f} s"
        print(f"{_ERASE}{self._open}{seconds}" if self._terminal else seconds, flush=True)

    def detail(self, text: str) -> None:
        """Show on a terminal what the running step is at."""
        if self._terminal:
            print(f"{_ERASE}{self._open} {text[:60]}", end="", flush=True)
