"""Teams of real daemons on this machine, met over loopback."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support.sim import SimProcess
from support.team import Daemon, meet

Team = Callable[..., list[Daemon]]


@contextmanager
def teams(sim: SimProcess) -> Iterator[Team]:
    """Start so many machines of one team; the first of each is whom the others dial."""
    started: list[Daemon] = []
    # Not tmp_path: sockets below it need a short path.
    with TemporaryDirectory(prefix="t-", ignore_cleanup_errors=True) as folder:

        def start(
            count: int, env: Mapping[str, str] | None = None, *, met: bool = True
        ) -> list[Daemon]:
            made: list[Daemon] = []
            for _ in range(count):
                more = {"CACHE_BOOTSTRAP_PEERS": made[0].addr} if made else {}
                one = Daemon(Path(folder) / str(len(started)), sim, {**more, **(env or {})})
                started.append(one)
                made.append(one)
                one.start()
            if met:
                meet(*made)
            return made

        sim.control(reset=True, clock_shift=0)
        try:
            yield start
        finally:
            for one in started:
                one.stop()


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
