"""Where the store's writes are done: on the loop, unless the disk is slow."""

import threading
from types import SimpleNamespace

import pytest

from gh_p2pcache.engine import writer
from gh_p2pcache.engine.writer import Writer


@pytest.fixture
def clock(monkeypatch):
    """The writer's clock, which stands still but for what the tests add."""
    now = [1000.0]
    monkeypatch.setattr(writer, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.fixture
def made():
    made = Writer()
    yield made
    made.close()


async def on_the_loop(made: Writer, clock: list[float], *, takes: float = 0.0) -> bool:
    where = []

    def work() -> None:
        where.append(threading.current_thread())
        clock[0] += takes

    await made.do(work, size=100, wait=True)
    return where == [threading.main_thread()]


async def test_a_write_that_was_slow_once_changes_nothing(made, clock):
    assert await on_the_loop(made, clock, takes=0.2)
    assert await on_the_loop(made, clock)
    clock[0] += 60
    assert await on_the_loop(made, clock, takes=0.2)
    assert await on_the_loop(made, clock)


async def test_a_slow_disk_does_not_hold_the_loop(made, clock):
    for _ in range(2):
        assert await on_the_loop(made, clock, takes=0.2)
    for _ in range(5):
        assert not await on_the_loop(made, clock, takes=0.2)
    clock[0] += 60
    assert await on_the_loop(made, clock), "it may have recovered"
