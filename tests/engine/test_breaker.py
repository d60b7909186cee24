"""A thing that fails again and again is left alone, and tried again by one at a time."""

import logging

import pytest

from gh_p2pcache.engine.breaker import FAILURES, REST_SECONDS, Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def broken(clock: Clock) -> Breaker:
    breaker = Breaker("it", clock)
    for _ in range(FAILURES):
        assert breaker.admits()
        breaker.failed("no answer")
    return breaker


def test_it_rests_after_failures_in_a_row_and_not_before() -> None:
    clock = Clock()
    breaker = Breaker("it", clock)
    for _ in range(3):
        for _ in range(FAILURES - 1):
            breaker.failed("no answer")
        assert breaker.admits()
        breaker.succeeded()
    breaker = broken(clock)
    assert breaker.resting
    assert not breaker.admits()
    assert breaker.trouble == "no answer"


def test_after_the_rest_one_try_decides() -> None:
    clock = Clock()
    breaker = broken(clock)
    clock.now += REST_SECONDS
    assert breaker.admits()
    assert not breaker.admits(), "the others wait for what comes of it"
    breaker.failed("still no answer")
    clock.now += REST_SECONDS - 1
    assert not breaker.admits()
    clock.now += 1
    assert breaker.admits()
    breaker.succeeded()
    assert breaker.admits()
    assert breaker.admits()
    assert not breaker.trouble


def test_the_log_has_it_once_and_that_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    breaker = broken(clock)
    for _ in range(5):
        clock.now += REST_SECONDS
        breaker.failed("no answer")
    breaker.succeeded()
    breaker.succeeded()
    said = [record.getMessage() for record in caplog.records]
    assert said == ["it fails and is left alone for 60 s: no answer", "it works again"]
