"""The supervisor's commands, as sh and `client` run them.

    start STATE SECONDS                 come up, or find a daemon; wait so long for its answer
    ensure STATE CONFIG_DIR [GH_HOST]   start, and have gh's overlay of that directory made
    serve STATE                         the same daemon in the foreground, for a service manager
    resume                              the daemon itself; everything else ends here

Exit code 0, or 6 with one line that says why not: on stdout for sh, `serve` on stderr.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from gh_p2pcache.errors import DaemonError
from gh_p2pcache.supervisor import failed, place
from gh_p2pcache.supervisor.place import Place

COMING_UP, FIRST_ANSWER = 0.6, 0.72
"""Seconds that a gh command waits for a daemon to come up, and then for its overlay, in all.

Where one runs, too: its gateway may be asleep, and has to come up for the overlay.
"""

RUNS_ALREADY = "a daemon is running already (gh p2pcache status); gh p2pcache stop first"

_RETRY = 0.02
_DESCRIPTORS = 4096
"""What a caller may have left open below this number must not live on in a daemon."""


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    commands: Mapping[str, Callable[..., None]] = {
        "start": lambda state, seconds: start(state, float(seconds)),
        "ensure": ensure,
        "serve": serve,
        "resume": resume,
    }
    os.umask(0o077)
    if arguments[0] in {"start", "ensure"}:
        os.closerange(3, _DESCRIPTORS)
    try:
        commands[arguments[0]](*arguments[1:])
    except DaemonError as error:
        reason = str(error)
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    else:
        return 0
    if arguments[0] == "serve":
        print(f"gh-p2pcache: {reason}", file=sys.stderr)
    else:
        print(reason)
    return DaemonError.exit_code


def start(state: str, seconds: float) -> None:
    """Return once a daemon of `state` answers. Raises DaemonError if none does in `seconds`.

    Of several that start at once one wins the lock; the others wait for what the winner reaches.
    """
    began = time.time()
    deadline = time.monotonic() + seconds
    while not is_alive(state):
        if reason := failed.reason_since(state, began):
            raise DaemonError(reason)
        held = place.claim(state, os.environ)
        if held:
            _launch(held, deadline)
            return
        if time.monotonic() >= deadline:
            raise DaemonError("the daemon is still starting")
        time.sleep(_RETRY)


def ensure(state: str, config_dir: str, gh_host: str = "") -> None:
    """Have a daemon, and the overlay of this configuration directory, or say why not."""
    from gh_p2pcache.supervisor import control

    os.environ["GH_CONFIG_DIR"] = config_dir
    deadline = time.monotonic() + FIRST_ANSWER
    start(state, COMING_UP)
    wanted = {"config_dir": config_dir, "gh_host": gh_host}
    left = deadline - time.monotonic()
    run = os.path.realpath(f"{state}/run")
    answer = control.post(f"{run}/control.sock", "/overlay", wanted, left)
    if not answer.get("overlay"):
        raise DaemonError(str(answer.get("reason", "gh's configuration can't be overlaid")))


def serve(state: str) -> None:
    """Become the daemon, in the foreground: logs to stderr, ends on SIGTERM or Ctrl-C."""
    from gh_p2pcache.supervisor.engine import Engine
    from gh_p2pcache.supervisor.handover import Handover

    held = place.claim(state, os.environ)
    if held is None:
        raise DaemonError(RUNS_ALREADY)
    Handover(held, foreground=True, since=time.time()).execute(Engine(), os.environ)


def resume() -> None:
    """Be the supervisor of what was handed over."""
    from gh_p2pcache.supervisor import handover
    from gh_p2pcache.supervisor.engine import Engine
    from gh_p2pcache.supervisor.watch import Supervisor

    Supervisor(handover.received(), Engine(), dict(os.environ)).run()


def is_alive(state: str) -> bool:
    """Say whether a daemon answers, as the entry point does: by one stat (see Place.announce)."""
    if os.path.exists(f"{state}/run/alive"):
        return True
    try:
        with open(f"{state}/run/pid", encoding="ascii") as file:
            os.kill(int(file.read()), 0)
    except (OSError, ValueError):
        return False
    return True


def _launch(held: Place, deadline: float) -> None:
    """Start the daemon that takes `held` over, and wait for its first heartbeat."""
    waiting, report = os.pipe()
    if os.fork() == 0:
        _detach(held, report)
    os.close(report)
    held.close()
    ready, _, _ = select.select([waiting], [], [], max(0.0, deadline - time.monotonic()))
    if not ready:
        raise DaemonError("the daemon is still starting")
    said = os.read(waiting, 4096).decode(errors="replace")
    if said != "\n":
        raise DaemonError(said.strip() or "the daemon ended while it started (gh p2pcache logs)")


def _detach(held: Place, report: int) -> None:
    """Turn this forked process into the daemon; never returns.

    It keeps nothing open that its starter had: a `$(…)` around the command must not wait for it.
    """
    from gh_p2pcache.supervisor import log
    from gh_p2pcache.supervisor.engine import Engine
    from gh_p2pcache.supervisor.handover import Handover

    try:
        os.setsid()
        os.chdir("/")
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor, source in enumerate((null, null, log.open_file(held.state))):
            os.dup2(source, descriptor)
        Handover(held, report=report, since=time.time()).execute(Engine(), os.environ)
    except OSError as error:
        os.write(report, f"{error}\n".encode())
    finally:
        os._exit(DaemonError.exit_code)
