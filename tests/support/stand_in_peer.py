"""A peer process as the supervisor sees one, in the standard library: a socket and a heartbeat.

It tells its pid to whoever connects, keeps the connection, and leaves when the last one is gone. A
file `peer-behave` in the state directory changes it: `crash` and `missing` end it at its start
(exit codes 1 and 3), `stays` lets it take a second to end, `leak` lists its descriptors and its
environment in `peer-saw`. It notes `start PID` and `end PID` in `peer-life`.
"""

import json
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

STATE = Path(os.environ["CACHE_STATE_DIR"])
_ENDS = {"crash": 1, "missing": 3}


def behaviour() -> str:
    try:
        return (STATE / "peer-behave").read_text()
    except FileNotFoundError:
        return ""


def note(what: str) -> None:
    with (STATE / "peer-life").open("a") as life:
        life.write(f"{what} {os.getpid()}\n")


class StandIn:
    def __init__(self, listening: socket.socket, heartbeat: int) -> None:
        self.listening = listening
        self.heartbeat = heartbeat
        self.connections: list[socket.socket] = []
        self.leave_at: float | None = None

    def serve(self) -> None:
        sign, had_any = b"+", False
        while not (had_any and not self.connections):
            if self.leave_at is None:
                os.write(self.heartbeat, sign)
                sign = b"."
            elif time.monotonic() >= self.leave_at:
                return
            doors = [self.listening] if self.leave_at is None else []
            ready, _, _ = select.select([*doors, *self.connections], [], [], 0.1)
            for there in ready:
                self.hear(there)
            had_any |= bool(self.connections)

    def hear(self, there: socket.socket) -> None:
        if there is self.listening:
            try:
                connection, _ = there.accept()
            except BlockingIOError:
                return
            connection.sendall(f"{os.getpid()}\n".encode())
            self.connections.append(connection)
        elif not there.recv(4096):
            self.connections.remove(there)

    def end(self, *_: object) -> None:
        self.leave_at = time.monotonic() + (behaviour() == "stays")


def main() -> None:
    behave = behaviour()
    note("start")
    if behave == "leak":
        there = [entry.name for entry in Path("/proc/self/fd").iterdir() if entry.exists()]
        (STATE / "peer-saw").write_text(json.dumps([there, dict(os.environ)]))
    if behave in _ENDS:
        sys.exit(_ENDS[behave])
    given = dict(pair.split("=") for pair in os.environ["GH_P2PCACHE_FDS"].split(","))
    stand_in = StandIn(socket.socket(fileno=int(given["peer"])), int(given["heartbeat"]))
    signal.signal(signal.SIGTERM, stand_in.end)
    with suppress(BrokenPipeError):  # nobody listens to the heartbeat: the supervisor is gone
        stand_in.serve()
    note("end")


main()
