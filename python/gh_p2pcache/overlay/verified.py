"""Hosts whose TLS this machine has seen work once, remembered over restarts."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from gh_p2pcache.errors import P2PCacheError
from gh_p2pcache.store.files import replace_text

_LOG = logging.getLogger(__name__)

WAIT = 0.2
"""Seconds that a call waits for a check; the check itself goes on."""

_PAUSE = 30.0
"""Seconds after a check that failed before the next one."""


class Verified:
    """`check(host)` reaches a host as the origin will, trusting what the origin trusts.

    It raises P2PCacheError or OSError where that does not work: then plain gh, which may trust
    something else, is right for that host. By another `way` (a proxy, other certificates) it may
    not work: what is remembered counts for the one alone.
    """

    def __init__(self, state: Path, check: Callable[[str], Awaitable[None]], *, way: str) -> None:
        self._folder = state / "verified"
        self._check = check
        self._way = hashlib.sha256(way.encode(errors="surrogateescape")).hexdigest()
        self._failed: dict[str, float] = {}
        self._running: dict[str, asyncio.Task[bool]] = {}

    async def __call__(self, host: str) -> bool:
        """Say whether the host was verified, now or ever; False too while that takes long."""
        if self._remembered(host):
            return True
        if time.monotonic() < self._failed.get(host, 0.0):
            return False
        task = self._running.get(host)
        if task is None:
            task = self._running[host] = asyncio.create_task(self._verify(host))
            task.add_done_callback(lambda _: self._running.pop(host, None))
        done, _ = await asyncio.wait({task}, timeout=WAIT)
        return bool(done) and task.result()

    def _remembered(self, host: str) -> bool:
        try:
            return (self._folder / host).read_text(encoding="utf-8") == self._way
        except (OSError, ValueError):
            return False

    async def _verify(self, host: str) -> bool:
        try:
            await self._check(host)
        except (P2PCacheError, OSError) as error:
            _LOG.warning("%s is not reached from here: %s", host, error)
            self._failed[host] = time.monotonic() + _PAUSE
            return False
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_text(self._folder / host, self._way)
        except OSError as error:
            _LOG.warning("not remembered that %s was verified: %s", host, error)
        return True
