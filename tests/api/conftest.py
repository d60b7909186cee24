"""One cache for tests that need no second one."""

from pathlib import Path

import pytest

from gh_p2pcache.api import Cache
from support.caches import new_cache


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return new_cache(tmp_path)
