"""Machines for the commands' tests, one fresh and one that a module's tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.machine import Machine
from support.sim import SimProcess


@pytest.fixture
def machine(tmp_path: Path, shared_sim: SimProcess) -> Iterator[Machine]:
    """A machine on which nothing of ours has run yet."""
    shared_sim.control(reset=True, clock_shift=0)
    made = Machine(tmp_path, shared_sim)
    yield made
    made.end()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, shared_sim: SimProcess) -> Iterator[Machine]:
    """A machine with a daemon and gh's overlay."""
    shared_sim.control(reset=True, clock_shift=0)
    made = Machine(tmp_path_factory.mktemp("machine"), shared_sim)
    said = made.do("explain", "user")
    assert said.exit_code == 0, said.stderr
    yield made
    made.end()
