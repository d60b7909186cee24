"""Teams of real daemons on this machine, met over loopback."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support.sim import SimProcess
from support.team import Daemon, meet

Team = Callable[..., list[Daemon]]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory whose path is short enough for sockets below it."""
    with TemporaryDirectory(prefix="t-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@pytest.fixture
def team(folder: Path, shared_sim: SimProcess) -> Iterator[Team]:
    """Start so many machines of one team; the first is whom the others dial."""
    started: list[Daemon] = []

    def start(
        count: int, env: Mapping[str, str] | None = None, *, met: bool = True
    ) -> list[Daemon]:
        made: list[Daemon] = []
        for _ in range(count):
            more = {"CACHE_BOOTSTRAP_PEERS": made[0].addr} if made else {}
            one = Daemon(folder / str(len(started)), shared_sim, {**more, **(env or {})})
            started.append(one)
            made.append(one)
            one.start()
        if met:
            meet(*made)
        return made

    shared_sim.control(reset=True, clock_shift=0)
    yield start
    for one in started:
        one.stop()
