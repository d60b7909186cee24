"""Teams of real daemons on this machine, met over loopback."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support.sim import SimProcess
from support.team import PATIENT, Daemon, meet

Team = Callable[..., list[Daemon]]


def at_once(do: Callable[[Daemon], None], machines: Sequence[Daemon]) -> None:
    """Do something with several machines at the same time."""
    with ThreadPoolExecutor(len(machines) or 1) as threads:
        list(threads.map(do, machines))


@contextmanager
def teams(sim: SimProcess) -> Iterator[Team]:
    """Start so many machines of one team; the first of each is whom the others dial."""
    started: list[Daemon] = []
    # Not tmp_path: sockets below it need a short path.
    with TemporaryDirectory(prefix="t-", ignore_cleanup_errors=True) as folder:

        def start(
            count: int, env: Mapping[str, str] | None = None, *, met: bool = True
        ) -> list[Daemon]:
            env = {**PATIENT, **(env or {})}
            first = Daemon(Path(folder) / str(len(started)), sim, env)
            dials = {"CACHE_BOOTSTRAP_PEERS": first.addr, **env}
            started.append(first)
            for _ in range(count - 1):
                started.append(Daemon(Path(folder) / str(len(started)), sim, dials))
            made = started[-count:]
            at_once(Daemon.start, made)
            if met:
                meet(*made)
            return made

        sim.control(reset=True, clock_shift=0)
        try:
            yield start
        finally:
            at_once(Daemon.vanish, started)


@pytest.fixture
def team(shared_sim: SimProcess) -> Iterator[Team]:
    """Starts machines that end with the test."""
    with teams(shared_sim) as start:
        yield start


@pytest.fixture(scope="module")
def lasting_team(shared_sim: SimProcess) -> Iterator[Team]:
    """Starts machines that end with the file of tests."""
    with teams(shared_sim) as start:
        yield start
