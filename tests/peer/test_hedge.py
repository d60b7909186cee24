"""The first answer wins, and no slow one is waited for."""

from collections.abc import Awaitable, Callable

import trio
from trio.testing import MockClock

from gh_p2pcache.peer.hedge import hedged

DELAY = 0.04


def run(main: Callable[[], Awaitable[None]]) -> None:
    trio.run(main, clock=MockClock(autojump_threshold=0))


def after(seconds: float, result: str | None) -> Callable[[], Awaitable[str | None]]:
    async def attempt() -> str | None:
        await trio.sleep(seconds)
        return result

    return attempt


def test_a_slow_one_is_overtaken() -> None:
    async def main() -> None:
        started = trio.current_time()
        assert await hedged([after(9, "slow"), after(0.01, "quick")], DELAY) == "quick"
        assert trio.current_time() - started < DELAY + 0.02

    run(main)


def test_a_quick_one_is_the_only_one_asked() -> None:
    async def main() -> None:
        async def never() -> str:
            raise AssertionError("asked in vain")

        assert await hedged([after(DELAY / 2, "quick"), never], DELAY) == "quick"

    run(main)


def test_a_failed_one_is_followed_at_once() -> None:
    async def main() -> None:
        started = trio.current_time()
        assert await hedged([after(0, None), after(0, None), after(0, "third")], DELAY) == "third"
        assert trio.current_time() == started

    run(main)


def test_none_when_all_fail() -> None:
    async def main() -> None:
        assert await hedged([after(1, None), after(0, None)], DELAY) is None
        assert await hedged([], DELAY) is None

    run(main)


def test_what_comes_too_late_is_discarded() -> None:
    async def main() -> None:
        discarded = []

        async def unstoppable() -> str:
            with trio.CancelScope(shield=True):
                await trio.sleep(5)
            return "late"

        async def discard(result: str) -> None:
            discarded.append(result)

        assert await hedged([unstoppable, after(0, "second")], DELAY, discard) == "second"
        assert discarded == ["late"]

    run(main)


def test_a_result_for_nobody_is_discarded() -> None:
    async def main() -> None:
        discarded = []
        outer = trio.CancelScope()

        async def first() -> str:
            await trio.sleep(1)
            outer.cancel()
            return "first"

        async def discard(result: str) -> None:
            discarded.append(result)

        with outer:
            await hedged([after(9, "slow"), first], DELAY, discard)
            raise AssertionError("cancelled")
        assert discarded == ["first"]

    run(main)
