"""How a place passes from one process image to the next: over an exec, descriptors kept.

A start, a restart and an upgrade all end here, so that a supervisor never has anything of the
environment, the memory or the modules of whoever started it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping

from gh_p2pcache.supervisor import environment, place
from gh_p2pcache.supervisor.engine import Engine
from gh_p2pcache.supervisor.place import Place

_VARIABLE = "GH_P2PCACHE_RESUME"


class Handover:
    """What a supervisor needs to go on where another image of its process left off.

    `report` is a descriptor that waits for the first gateway's fate; `retiring` are children that
    may go on until a monotonic time; `leaving_peer` is the one of them that was the peer process
    (0: none), whose port and identity the next one wants.
    """

    def __init__(
        self,
        held: Place,
        *,
        report: int | None = None,
        foreground: bool = False,
        since: float,
        retiring: Mapping[int, float] | None = None,
        leaving_peer: int = 0,
    ) -> None:
        self.place = held
        self.report = report
        self.foreground = foreground
        self.since = since
        self.retiring = dict(retiring or {})
        self.leaving_peer = leaving_peer

    def execute(self, engine: Engine, env: Mapping[str, str]) -> None:
        """Become the supervisor of the engine in use. Returns by OSError only."""
        descriptors = self.place.descriptors()
        kept = [*descriptors.values(), *([] if self.report is None else [self.report])]
        carried = {
            "state": self.place.state,
            "run": self.place.run,
            "descriptors": descriptors,
            "report": self.report,
            "foreground": self.foreground,
            "since": self.since,
            "retiring": self.retiring,
            "leaving_peer": self.leaving_peer,
        }
        own = environment.kept(env, self.place.state) | {_VARIABLE: json.dumps(carried)}
        command = [*engine.supervisor(), "resume"]
        for descriptor in kept:
            os.set_inheritable(descriptor, True)
        sys.stdout.flush()
        try:
            os.execve(command[0], command, own)  # noqa: S606
        finally:
            for descriptor in kept:
                os.set_inheritable(descriptor, False)


def received() -> Handover:
    """Return what the former image of this process left."""
    carried = json.loads(os.environ.pop(_VARIABLE))
    if carried["report"] is not None:
        os.set_inheritable(carried["report"], False)
    return Handover(
        place.adopt(carried["state"], carried["run"], carried["descriptors"]),
        report=carried["report"],
        foreground=carried["foreground"],
        since=carried["since"],
        retiring={int(pid): until for pid, until in carried["retiring"].items()},
        leaving_peer=carried.get("leaving_peer", 0),  # none from an engine of before peers
    )
