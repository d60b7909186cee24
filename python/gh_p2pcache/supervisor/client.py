"""The daemon as the rest of the house sees it: start, stop, restart, status."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gh_p2pcache.errors import DaemonError
from gh_p2pcache.supervisor import commands, environment, place, talk

MAIN = Path(__file__).with_name("__main__.py")
_PATIENCE = 10.0
"""Seconds for what a person asked for and waits for."""


def start(state: Path, env: Mapping[str, str], timeout: float = _PATIENCE) -> None:
    """Return once a daemon of this state directory answers; `env` is what it is to work with.

    Raises DaemonError.
    """
    said = subprocess.run(
        [*_python(), "start", str(state), str(timeout)],
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if said.returncode:
        raise DaemonError(said.stdout.strip() or said.stderr.strip() or "the daemon did not start")


def serve(state: Path, env: Mapping[str, str]) -> None:
    """Become the daemon, in the foreground. Returns by OSError only."""
    command = [*_python(), "serve", str(state)]
    os.execve(command[0], command, dict(env))  # noqa: S606


def stop(state: Path, timeout: float = _PATIENCE) -> bool:
    """End the daemon; False if none runs. Raises DaemonError if it won't end."""
    if status(state) is None:
        return False
    talk.ask(f"{state}/run", "stop", timeout, to_the_end=True)
    deadline = time.monotonic() + timeout
    while (lock := place.take_lock(str(state))) is None:
        if time.monotonic() > deadline:
            raise DaemonError("the daemon does not end")
        time.sleep(0.01)
    os.close(lock)
    return True


def restart(state: Path, env: Mapping[str, str], timeout: float = _PATIENCE) -> None:
    """Have the daemon start again with this environment and the engine in use now.

    Its sockets stay open meanwhile; a daemon that does not run is started. Raises DaemonError.
    """
    if status(state) is None:
        start(state, env, timeout)
        return
    talk.ask(f"{state}/run", "restart", timeout, env=environment.kept(env, str(state)))
    talk.ask(f"{state}/run", "wait", timeout)


def renew(state: Path, timeout: float = _PATIENCE) -> bool:
    """Have a running daemon read its files again: a restart with the environment that it has.

    False if none runs. Calls that come meanwhile wait. Raises DaemonError.
    """
    if status(state) is None:
        return False
    talk.ask(f"{state}/run", "restart", timeout)
    talk.ask(f"{state}/run", "wait", timeout)
    return True


def status(state: Path, timeout: float = 5.0) -> dict[str, Any] | None:
    """Return what the supervisor says of itself; None if there is none. Raises DaemonError.

    Keys: pid, since (epoch seconds), gateway (pid or null when idle), ready, peer (pid or null
    while none runs), peers (see `Peer.state`), restarts, engine (path), run (directory of the
    sockets).
    """
    if not commands.is_alive(str(state)):
        return None
    return talk.ask(f"{state}/run", "status", timeout)


def _python() -> list[str]:
    return [sys.executable, "-I", "-S", str(MAIN)]
