import shutil
from pathlib import Path

import pytest

from support.installing import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    machine = Machine(tmp_path_factory.mktemp("built"))
    machine.install("--setup")
    return machine.data


@pytest.fixture
def installed(machine: Machine, built: Path) -> Machine:
    """A machine whose engine was built elsewhere: for what is not about building it."""
    shutil.copytree(built, machine.data, symlinks=True)
    assert "is in order" in machine.install().stdout
    return machine
