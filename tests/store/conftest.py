import pytest

from support.store_writer import Writers


@pytest.fixture
def writers(tmp_path):
    """Processes that write to the store in `tmp_path/cache`."""
    started = Writers(tmp_path / "cache")
    yield started
    started.end()
