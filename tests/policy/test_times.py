"""The newest time in a body."""

import pytest

from gh_p2pcache.policy.times import newest_time


@pytest.mark.parametrize(
    ("body", "at"),
    [
        (
            b'[{"updated_at":"2025-01-02T03:04:05Z","created_at":"2024-01-01T00:00:00Z"}]',
            1735787045,
        ),
        (b'{"a":"2025-99-99T03:04:05Z","b":"2024-01-01T00:00:00Z"}', 1704067200),
        (b'{"no":"time"}', 0),
        (b"", 0),
    ],
)
def test_the_newest_time_that_is_one(body: bytes, at: float) -> None:
    assert newest_time(body) == at
