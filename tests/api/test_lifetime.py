"""How long an entry is given, on a virtual clock: against a dict and a few lines of rules."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from gh_p2pcache.api import Cache, DataError
from support.caches import VirtualTime, new_cache

MAX_STALE = 3600.0
QUESTIONS = st.sampled_from([("runs", 1), ("runs", 2), ("run", 1), ("issues", 1)])
LIFETIMES = st.sampled_from([0.0, 0.5, 10.0, 300.0, 3599.0, 3601.0, 90_000.0, math.inf])
SPANS = st.sampled_from([0.0, 0.5, 9.5, 10.0, 299.0, 301.0, 3599.5, 3600.0, 86_400.0])


@dataclass
class Put:
    data: int
    at: float
    ttl: float


class Lifetimes(RuleBasedStateMachine):
    """Several caches on one store, one clock, and what they must answer."""

    below: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(dir=self.below))
        self.time = VirtualTime()
        self.model: dict[tuple[str, int], Put] = {}
        self.data = 0

    @initialize()
    def open(self) -> None:
        self.caches = [
            new_cache(self.root, self.time, CACHE_MAX_STALE=f"{MAX_STALE:.0f}") for _ in range(2)
        ]

    def age(self, put: Put) -> float:
        return self.time.steady() - put.at

    @rule(question=QUESTIONS, ttl=LIFETIMES, which=st.integers(0, 1))
    def put(self, question: tuple[str, int], ttl: float, which: int) -> None:
        self.data += 1
        assert self.caches[which].put(question[0], self.data, ttl, question[1])
        self.model[question] = Put(self.data, self.time.steady(), ttl)

    @rule(question=QUESTIONS, which=st.integers(0, 1))
    def get(self, question: tuple[str, int], which: int) -> None:
        put = self.model.get(question)
        wanted = put.data if put and self.age(put) < put.ttl else None
        cache = self.caches[which]
        hits, misses = cache.hits, cache.misses
        assert cache.get(*question) == wanted
        assert (cache.hits - hits, cache.misses - misses) == ((1, 0) if wanted else (0, 1))

    @rule(question=QUESTIONS, which=st.integers(0, 1))
    def get_stale(self, question: tuple[str, int], which: int) -> None:
        put = self.model.get(question)
        given = put is not None and (self.age(put) < put.ttl or self.age(put) <= MAX_STALE)
        found = self.caches[which].find(*question)
        assert self.caches[which].get_stale(*question) == (put.data if put and given else None)
        assert (found is not None) == given
        if found is not None and put is not None:
            assert (found.data, found.ttl) == (put.data, put.ttl)
            assert found.age == pytest.approx(self.age(put), abs=1e-3)
            assert found.fresh == (self.age(put) < put.ttl)

    @rule(question=QUESTIONS, which=st.integers(0, 1))
    def invalidate(self, question: tuple[str, int], which: int) -> None:
        held = self.model.pop(question, None) is not None
        assert self.caches[which].invalidate(*question) == held

    @rule(pattern=st.sampled_from(["run", "runs", "runs:2", "*s:1", "", "none"]))
    def invalidate_pattern(self, pattern: str) -> None:
        def matches(question: tuple[str, int]) -> bool:
            name = f"{question[0]}:{question[1]}"
            if pattern == "*s:1":
                return name.partition("s:1")[1] != ""
            return name.startswith(pattern)

        gone = [question for question in self.model if matches(question)]
        assert self.caches[0].invalidate_pattern(pattern) == len(gone)
        for question in gone:
            del self.model[question]

    @rule(seconds=SPANS)
    def advance(self, seconds: float) -> None:
        self.time.advance(seconds)

    @rule(seconds=st.sampled_from([-90_000.0, -30.0, 30.0, 90_000.0]))
    def set_the_wall_clock(self, seconds: float) -> None:
        """A jump of the system's clock ages and renews nothing for those that run."""
        self.time.jump(seconds)


def test_what_is_given_and_for_how_long(tmp_path: Path) -> None:
    Lifetimes.below = tmp_path
    run_state_machine_as_test(Lifetimes, settings=settings(max_examples=25, stateful_step_count=25))


def test_an_entry_is_fresh_for_its_lifetime_and_stale_for_the_configured(tmp_path: Path) -> None:
    time = VirtualTime()
    cache = new_cache(tmp_path, time, CACHE_MAX_STALE=f"{MAX_STALE:.0f}")

    @given(ttl=LIFETIMES | st.floats(0, 10_000), age=SPANS | st.floats(0, 10_000))
    def check(ttl: float, age: float) -> None:
        cache.put("op", "data", ttl)
        put_at = time.steady()
        time.advance(age)
        age = time.steady() - put_at
        # The clock's sum of two large floats is right to a microsecond or so.
        assume(abs(age - ttl) > 1e-3 or age == ttl == 0)
        assume(abs(age - MAX_STALE) > 1e-3)
        assert cache.get("op") == ("data" if age < ttl else None)
        assert cache.get_stale("op") == ("data" if age < max(ttl, MAX_STALE) else None)

    check()


def test_the_default_lifetime_is_the_setting(tmp_path: Path) -> None:
    time = VirtualTime()
    cache = new_cache(tmp_path, time, CACHE_DEFAULT_TTL="2m")
    cache.put("op", "data")
    time.advance(119)
    assert cache.get("op") == "data"
    time.advance(1)
    assert cache.get("op") is None
    assert cache.get_stale("op") == "data"


def test_an_entry_from_a_clock_ahead_is_not_given(tmp_path: Path) -> None:
    """Whoever's clock was wrong: how old it really is, nobody knows."""
    ahead, right = VirtualTime(), VirtualTime()
    ahead.jump(600)
    new_cache(tmp_path, ahead).put("op", "data", 60)
    cache = new_cache(tmp_path, right)
    assert cache.get("op") is None
    assert cache.get_stale("op") is None
    right.advance(600)
    assert cache.get("op") == "data"


def test_a_later_put_counts_whatever_the_clocks_say(tmp_path: Path) -> None:
    """A process whose clock is ahead must not keep all others from keeping anything."""
    ahead, right = VirtualTime(), VirtualTime()
    ahead.jump(86_400)
    new_cache(tmp_path, ahead).put("op", "ahead", 60)
    cache = new_cache(tmp_path, right)
    assert cache.put("op", "right", 60)
    assert cache.get("op") == "right"


@pytest.mark.parametrize("ttl", [-1, -0.001, math.nan])
def test_a_lifetime_that_is_none_is_refused(cache: Cache, ttl: float) -> None:
    with pytest.raises(DataError, match="lifetime"):
        cache.put("op", "data", ttl)
    assert cache.find("op") is None
