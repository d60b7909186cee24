"""What the gateway does in a second: `python tests/perf/gateway.py [hits|misses|start|burst …]`.

Prints figures and ratios against what runs beside it; judge by the ratios on a busy machine.
"""

import asyncio
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests"), str(ROOT / "tests/perf")]

import load  # noqa: E402
import trustme  # noqa: E402

from support.gateway import Gateway  # noqa: E402
from support.ports import free_port  # noqa: E402
from support.sim import SECRETS, plain_sim  # noqa: E402

TOKEN = SECRETS["alice"]
SECONDS = 3.0
TURNS, TURN_SECONDS = 8, 0.5
SMALL = "/repos/acme/widgets/contents/2048"
LARGE = "/repos/acme/widgets/contents/300000"


@contextmanager
def origin(*options: str) -> Iterator[None]:
    """Run tests/perf/origin.py until the block ends."""
    process = subprocess.Popen([sys.executable, str(ROOT / "tests/perf/origin.py"), *options])
    where = Path(options[options.index("--unix") + 1]) if "--unix" in options else None
    port = int(options[options.index("--tls") + 1]) if "--tls" in options else 0
    try:
        _wait(lambda: _answers(where, port))
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def forwarder(socket: Path, upstream: str, ca: Path) -> Iterator[None]:
    """Run tests/perf/forward.py until the block ends."""
    program = [sys.executable, str(ROOT / "tests/perf/forward.py"), "--unix", str(socket)]
    process = subprocess.Popen([*program, "--upstream", upstream, "--ca", str(ca)])
    try:
        _wait(lambda: _answers(socket, 0))
        yield
    finally:
        process.kill()
        process.wait()


def _answers(path: Path | None, port: int) -> bool:
    try:
        if path is not None:
            with socket.socket(socket.AF_UNIX) as tried:
                tried.connect(str(path))
        else:
            socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _wait(ready: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            sys.exit("what was started did not come up")
        time.sleep(0.01)


@contextmanager
def gateway(root: Path, upstream: str, **env: str) -> Iterator[Gateway]:
    """Run a gateway of its own until the block ends."""
    made = Gateway(root, upstream, env)
    made.start()
    try:
        yield made
    finally:
        made.close()


def hits(directory: Path) -> None:
    """Hits of 2 kB and 300 kB, 16 keep-alive connections, beside a trivial uvicorn app."""
    real, bare = directory / "real.sock", directory / "bare.sock"
    small, large = load.request(SMALL, token=TOKEN), load.request(LARGE, token=TOKEN)
    with (
        origin("--unix", str(real)),
        origin("--unix", str(bare), "--bare"),
        gateway(directory / "hits", f"unix://{real}") as ours,
    ):
        for one in (small, large):
            load.load(str(ours.path("ttl")), [one], connections=1, seconds=0.2)
        for name, one, bar in (("2 kB", small, 20_000), ("300 kB", large, 8_000)):
            trivial = load.load(str(bare), [one], connections=16, seconds=SECONDS)
            hit = load.load(str(ours.path("ttl")), [one], connections=16, seconds=SECONDS)
            assert set(hit.statuses) == {200}
            print(
                f"hits, {name}: {hit.rate:,.0f}/s (bar {bar:,}),"
                f" p50 {hit.percentile(0.5) * 1e3:.2f} ms, p99 {hit.percentile(0.99) * 1e3:.2f} ms;"
                f" trivial app {trivial.rate:,.0f}/s; ratio {hit.rate / trivial.rate:.2f} (bar 0.4)"
            )
        print(f"resident: {ours.memory('VmRSS') / 2**20:.0f} MiB, most {ours.memory() / 2**20:.0f}")


def misses(directory: Path) -> None:
    """Misses to a TLS origin, 16 at once, and hits meanwhile."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    cert, key, ca = (directory / name for name in ("cert.pem", "key.pem", "ca.pem"))
    cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(ca)
    port = free_port()
    upstream = f"https://127.0.0.1:{port}"
    with (
        origin("--tls", str(port), "--cert", str(cert), "--key", str(key)),
        gateway(directory / "misses", upstream, SSL_CERT_FILE=str(ca)) as ours,
    ):
        door = str(ours.path("ttl"))
        each = [
            [load.request(f"{SMALL}?n={c}x{n}", token=TOKEN) for n in range(4000)]
            for c in range(16)
        ]
        missed = asyncio.run(load.run(door, each, SECONDS))
        share = ours.stats()["miss"] / len(missed.latencies)
        print(
            f"misses over TLS, 16 at once: {missed.rate:,.0f}/s (bar 2,500),"
            f" p99 {missed.percentile(0.99) * 1e3:.1f} ms; {share:.0%} were misses"
        )
        bare = str(directory / "bare.sock")
        with forwarder(Path(bare), upstream, ca):
            passed = asyncio.run(load.run(bare, each, SECONDS))
        print(
            f"a forwarder that keeps nothing: {passed.rate:,.0f}/s;"
            f" ratio {missed.rate / passed.rate:.2f}"
        )
        hits_beside_misses(door)


def hits_beside_misses(door: str) -> None:
    """Hits alone and hits while 4 connections miss, in turns: the machine's own speed wanders."""
    hot = [load.request(f"{SMALL}?n=0x0", token=TOKEN)]
    turn = multiprocessing.Barrier(2)
    background = multiprocessing.Process(target=missing, args=(door, turn))
    background.start()
    alone, meanwhile = [], []
    for _ in range(TURNS):
        alone.append(load.load(door, hot, connections=16, seconds=TURN_SECONDS).rate)
        turn.wait()
        meanwhile.append(load.load(door, hot, connections=16, seconds=TURN_SECONDS).rate)
        turn.wait()
    background.join()
    print(
        f"hits alone {sum(alone) / TURNS:,.0f}/s,"
        f" while others miss {sum(meanwhile) / TURNS:,.0f}/s:"
        f" ratio {sum(meanwhile) / sum(alone):.2f} (bar 0.7; all on {os.cpu_count()} cores)"
    )


def missing(door: str, turn: Barrier) -> None:
    """Miss every other turn, from a process of its own: threads of one would slow each other."""
    for number in range(TURNS):
        each = [
            [load.request(f"{SMALL}?m={number}x{c}x{n}", token=TOKEN) for n in range(1500)]
            for c in range(4)
        ]
        turn.wait()
        asyncio.run(load.run(door, each, TURN_SECONDS))
        turn.wait()


def start(directory: Path) -> None:
    """From the start of the process to its first answer, and what it takes in memory."""
    with origin("--unix", str(directory / "origin.sock")):
        made = Gateway(directory / "start", f"unix://{directory / 'origin.sock'}")
        took = []
        for _ in range(8):
            began = time.perf_counter()
            made.start()
            assert made.ask(SMALL).status == 200
            took.append(time.perf_counter() - began)
            made.stop()
        print(f"start to first answer: median {sorted(took)[4] * 1e3:.0f} ms (bar 300)")
        made.start()
        made.ask(SMALL)
        print(f"resident, idle: {made.memory('VmRSS') / 2**20:.0f} MiB (bar 80)")
        made.close()


def burst(directory: Path) -> None:
    """200 identical cold calls at once."""
    sim = plain_sim(directory)
    with gateway(directory / "burst", f"unix://{sim.unix}") as ours:
        one = load.request("/repos/acme/widgets/issues", token=TOKEN)
        asyncio.run(load.run(str(ours.path("ttl")), [[one]] * 200, 0.0))
        state = sim.state()
        print(f"200 identical cold calls: {state['total']} upstream (bar 1)")
    sim.stop()


def main() -> None:
    programs = {"hits": hits, "misses": misses, "start": start, "burst": burst}
    chosen = sys.argv[1:] or list(programs)
    with tempfile.TemporaryDirectory(prefix="perf-") as directory:
        for name in chosen:
            place = Path(directory) / name
            place.mkdir()
            programs[name](place)


if __name__ == "__main__":
    main()
