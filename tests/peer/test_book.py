"""Scores, bans, budgets and what is kept of them, without IO but one file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gh_p2pcache.peer.address import Address
from gh_p2pcache.peer.book import Book

SCOPE = b"scope..."


class Link:
    since = 0.0
    rtt = 0.0
    bytes_in = 10
    bytes_out = 20


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def make(path: Path | None = None) -> tuple[Book, Clock, list[str]]:
    clock, banned = Clock(), []
    return Book(path, banned.append, now=clock, ticks=clock), clock, banned


def peer(number: int) -> str:
    return f"12D3KooW{number}"


def test_a_flood_is_cut_off_and_a_busy_member_is_not() -> None:
    book, clock, banned = make()
    for _ in range(60):  # a busy minute: 50 messages of 20 announcements a second
        clock.now += 1
        assert all(book.allow(peer(1), "gossip") for _ in range(50))
        assert book.allow(peer(1), "announce", 200)
    assert not banned
    for _ in range(10_000):  # within one second
        book.allow(peer(2), "announce")
    assert banned == [peer(2)]
    assert not book.is_banned(peer(1))


def test_oddities_are_forgiven_in_time_and_rubbish_is_not() -> None:
    book, clock, banned = make()
    for _ in range(1000):
        book.misbehaved(peer(1), 1, "odd")
        clock.now += 10
    assert not banned
    for _ in range(10):
        book.misbehaved(peer(1), 10, "rubbish")
    assert banned == [peer(1)]
    clock.now += 601
    assert not book.is_banned(peer(1))
    book.misbehaved(peer(1), 100, "again")
    clock.now += 601
    assert book.is_banned(peer(1)), "twice as long"


def test_it_stays_bounded_and_keeps_members_and_the_banned() -> None:
    book, clock, _ = make()
    book.connected(peer(0), Link(), frozenset([SCOPE]))
    book.ban(peer(1), "forged")
    for number in range(2, 5000):
        clock.now += 1
        book.learn(peer(number), [Address("192.0.2.1", port) for port in range(1, 50)])
    assert len(book.entries()) <= 2000
    assert book.is_member(peer(0), SCOPE)
    assert book.is_banned(peer(1))
    assert all(len(entry.addresses) <= 8 for entry in book.entries())


def test_traffic_is_counted_over_all_connections_of_a_peer() -> None:
    book, _, _ = make()
    for _ in range(3):
        book.connected(peer(1), Link(), frozenset([SCOPE]))
        assert [member.id for member in book.members(SCOPE)] == [peer(1)]
        book.disconnected(peer(1))
    assert not book.members(SCOPE)
    assert book.traffic(book.entry(peer(1))) == (30, 60)


def test_members_addresses_and_bans_outlive_the_process(tmp_path: Path) -> None:
    file = tmp_path / "peers.json"
    book, _, _ = make(file)
    book.connected(peer(1), Link(), frozenset([SCOPE]))
    book.learn(peer(1), [Address("2001:db8::1", 9100)])
    book.learn(peer(2), [Address("192.0.2.9", 9100)])  # hearsay
    book.ban(peer(3), "forged")
    book.save()
    assert file.stat().st_mode & 0o777 == 0o600
    again, clock, _ = make(file)
    again.load()
    assert list(again.entry(peer(1)).addresses) == [Address("2001:db8::1", 9100)]
    assert again.is_banned(peer(3))
    assert {entry.id for entry in again.entries()} == {peer(1), peer(3)}
    clock.now += 8 * 86400
    assert not again.is_banned(peer(3))


def test_where_a_peer_is_by_now_comes_first(tmp_path: Path) -> None:
    book, _, _ = make(tmp_path / "peers.json")
    before, now, too = (Address(f"192.0.2.{number}", 9100) for number in (1, 2, 3))
    book.learn(peer(1), [before])
    book.learn(peer(1), [now, too])
    book.learn(peer(1), [now])
    assert list(book.entry(peer(1)).addresses) == [now, too, before]


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"peers": {"x": 5}}', b"\xff\xfe"])
def test_a_broken_file_is_a_book_without_entries(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "peers.json"
    file.write_bytes(content)
    book, _, _ = make(file)
    book.load()
    book.connected(peer(1), Link(), frozenset([SCOPE]))
    assert book.is_member(peer(1), SCOPE)


def test_a_lifted_ban_is_over_and_stays_so(tmp_path: Path) -> None:
    book, _, _ = make(tmp_path / "peers.json")
    book.ban(peer(1), "forged")
    book.save()
    book.lift(peer(1))
    assert not book.is_banned(peer(1))
    book.save()
    again, _, _ = make(tmp_path / "peers.json")
    again.load()
    assert not again.is_banned(peer(1))
