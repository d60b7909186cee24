import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support.act import Runner, make_checkout, make_engine
from support.origin import origin
from support.sim import SimProcess
from support.team import Daemon

__all__ = ["checkout", "engine_of_disk", "keeper", "origin", "runner"]


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository as workflows see it."""
    return make_checkout(tmp_path_factory.mktemp("checkout") / "widgets")


@pytest.fixture(scope="session")
def engine_of_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An engine of the code on disk."""
    return make_engine(tmp_path_factory.mktemp("engine") / "engine")


@pytest.fixture
def runner(checkout: Path, engine_of_disk: Path, sim: SimProcess) -> Iterator[Runner]:
    """A runner that nobody has used."""
    if shutil.which("node") is None:
        pytest.skip("no node")
    # Not tmp_path: sockets below it need a short path.
    with TemporaryDirectory(prefix="a-", ignore_cleanup_errors=True) as root:
        yield Runner(Path(root), checkout, sim, engine_of_disk)


@pytest.fixture
def keeper(sim: SimProcess) -> Iterator[Daemon]:
    """A member that is always on and that jobs can dial."""
    with TemporaryDirectory(prefix="k-", ignore_cleanup_errors=True) as root:
        one = Daemon(Path(root), sim, {"GH_P2PCACHE_KEEPER": "1"})
        one.start()
        yield one
        one.vanish()
