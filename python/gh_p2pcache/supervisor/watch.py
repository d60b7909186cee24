"""The supervisor's loop: keeps a gateway behind the sockets, or takes the sockets away.

The peer process (see `peer`) is watched beside it.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from gh_p2pcache.supervisor import environment, failed, log
from gh_p2pcache.supervisor.child import Child, send
from gh_p2pcache.supervisor.engine import Engine
from gh_p2pcache.supervisor.handover import Handover
from gh_p2pcache.supervisor.peer import Peer
from gh_p2pcache.supervisor.place import SERVED
from gh_p2pcache.supervisor.signals import ended_children, signal_descriptor
from gh_p2pcache.supervisor.talk import Conversation

ROUND, IDLE_ROUND = 2.0, 30.0
"""Seconds between two looks at what changes without a sign: the engine, the paths, the log."""

LATE = 0.5
"""A turn of the loop that ends so much later than it should was itself stopped meanwhile."""

SILENCE, COMING_UP = 3.0, 10.0
"""Seconds of a gateway; see Child. It comes up in 0.2 s on a quiet machine (measured)."""

STARTS = 2
"""Failures to come up, in a row, after which the supervisor leaves."""

DEATHS, DEATHS_WITHIN = 20, 10.0
"""A gateway that comes up and dies so often in so many seconds will go on doing so."""

DRAIN, RETIREMENT = 5.0, 600.0
"""Seconds that a gateway may go on with what it has begun: at `stop`, and at `restart`."""


class Supervisor:
    """One daemon: the sockets of a place, and a gateway behind them when one is wanted."""

    def __init__(self, handover: Handover, engine: Engine, env: Mapping[str, str]) -> None:
        self._handover = handover
        self._place = handover.place
        self._engine = engine
        self._env = environment.kept(env, self._place.state)
        self._retiring = handover.retiring
        self._gateway: Child | None = None
        self._peer = Peer(self._place, engine, self._env, handover.leaving_peer)
        self._came_up = False
        self._failures = 0
        self._restarts = 0
        self._deaths: list[float] = []
        self._conversations: list[Conversation] = []
        self._waiting: list[Conversation] = []
        self._stop_by: float | None = None
        self._over = False
        self._expected = self._next_round = time.monotonic()

    def run(self) -> None:
        """Serve until told to stop or nothing helps. The sockets are gone afterwards."""
        signals = signal_descriptor()
        log.say(f"started: pid {os.getpid()}, engine {self._engine.home}")
        self._spawn()
        try:
            while not self._over:
                self._wait(signals)
                self._look_at_the_clock()
        finally:
            self._peer.stop()
            self._place.withdraw()
            log.say("stopped")

    def _wait(self, signals: int) -> None:
        supervised = self._place.sockets["supervisor"]
        sources: dict[int, Callable[[], None]] = {
            signals: partial(self._take, signals),
            supervised.fileno(): partial(self._accept, supervised),
        }
        for conversation in self._conversations:
            sources[conversation.fileno()] = partial(self._hear, conversation)
        for child in self._children():
            if not child.hung_up:
                sources[child.heartbeat] = self._listen
        if self._gateway is None:
            sources |= {self._place.sockets[name].fileno(): self._wake for name in SERVED}
        if (waited_on := self._peer.wakes_on()) is not None:
            sources[waited_on] = self._peer.wake
        now = time.monotonic()
        self._expected = max(now, self._next_deadline())
        ready, _, _ = select.select(list(sources), [], [], self._expected - now)
        for descriptor in ready:
            sources[descriptor]()
        self._conversations = [c for c in self._conversations if c.open]

    def _children(self) -> Iterator[Child]:
        yield from filter(None, (self._gateway, self._peer.child))

    def _next_deadline(self) -> float:
        deadlines = [self._next_round, self._peer.deadline(), *self._retiring.values()]
        if self._gateway:
            deadlines.append(self._gateway.deadline())
        if self._stop_by is not None:
            deadlines.append(self._stop_by)
        return min(deadlines)

    def _look_at_the_clock(self) -> None:
        now = time.monotonic()
        for child in self._children():
            if now > self._expected + LATE:
                child.forgive()
            child.check(now)
        for pid in [pid for pid, until in self._retiring.items() if now >= until]:
            send(pid, signal.SIGKILL)
            self._retiring[pid] = now + DRAIN
        if self._stop_by is not None:
            alive = list(self._children())
            if now >= self._stop_by:
                for child in alive:
                    child.signal(signal.SIGKILL)
                self._stop_by = now + DRAIN
            self._over = not alive and not self._retiring
        elif now >= self._next_round:
            self._next_round = now + (ROUND if self._gateway else IDLE_ROUND)
            self._make_a_round()

    def _make_a_round(self) -> None:
        if not self._place.intact():
            self._stop("its directories are gone")
        elif self._engine.replaced():
            log.say("the engine was replaced")
            self._succeed(self._env)
        elif not self._handover.foreground:
            log.rotate(self._place.state)
        self._peer.look_again()

    # The gateway's life

    def _wake(self) -> None:
        """Bring a gateway back: somebody has connected."""
        if self._gateway or self._stop_by is not None:
            return
        if self._engine.replaced():
            self._succeed(self._env)
        else:
            self._spawn()

    def _spawn(self) -> None:
        sockets = {name: self._place.sockets[name].fileno() for name in SERVED}
        command = self._engine.gateway()
        self._gateway = Child(
            "gateway", command, self._env, sockets, silence=SILENCE, coming_up=COMING_UP
        )
        self._next_round = min(self._next_round, time.monotonic() + ROUND)

    def _listen(self) -> None:
        self._peer.listen()
        if self._gateway and self._gateway.listen():
            self._failures = 0
            if not self._came_up:
                self._came_up = True
                self._place.announce()
                failed.forget(self._place.state)
                self._report("")
            for conversation in self._waiting:
                conversation.reply({"ready": True})
            self._waiting = []

    def _take(self, signals: int) -> None:
        numbers = os.read(signals, 4096)
        if {signal.SIGTERM, signal.SIGINT, signal.SIGHUP} & set(numbers):
            self._stop("a signal")
        for pid, code in ended_children():
            self._retiring.pop(pid, None)
            self._peer.ended(pid, code)
            if self._gateway and pid == self._gateway.pid:
                self._bury(self._gateway, code)

    def _bury(self, gateway: Child, code: int) -> None:
        """Decide what follows a gateway that has ended."""
        self._listen()
        gateway.close()
        self._gateway = None
        if self._stop_by is not None or (code == 0 and gateway.ready):
            gateway.say_left()
            return
        said = gateway.say_died(code)
        now = time.monotonic()
        self._restarts += 1
        self._failures += not gateway.ready
        self._deaths = [then for then in self._deaths if then > now - DEATHS_WITHIN] + [now]
        if self._failures >= STARTS or len(self._deaths) >= DEATHS:
            self._give_up(said)
        else:
            self._spawn()

    def _give_up(self, said: str) -> None:
        reason = f"the gateway does not come up ({said}; gh p2pcache logs)"
        failed.remember(self._place.state, reason)
        self._report(reason)
        for conversation in self._waiting:
            conversation.reply({"error": reason})
        self._over = True

    def _report(self, reason: str) -> None:
        """Tell the process that started this daemon: "" when it answers, else why not."""
        if self._handover.report is not None:
            try:
                os.write(self._handover.report, f"{reason}\n".encode())
            except BrokenPipeError:
                log.say("nobody waited for the start any more")
            os.close(self._handover.report)
            self._handover.report = None

    # Told from outside

    def _accept(self, supervised: socket.socket) -> None:
        try:
            connection, _ = supervised.accept()
        except OSError:
            return
        self._conversations.append(Conversation(connection))

    def _hear(self, conversation: Conversation) -> None:
        request = conversation.hear()
        if request is None:
            return
        match request.get("command"):
            case "status":
                conversation.reply(self._status())
            case "wait" if self._came_up and (self._gateway is None or self._gateway.ready):
                conversation.reply({"ready": True})
            case "wait":
                self._waiting.append(conversation)
            case "stop":
                # Left open: the client sees the end of the process by the end of the connection.
                conversation.reply({"pid": os.getpid()})
                self._stop("told to")
            case "restart" if self._stop_by is None:
                conversation.reply({"pid": os.getpid()})
                given = request.get("env")
                asked = given if isinstance(given, dict) else self._env
                self._succeed(asked | environment.lasting(self._env))
            case _:
                conversation.reply({"error": "no such command"})

    def _status(self) -> dict[str, object]:
        return {
            "pid": os.getpid(),
            "since": self._handover.since,
            "gateway": self._gateway.pid if self._gateway else None,
            "ready": bool(self._gateway and self._gateway.ready),
            "peer": self._peer.child.pid if self._peer.child else None,
            "peers": self._peer.state(),
            "restarts": self._restarts,
            "engine": self._engine.home,
            "run": self._place.run,
        }

    def _stop(self, why: str) -> None:
        if self._stop_by is not None:
            return
        log.say(f"stopping: {why}")
        self._stop_by = time.monotonic() + DRAIN
        self._report("the daemon was stopped")
        if self._gateway:
            self._gateway.signal(signal.SIGTERM)
        self._peer.stop()
        self._retiring = {pid: min(t, self._stop_by) for pid, t in self._retiring.items()}

    def _succeed(self, env: Mapping[str, str]) -> None:
        """Go on as the engine in use now; the gateway of before finishes what it has begun.

        The sockets stay: whoever connects meanwhile waits for the next gateway.
        """
        log.say("restarting")
        if self._gateway:
            self._gateway.signal(signal.SIGTERM)
            self._gateway.close()
            self._retiring[self._gateway.pid] = time.monotonic() + RETIREMENT
            self._gateway = None
        if leaving := self._peer.retire():
            self._retiring.setdefault(leaving, time.monotonic() + DRAIN)
        self._place.outdate()
        self._handover.retiring = self._retiring
        self._handover.leaving_peer = leaving
        try:
            self._handover.execute(self._engine, env)
        except OSError as error:
            log.say(f"going on as before: {error}")
            self._engine.keep()
            self._env = environment.kept(env, self._place.state)
            self._peer = Peer(self._place, self._engine, self._env, leaving)
            self._spawn()
