"""Whose time counts where hosts tell different ones."""

from gh_p2pcache.engine.clock import Clock
from support.engine import START, VirtualTime


def test_a_server_with_a_clock_of_its_own_does_not_set_github_s() -> None:
    clock = Clock(VirtualTime())
    clock.saw(int(START) - 3600, "ghes.example")
    assert clock.github_now() == START - 3600, "there is no other yet"

    clock.saw(int(START) + 5, "github.com")
    clock.saw(int(START) - 3600, "ghes.example")

    assert clock.github_now() == START + 5


def test_a_write_without_a_date_is_dated_by_the_clock_that_is_ahead() -> None:
    clock = Clock(VirtualTime())
    assert clock.latest_now() == START
    clock.saw(int(START) + 3600, "ghes.example")
    clock.saw(int(START), "github.com")

    assert clock.latest_now() == START + 3600
