"""How quickly news spreads among peer processes: `python tests/perf/gossip.py [spread|soak …]`.

Ten peer processes share this machine's cores; their gateways are a few lines of trio.
"""

from __future__ import annotations

import itertools
import os
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import trio

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests")]

from gh_p2pcache.peer.messages import Bury, Hello, Message, Proof, Proofs  # noqa: E402
from gh_p2pcache.records.sign import peer_id  # noqa: E402
from gh_p2pcache.store.identity import load_identity  # noqa: E402
from support.network import grant  # noqa: E402
from support.peer_process import Peer, peer_process  # noqa: E402
from support.ports import free_port  # noqa: E402

COUNT = 10
SECONDS = 20.0
SCOPE = grant("team")
EXCHANGES = 10_000
RECONNECTS = int(os.environ.get("RECONNECTS", "1000"))


def hello(port: int, *bootstrap: str) -> Hello:
    return Hello((SCOPE,), port, bootstrap, mdns=False, keeper=False, max_blob=8 << 20)


@asynccontextmanager
async def team(count: int) -> AsyncIterator[list[Peer]]:
    """Run so many peer processes that all know each other."""
    async with AsyncExitStack() as stack:
        peers: list[Peer] = []
        first = ""
        for _ in range(count):
            port = free_port()
            peer = await stack.enter_async_context(
                peer_process(hello(port, *([first] if first else [])))
            )
            if not first:
                own = peer_id(load_identity(peer.home / "state").public)
                first = f"/ip4/127.0.0.1/tcp/{port}/p2p/{own}"
            peers.append(peer)
        with trio.fail_after(120):
            while any(peer.members < count - 1 for peer in peers):  # noqa: ASYNC110 - a process
                await trio.sleep(0.05)
        yield peers


class Arrivals:
    """When each gateway first heard of each mark."""

    def __init__(self, peers: list[Peer]) -> None:
        self._peers = peers
        self._read = [len(peer.said) for peer in peers]
        self.at: dict[tuple[int, bytes], float] = {}

    def look(self) -> None:
        now = time.perf_counter()
        for number, peer in enumerate(self._peers):
            new = peer.said[self._read[number] :]
            self._read[number] += len(new)
            for message in new:
                for mark in _marks(message):
                    self.at.setdefault((number, mark), now)


def _marks(message: Message) -> list[bytes]:
    if isinstance(message, Bury):
        return list(message.marks)
    return [item.what for item in message.items] if isinstance(message, Proofs) else []


async def spread() -> None:
    """Batched news (ten a second, as announcements are) and tombstones, which go at once."""
    async with team(COUNT) as peers:
        arrivals = Arrivals(peers)
        sent: dict[bytes, tuple[int, float, bool]] = {}
        chosen = random.Random(1)
        used = sum(_cpu(peer) for peer in peers)
        began = time.perf_counter()
        for number in itertools.count():
            now = time.perf_counter()
            if now - began > SECONDS:
                break
            if now - began > number / 10:
                source, mark = chosen.randrange(COUNT), os.urandom(16)
                tombstone = number % 10 == 9
                sent[mark] = (source, now, tombstone)
                date = int(time.time())
                await peers[source].say(
                    Bury(SCOPE.id, (mark,), date)
                    if tombstone
                    else Proofs(SCOPE.id, (Proof(mark, mark, date),))
                )
            while time.perf_counter() - began < (number + 1) / 10:
                arrivals.look()
                await trio.sleep(0.002)
        until = time.perf_counter() + 10
        while time.perf_counter() < until:
            arrivals.look()
            await trio.sleep(0.01)
        cpu = sum(_cpu(peer) for peer in peers) - used
        print(f"CPU a message and peer process: {cpu / len(sent) / COUNT * 1e3:.1f} ms")
        for name, wanted in (("announcements", False), ("tombstones", True)):
            took = [
                arrivals.at.get((other, mark), float("inf")) - at
                for mark, (source, at, tombstone) in sent.items()
                if tombstone is wanted
                for other in range(COUNT)
                if other != source
            ]
            took.sort()
            missing = sum(one == float("inf") for one in took)
            print(
                f"{name}, 10/s among {COUNT}: p50 {statistics.median(took):.3f} s,"
                f" p99 {took[int(len(took) * 0.99) - 1]:.3f} s (bar 1),"
                f" {missing} of {len(took)} not within 10 s (bar 0)"
            )


async def soak() -> None:
    """Memory of a peer process over many messages and many connections of others."""
    async with team(2) as peers:
        one, two = peers
        own = peer_id(load_identity(one.home / "state").public)
        port = (await one.status()).port
        address = f"/ip4/127.0.0.1/tcp/{port}/p2p/{own}"
        before = _resident(one)
        for number in range(EXCHANGES):
            await two.status() if number % 100 == 0 else await two.say(
                Proofs(SCOPE.id, (Proof(os.urandom(16), os.urandom(16), int(time.time())),))
            )
            if number % 50 == 0:
                await trio.sleep(0.3)
        between = _resident(one)
        for number in range(RECONNECTS):
            async with peer_process(hello(free_port(), address)) as other:
                with trio.fail_after(60):
                    while not other.members:  # noqa: ASYNC110 - another process
                        await trio.sleep(0.02)
            if number % 100 == 0:
                print(f"  {number} reconnects: {_resident(one):.0f} MB", flush=True)
        print(
            f"resident: {before:.0f} MB, after {EXCHANGES:,} messages {between:.0f} MB,"
            f" after {RECONNECTS:,} connections {_resident(one):.0f} MB (bar 120)"
        )


def _cpu(peer: Peer) -> float:
    fields = Path(f"/proc/{peer.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _resident(peer: Peer) -> float:
    status = Path(f"/proc/{peer.process.pid}/status").read_text()
    rows = (line.split() for line in status.splitlines() if line.startswith("VmRSS"))
    return int(next(rows)[1]) / 1000


if __name__ == "__main__":
    programs = {"spread": spread, "soak": soak}
    for name in sys.argv[1:] or programs:
        trio.run(programs[name])
