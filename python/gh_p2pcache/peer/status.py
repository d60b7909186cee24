"""What `gh p2pcache peers` shows of each peer."""

from __future__ import annotations

from collections.abc import Mapping

from gh_p2pcache.peer.address import Address
from gh_p2pcache.peer.book import Book, Entry
from gh_p2pcache.peer.link import Link
from gh_p2pcache.peer.local_messages import PeerStatus

_MOST_ADDRESSES = 16
_MOST_PEERS = 1024


def peers(book: Book, links: Mapping[str, Link], teams: Mapping[bytes, str]) -> list[PeerStatus]:
    """Return who is there and who is banned; `teams` are the names of scopes."""
    shown = [
        _status(book, entry, links.get(entry.id), teams)
        for entry in book.entries()
        if entry.link is not None or book.is_banned(entry.id)
    ]
    return shown[:_MOST_PEERS]


def _status(book: Book, entry: Entry, link: Link | None, teams: Mapping[bytes, str]) -> PeerStatus:
    banned = book.is_banned(entry.id)
    bytes_in, bytes_out = book.traffic(entry)
    seen_at = [str(Address(*link.remote))] if link else []
    return PeerStatus(
        id=entry.id,
        addrs=tuple([*map(str, entry.addresses)] or seen_at)[:_MOST_ADDRESSES],
        since=link.since if link else 0.0,
        scopes=tuple(sorted(teams.get(scope, "") for scope in entry.scopes)),
        rtt=link.rtt if link else 0.0,
        records_in=entry.records_in,
        records_out=entry.records_out,
        bytes_in=bytes_in,
        bytes_out=bytes_out,
        score=book.score(entry.id),
        banned=banned,
        why=entry.why if banned else "",
        accepting=entry.accepting,
    )
