"""What peers cost and give: `python tests/perf/peers.py [hits|nobody|large|busy|memory …]`.

Several daemons on this machine share its cores: judge by ratios on a busy one.
"""

import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests"), str(ROOT / "tests/perf")]

import load  # noqa: E402

from gateway import origin  # noqa: E402
from gh_p2pcache.cli.control import UnixConnection  # noqa: E402
from support.sim import SECRETS, SimProcess  # noqa: E402
from support.team import Daemon, meet  # noqa: E402
from support.wait import until  # noqa: E402

KEYS = 200
SMALL = "/repos/acme/widgets/contents/2048"
LARGE = "/repos/acme/widgets/contents/1000000"


@contextmanager
def team(directory: Path, count: int, **env: str) -> Iterator[list[Daemon]]:
    """Run so many machines of one team over tests/perf/origin.py until the block ends."""
    directory.mkdir(exist_ok=True)
    socket = directory / "origin.sock"
    sim = SimProcess(None, socket, "", "")  # type: ignore[arg-type]
    made: list[Daemon] = []
    with origin("--unix", str(socket)):
        try:
            for number in range(count):
                more = {"CACHE_BOOTSTRAP_PEERS": made[0].addr} if made else {}
                made.append(Daemon(directory / str(number), sim, {**more, **env}))
                made[-1].start()
            meet(*made, seconds=60.0)
            yield made
        finally:
            for one in made:
                one.stop()


class Line:
    """One kept connection to a daemon, as a warm client has it."""

    def __init__(self, daemon: Daemon) -> None:
        self._connection = UnixConnection(str(daemon.state / "run/ttl.sock"), timeout=60.0)

    def ask(self, target: str, *, accept: str = "*/*") -> tuple[float, str]:
        """Return the seconds that an answer took and where it came from."""
        fields = {
            "Host": "api.github.com",
            "User-Agent": "GitHub CLI 2.103.3",
            "Accept": accept,
            "Accept-Encoding": "gzip",
            "Authorization": f"token {SECRETS['alice']}",
        }
        began = time.perf_counter()
        self._connection.request("GET", target, headers=fields)
        answer = self._connection.getresponse()
        answer.read()
        took = time.perf_counter() - began
        return took, answer.headers["X-GH-Cache-Status"]


def _percentiles(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    p50, p99 = statistics.median(ordered), ordered[int(len(ordered) * 0.99) - 1]
    return f"p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms"


def hits(directory: Path) -> None:
    """What another machine has, warm, the whole path at the gateway."""
    with team(directory, 2) as (one, two):
        first, second = Line(one), Line(two)
        for number in range(KEYS):
            first.ask(f"{SMALL}?n={number}")
        until(lambda: two.total("peer_proofs"), seconds=10)
        second.ask(f"{SMALL}?n=0")
        time.sleep(1)  # the last batch of announcements
        asked = [second.ask(f"{SMALL}?n={number}") for number in range(1, KEYS)]
        share = sum(source == "PEER" for _, source in asked) / len(asked)
        took = [seconds for seconds, source in asked if source == "PEER"]
        print(f"peer hit, 2 kB: {_percentiles(took)} (bars 12 and 50 ms); {share:.0%} were")


def large(directory: Path) -> None:
    """A body of 1 MB."""
    with team(directory, 2) as (one, two):
        first, second = Line(one), Line(two)
        for number in range(20):
            first.ask(f"{LARGE}?n={number}")
        until(lambda: two.total("peer_proofs"), seconds=10)
        time.sleep(1)
        asked = [second.ask(f"{LARGE}?n={number}") for number in range(20)]
        took = [seconds for seconds, source in asked[1:] if source == "PEER"]
        print(f"peer hit, 1 MB: {_percentiles(took)} (bar 60 ms); {len(took)} of 19 were")


def nobody(directory: Path) -> None:
    """A miss with 10 live peers that have nothing, beside one of a machine without peers."""
    with team(directory, 11) as machines:
        alone = Daemon(
            directory / "alone",
            SimProcess(None, directory / "origin.sock", "", ""),  # type: ignore[arg-type]
            {"CACHE_ENABLE_P2P": "false"},
        )
        alone.start()
        try:
            lines = [Line(machines[5]), Line(alone)]
            took: list[list[float]] = [[], []]
            for number in range(KEYS):
                for which, line in enumerate(lines):
                    seconds, source = line.ask(f"{SMALL}?m={number}")
                    assert source == "MISS", source
                    took[which].append(seconds)
            added = statistics.median(took[0]) - statistics.median(took[1])
            most = max(took[0])
            print(
                f"a miss with 10 peers: {_percentiles(took[0])}, alone {_percentiles(took[1])}:"
                f" {added * 1e3:.1f} ms more at the median (bar 10), most {most * 1e3:.0f} ms"
            )
        finally:
            alone.stop()


def busy(directory: Path) -> None:
    """Hits while the peer process answers another machine.

    Beside hits while all is idle, and, since the machines share this one's cores, beside hits while
    two others, of a team of their own, do the same to each other.
    """
    with (
        team(directory / "a", 2) as ours,
        team(directory / "b", 2, CACHE_P2P_SHARED_SECRET="b" * 9) as others,
    ):
        for one, _ in (ours, others):
            first = Line(one)
            for number in range(2000):
                first.ask(f"{SMALL}?n={number}")
        time.sleep(1)
        idle = _hits(ours[0])
        elsewhere = _hits(ours[0], asking=others[1])
        meanwhile = _hits(ours[0], asking=ours[1])
        print(
            f"hits: {idle:,.0f}/s, with the peer process busy {meanwhile:,.0f}/s:"
            f" ratio {meanwhile / idle:.2f}; with as much done by others on these cores"
            f" {elsewhere:,.0f}/s: ratio {meanwhile / elsewhere:.2f} (bar 0.85)"
        )


def _hits(one: Daemon, asking: Daemon | None = None) -> float:
    """Return a machine's hits a second, while another one asks its members for everything."""
    hot = load.request(f"{SMALL}?n=0", token=SECRETS["alice"])
    # A process: a thread would slow the load down.
    process = multiprocessing.Process(target=_fetch_all, args=(asking,)) if asking else None
    if process:
        process.start()
    rate = load.load(str(one.state / "run/ttl.sock"), [hot], connections=16, seconds=3.0).rate
    if process:
        process.terminate()
        process.join()
    return rate


def _fetch_all(daemon: Daemon) -> None:
    line = Line(daemon)
    for number in range(2000):
        line.ask(f"{SMALL}?n={number}")


def memory(directory: Path) -> None:
    """Resident memory and idle CPU of a peer process with 10 members."""
    with team(directory, 11) as machines:
        pid = machines[3].pid("peer")
        before = _cpu(pid)
        time.sleep(20)
        used = (_cpu(pid) - before) / 20
        print(
            f"peer process with 10 members: {_resident(pid):.0f} MB (bar 120),"
            f" idle {used:.1%} CPU (bar 1%)"
        )


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return (
        next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        / 1000
    )


def main() -> None:
    programs = {"hits": hits, "large": large, "nobody": nobody, "busy": busy, "memory": memory}
    for name in sys.argv[1:] or programs:
        with tempfile.TemporaryDirectory(prefix="p-", ignore_cleanup_errors=True) as directory:
            programs[name](Path(directory))


if __name__ == "__main__":
    main()
