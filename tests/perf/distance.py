"""Round trips saved at a distance: `python tests/perf/distance.py`.

The small GitHub answers over TLS behind a proxy that delays each piece by half of ROUND_TRIP each
way. A delaying relay does not delay the TCP handshake (the kernel accepts), so the first piece of a
connection waits one round trip more, in its place. Plain gh, a miss and a revalidated hit through a
warm gateway take turns; what is saved is printed in round trips (to be at least 2).
"""

import asyncio
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests"), str(ROOT / "tests/perf")]

import trustme  # noqa: E402

from gateway import gateway  # noqa: E402
from support.gh import GH, Gh  # noqa: E402
from support.sim import plain_sim  # noqa: E402

ROUND_TRIP = 0.05
ROUNDS = 15


class Proxy:
    """An HTTP proxy that knows CONNECT only, and leads all of it to one port."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.port = 0
        self._ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        self._ready.wait(10)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._tunnel, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await server.serve_forever()

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        await asyncio.gather(_delayed(reader, back, ROUND_TRIP), _delayed(there, writer, 0.0))


async def _delayed(source: asyncio.StreamReader, sink: asyncio.StreamWriter, first: float) -> None:
    loop = asyncio.get_running_loop()
    not_before = loop.time() + first
    while data := await source.read(65536):
        at = max(loop.time() + ROUND_TRIP / 2, not_before + ROUND_TRIP / 2)
        loop.call_at(at, sink.write, data)
    loop.call_later(ROUND_TRIP, sink.close)


def seconds(gh: Gh, *arguments: str) -> float:
    """Return how long one gh takes."""
    began = time.perf_counter()
    said = gh.run("api", *arguments)
    assert said.code == 0, said.err
    return time.perf_counter() - began


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="distance-") as name:
        root = Path(name)
        authority = trustme.CA()
        issued = authority.issue_cert("api.github.com")
        cert, key, ca = (root / one for one in ("cert.pem", "key.pem", "ca.pem"))
        cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(key)
        authority.cert_pem.write_to_path(ca)
        sim = plain_sim(root, "--tls", "0", "--cert", str(cert), "--key", str(key))
        proxy = Proxy(int(sim.tls.rsplit(":", 1)[1]))
        far = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}", "SSL_CERT_FILE": str(ca)}
        version = max(GH)
        with gateway(root / "gateway", "", **far) as ours:
            plain = Gh(version, root / "plain", more=far)
            ttl = Gh(version, root / "ttl", socket=ours.path("ttl"))
            exact = Gh(version, root / "exact", socket=ours.path("exact"))
            took: dict[str, list[float]] = {"plain gh": [], "miss": [], "revalidated": []}
            for gh in (plain, ttl, exact):
                seconds(gh, "user")
            for number in range(ROUNDS):
                took["plain gh"].append(seconds(plain, "user"))
                took["miss"].append(seconds(ttl, f"user?n={number}"))
                took["revalidated"].append(seconds(exact, "user"))
        sim.stop()
    base = statistics.median(took["plain gh"])
    for name, times in took.items():
        median = statistics.median(times)
        saved = (base - median) / ROUND_TRIP
        print(f"{name:12} {median * 1e3:5.0f} ms, {saved:+.1f} round trips saved (bar 2)")


if __name__ == "__main__":
    main()
