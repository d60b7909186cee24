"""Fills make room for hot hits, and only for those; on a virtual clock."""

import asyncio

import pytest

from gh_p2pcache.engine.pace import MOST_SECONDS, SHARE, Pace

COST = 0.001
"""Seconds for which a call of these tests holds the loop."""


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def pace(clock):
    """A pace that has seen many fills; reading, writing and TLS are a part of a call's cost."""
    made = Pace(clock)

    async def fill():
        clock.now += COST / 1.4

    for _ in range(200):
        await made.timed(fill())
    return made


def starts(pace, clock, *, seconds, hits_per_second, callers):
    """Return when fills start that `callers` ask for one after another, beside so many hits."""
    began, step = clock.now, 0.0001
    ready = [began] * callers
    started, due = [], 0.0
    while clock.now < began + seconds:
        due += hits_per_second * step
        pace.hits += int(due)
        due -= int(due)
        for caller, at in enumerate(ready):
            if at <= clock.now:
                start = clock.now + pace.delay()
                started.append(start)
                ready[caller] = start + COST
        clock.now += step
    return [start - began for start in started]


async def test_without_hits_no_fill_waits(pace):
    assert {pace.delay() for _ in range(1000)} == {0.0}


async def test_few_hits_hold_no_fill_back(pace, clock):
    started = starts(pace, clock, seconds=1.0, hits_per_second=500, callers=4)
    assert len(started) > 3000


@pytest.mark.parametrize("callers", [1, 4])
async def test_beside_many_hits_fills_take_their_share(pace, clock, callers):
    started = starts(pace, clock, seconds=2.0, hits_per_second=20_000, callers=callers)
    settled = [start for start in started if start > 0.2]
    assert len(settled) * COST / 1.8 == pytest.approx(SHARE, rel=0.2)


async def test_nobody_waits_longer_than_said(pace, clock):
    starts(pace, clock, seconds=0.2, hits_per_second=20_000, callers=1)
    waits = [pace.delay() for _ in range(500)]
    assert max(waits) <= MOST_SECONDS + 1e-9
    assert waits == sorted(waits), "first come, first served"


async def test_a_few_fills_now_and_then_do_not_wait_beside_hits(pace, clock):
    for _ in range(50):
        clock.now += 0.05
        pace.hits += 1000
        assert [pace.delay() for _ in range(3)] == [0.0, 0.0, 0.0]


async def test_hits_that_ended_hold_nothing_back(pace, clock):
    starts(pace, clock, seconds=0.5, hits_per_second=20_000, callers=4)
    clock.now += 0.5
    assert {pace.delay() for _ in range(100)} == {0.0}


async def test_what_is_timed_is_not_changed():
    pace = Pace()

    async def fails():
        await asyncio.sleep(0)
        raise ValueError("its own")

    async def is_cancelled():
        try:
            for _ in range(9):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            return "cleaned up"

    with pytest.raises(ValueError, match="its own"):
        await pace.timed(fails())
    task = asyncio.create_task(pace.timed(is_cancelled()))
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "cleaned up"
