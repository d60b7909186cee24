from pathlib import Path

import pytest

from support.circle import Circle


@pytest.fixture
def circle(tmp_path: Path) -> Circle:
    """Machines that know each other, none as yet."""
    return Circle(tmp_path)
