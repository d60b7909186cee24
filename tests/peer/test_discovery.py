"""Whom to dial and when, without IO; and addresses."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.address import Address, parse
from gh_p2pcache.peer.discovery import Schedule
from gh_p2pcache.peer.wire import OwnAddressError, PeerError
from gh_p2pcache.records.sign import peer_id

IDS = sorted(peer_id(bytes([n]) * 32) for n in range(3))
LOW, OWN, HIGH = IDS
HERE = Address("192.0.2.1", 9100)


def test_one_of_a_pair_dials_at_once_and_the_other_if_that_comes_to_nothing() -> None:
    schedule = Schedule(OWN, lambda _: False)
    schedule.learn(LOW, [HERE], 0.0)
    schedule.learn(HIGH, [HERE], 0.0)
    assert [target.peer for target in schedule.due(0.0, 0)] == [HIGH]
    assert [target.peer for target in schedule.due(3.0, 0)] == [LOW]


def test_who_is_connected_is_not_dialled_and_who_is_lost_soon_is() -> None:
    connected = {HIGH}
    schedule = Schedule(OWN, connected.__contains__)
    schedule.learn(HIGH, [HERE], 0.0)
    assert schedule.due(100.0, 0) == []
    connected.clear()
    schedule.lost(HIGH, 100.0)
    assert len(schedule.due(101.0, 0)) == 1


def test_failures_are_tried_ever_less_often_and_bootstrap_for_ever() -> None:
    schedule = Schedule(OWN, lambda _: False)
    schedule.add_bootstrap(HERE, 0.0)
    schedule.learn(HIGH, [HERE], 0.0)
    tries = {"": 0, HIGH: 0}
    for second in range(3600):
        for target in schedule.due(float(second), 0):
            tries[target.peer] += 1
            schedule.done(target, PeerError("refused"), float(second))
    assert tries[HIGH] <= 12
    assert 500 < tries[""] < 1200
    assert schedule.problems() == ["refused"]


def test_a_bootstrap_address_of_our_own_is_no_problem_and_dialled_again() -> None:
    """The name may be that of several machines, and the next dial find another of them."""
    schedule = Schedule(OWN, lambda _: False)
    schedule.add_bootstrap(HERE, 0.0)
    (target,) = schedule.due(0.0, 0)
    schedule.done(target, OwnAddressError("that is this machine itself"), 0.0)
    assert schedule.problems() == []
    assert 0 < schedule.next(0.0) <= 6
    assert schedule.due(6.0, 0) == [target]


def test_when_the_network_changes_everyone_is_tried_at_once() -> None:
    schedule = Schedule(OWN, lambda _: False)
    schedule.learn(HIGH, [HERE], 0.0)
    for second in (0.0, 5.0, 20.0, 60.0):
        for target in schedule.due(second, 0):
            schedule.done(target, PeerError("unreachable"), second)
    assert schedule.next(60.0) > 5
    schedule.hurry(60.0)
    assert schedule.due(60.0, 0)


def test_a_bootstrap_address_without_an_id_is_not_dialled_while_its_peer_is_there() -> None:
    connected: set[str] = set()
    schedule = Schedule(OWN, connected.__contains__)
    schedule.add_bootstrap(HERE, 0.0)
    (target,) = schedule.due(0.0, 0)
    schedule.met(HIGH, HERE)
    connected.add(HIGH)
    schedule.done(target, None, 0.0)
    assert schedule.due(1000.0, 0) == []


def test_what_peers_tell_is_bounded() -> None:
    schedule = Schedule(OWN, lambda _: False)
    schedule.add_bootstrap(HERE, 0.0)
    for number in range(3000):
        told = [Address("192.0.2.2", port) for port in range(1, 40)]
        schedule.learn(peer_id(number.to_bytes(32, "big")), told, 0.0)
    targets = schedule.due(10.0, -100_000)
    assert len(targets) <= 512
    assert any(target.bootstrap for target in targets)
    assert all(len(target.addresses) <= 8 for target in targets)


ips = st.ip_addresses(v=4) | st.ip_addresses(v=6)


@given(ips, st.integers(1, 65535), st.sampled_from(["", *IDS]))
def test_addresses_are_read_as_they_are_written(ip: object, port: int, peer: str) -> None:
    address = Address(str(ip), port, peer)
    assert parse(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "192.0.2.1:9100",
        "/ip4/192.0.2.1/udp/9100",
        "/ip4/192.0.2.1/tcp/0",
        "/ip4/192.0.2.1/tcp/70000",
        "/ip4/2001:db8::1/tcp/1",
        "/ip6/192.0.2.1/tcp/1",
        "/ip4/192.0.2.1/tcp/1/p2p/QmNotAnEd25519Key",
        "/ip4/192.0.2.1/tcp/1/ws/x",
        "/unix/tmp/x/tcp/1",
        "/dns4/ex ample/tcp/1",
        "/ip4/192.0.2.1/tcp/²",
        "/" * 1000,
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(RejectedError):
        parse(text)


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    with suppress(RejectedError):
        assert str(parse(text)).startswith("/")
