"""A network that changes is noticed, and one that doesn't is left alone."""

from __future__ import annotations

import ipaddress

import trio
from trio.testing import MockClock

from gh_p2pcache.peer.watch import own_addresses, watch


def test_other_addresses_are_noticed_within_seconds_and_once() -> None:
    addresses = ["wifi"]
    noticed: list[float] = []

    async def on_change() -> None:
        noticed.append(trio.current_time())

    async def story() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch, lambda: list(addresses), on_change, lambda: 0.0)
            await trio.sleep(60)
            assert not noticed
            began = trio.current_time()
            addresses.append("vpn")
            await trio.sleep(60)
            assert len(noticed) == 1
            assert noticed[0] - began < 3
            nursery.cancel_scope.cancel()

    trio.run(story, clock=MockClock(autojump_threshold=0))


def test_a_sleep_is_noticed_by_the_wall_clock() -> None:
    slept = 0.0
    noticed: list[float] = []

    async def on_change() -> None:
        noticed.append(trio.current_time())

    async def story() -> None:
        nonlocal slept
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch, lambda: 0, on_change, lambda: slept)
            await trio.sleep(10)
            slept = 3600.0  # in which the monotonic clock stood still
            await trio.sleep(10)
            assert len(noticed) == 1
            nursery.cancel_scope.cancel()

    trio.run(story, clock=MockClock(autojump_threshold=0))


def test_own_addresses_can_be_dialled_from_elsewhere() -> None:
    found = own_addresses(9100, "")
    ips = [ipaddress.ip_address(address.host) for address in found]
    assert found
    assert not any(ip.is_link_local for ip in ips)
    assert all(ip.is_loopback for ip in ips) or not any(ip.is_loopback for ip in ips)
