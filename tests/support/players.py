"""A random run: machines are asked and written through, die and lose each other; all is noted."""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from gh_p2pcache.supervisor.peer import DEATHS, WITHIN
from support.gateway import Reply
from support.history import Failure, History, Read, Write
from support.sim import SimProcess
from support.team import Daemon
from support.wait import until

REPOS = {"acme/widgets": 20, "acme/private": 3, "acme/many": 0, "octo/hello": 2}
"""How often each is written: within 10 s of a write nothing of a repository is shared."""
TOKENS = ("alice", "bob", "job1", "mallory")
BROKEN = (http.client.HTTPException, OSError)
WRITES = 1 / 100
"""The part of all calls that write."""
PAUSE = 0.02
"""Seconds between two calls of one client."""
BETWEEN = 100
"""Calls between two disturbances."""
_VERSION = re.compile(rb'"title":"version (\d+)"')


@dataclass(frozen=True)
class Key:
    """A question about a repository; a GraphQL one has a `query`.

    `written`: its answer shows the first issue, whose title the writes count up.
    """

    name: str
    repo: str
    target: str
    query: bytes | None = None
    written: bool = True

    @property
    def method(self) -> str:
        return "GET" if self.query is None else "POST"


def keys() -> list[Key]:
    """Return everything that is asked."""
    made = []
    for repo in REPOS:
        owner, _, name = repo.partition("/")
        issue = f"/repos/{repo}/issues/1"
        made.append(Key(issue, repo, issue))
        text = f'query {{ repository(owner: "{owner}", name: "{name}") {{ issue(number: 1)'
        query = json.dumps({"query": text + " { title state } } }"}).encode()
        made.append(Key(f"graphql {repo}", repo, "/graphql", query))
        if repo != "acme/many":
            listed = f"/repos/{repo}/issues?state=all&per_page=100"
            made.append(Key(listed, repo, listed))
    for number in range(2, 60):
        issue = f"/repos/acme/many/issues/{number}"
        made.append(Key(issue, "acme/many", issue, written=False))
    return made


class Players:
    """Clients of all machines, and the history that they write."""

    def __init__(self, machines: Sequence[Daemon], sim: SimProcess, seed: int) -> None:
        self._machines = machines
        self._sim = sim
        self._seed = seed
        self._keys = keys()
        self._versions: Counter[str] = Counter()
        self._locks = {repo: threading.Lock() for repo in REPOS}
        self._over = threading.Event()
        self.calls = 0
        self.sources: Counter[str] = Counter()
        self.history = History(
            sent={key.name: set() for key in self._keys},
            may={
                (token, key.name) for token in TOKENS for key in self._keys if self._may(token, key)
            },
            subject={key.name: key.repo if key.written else key.name for key in self._keys},
        )
        for key in self._keys:
            self.history.sent[key.name] = self._told(key)

    def play(self, disturb: Callable[[random.Random], None], seconds: float) -> None:
        """Ask and write for so long, with `disturb` in between. Raises what a client raised."""
        chance = random.Random(self._seed)
        ends = time.monotonic() + seconds
        with ThreadPoolExecutor(2 * len(self._machines)) as threads:
            clients = [
                threads.submit(self._client, one, random.Random(f"{self._seed} {number}"))
                for number, one in enumerate([*self._machines, *self._machines])
            ]
            try:
                while time.monotonic() < ends and not any(client.done() for client in clients):
                    disturb(chance)
                    goal = self.calls + BETWEEN
                    until(lambda: self.calls >= goal or any(c.done() for c in clients), 60)  # noqa: B023
            finally:
                self._over.set()
        for client in clients:
            client.result()

    def settled(self, one: Daemon) -> bool:
        """Tell whether a machine gives the newest of everything."""
        for key in filter(lambda key: key.written, self._keys):
            reply = self._ask(one, key, "alice", "ttl")
            if reply.status != 200 or _version(reply.plain) != self._newest(key.repo):
                return False
        return True

    def _client(self, one: Daemon, chance: random.Random) -> None:
        while not self._over.wait(PAUSE):
            if chance.random() < WRITES:
                (repo,) = chance.choices(list(REPOS), list(REPOS.values()))
                self._write(one, repo)
            else:
                key, token = chance.choice(self._keys), chance.choice(TOKENS)
                self._read(one, key, token, chance.choice(("ttl", "exact")))
            self.calls += 1

    def _read(self, one: Daemon, key: Key, token: str, door: str) -> None:
        began = time.monotonic()
        try:
            reply = self._ask(one, key, token, door)
        except BROKEN as error:
            self._failed(one, began, error)
            return
        ended = time.monotonic()
        self.sources[reply.source] += 1
        allowed = (token, key.name) in self.history.may
        if reply.status >= 500 or (not allowed and reply.status in {403, 404}):
            return
        date = int(parsedate_to_datetime(reply.field("date")).timestamp())
        version = _version(reply.plain)
        read = Read(
            one.root.name, token, key.name, began, ended, version, date, reply.plain, reply.source
        )
        self.history.reads.append(read)

    def _write(self, one: Daemon, repo: str) -> None:
        """Give the issue its next title, and take down what GitHub then answers."""
        with self._locks[repo]:
            self._versions[repo] += 1
            version = self._versions[repo]
            began = time.monotonic()
            body = json.dumps({"title": f"version {version}"}).encode()
            try:
                status = one.ask(f"/repos/{repo}/issues/1", method="PATCH", body=body).status
            except BROKEN as error:
                self._failed(one, began, error)
                status = 0
            if status == 200:
                written = Write(one.root.name, repo, began, time.monotonic(), version)
                self.history.writes.append(written)
            for key in self._keys:
                if key.repo == repo and key.written:
                    self.history.sent[key.name] |= self._told(key)

    def _told(self, key: Key) -> set[bytes]:
        """Return what GitHub answers now to those who may see it."""
        tokens = {token for token, name in self.history.may if name == key.name}
        return {self._direct(token, key)[1] for token in tokens}

    def _may(self, token: str, key: Key) -> bool:
        status, body = self._direct(token, key)
        return status == 200 and b'"title":' in body

    def _direct(self, token: str, key: Key) -> tuple[int, bytes]:
        """Ask the small GitHub itself, until it answers: its outages end after some calls."""
        while True:
            try:
                status, _, answer = self._sim.request(
                    key.method, key.target, token=token, body=key.query
                )
            except BROKEN:
                continue
            if status < 500:
                return status, answer

    def _ask(self, one: Daemon, key: Key, token: str, door: str) -> Reply:
        return one.ask(key.target, method=key.method, door=door, token=token, body=key.query)

    def _newest(self, repo: str) -> int:
        _, body = self._direct("alice", next(key for key in self._keys if key.repo == repo))
        return _version(body)

    def _failed(self, one: Daemon, began: float, error: Exception) -> None:
        why = f"{type(error).__name__}: {error}"
        self.history.failures.append(Failure(one.root.name, began, time.monotonic(), why))


class Disturber:
    """Kills, partitions and outages, one after the other; `heal` ends what lasts."""

    def __init__(self, machines: Sequence[Daemon], sim: SimProcess, history: History) -> None:
        self._machines = machines
        self._sim = sim
        self._history = history
        self._stopped: list[int] = []
        self._deaths: dict[str, deque[float]] = {}
        self.done: Counter[str] = Counter()

    def __call__(self, chance: random.Random) -> None:
        """Do something bad, and let the last thing pass."""
        self.heal()
        what = chance.choice((self._kill_gateway, self._kill_peer, self._part, self._outage))
        self.done[what.__name__] += 1
        what(chance)

    def heal(self) -> None:
        """Let partitions and outages be over."""
        for pid in self._stopped:
            _signal(pid, signal.SIGCONT)
        self._stopped.clear()
        self._sim.control(faults=[])

    def _kill_gateway(self, chance: random.Random) -> None:
        one = chance.choice(self._machines)
        since = time.monotonic()
        one.kill("gateway")
        one.wake()
        self._history.killed.append((one.root.name, since, time.monotonic()))

    def _kill_peer(self, chance: random.Random) -> None:
        """Kill one, but not so often that its supervisor has it rest."""
        one, now = chance.choice(self._machines), time.monotonic()
        deaths = self._deaths.setdefault(one.id, deque(maxlen=DEATHS - 1))
        if len(deaths) < DEATHS - 1 or deaths[0] < now - WITHIN:
            deaths.append(now)
            self._on_peer(one, signal.SIGKILL)

    def _part(self, chance: random.Random) -> None:
        """Stop peer processes: their machines go on, and know nothing of each other."""
        for one in chance.sample(list(self._machines), 2):
            self._on_peer(one, signal.SIGSTOP)

    def _outage(self, chance: random.Random) -> None:
        kind = chance.choice(("down", "status"))
        self._sim.control(fault={"kind": kind, "match": "GET", "times": 30})

    def _on_peer(self, one: Daemon, number: signal.Signals) -> None:
        try:
            pid = one.pid("peer")
        except LookupError:
            return
        _signal(pid, number)
        if number is signal.SIGSTOP:
            self._stopped.append(pid)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _version(body: bytes) -> int:
    """Return the version of the first issue in an answer: 0 before the first write."""
    found = _VERSION.search(body)
    return int(found[1]) if found else 0
