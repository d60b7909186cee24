"""Anti-entropy: two members find what they know differently and tell each other (no IO).

One asks, the other answers message by message and remembers nothing in between:
Compare -> Differ (what the answerer has in the buckets that differ), then Give -> Given as often as
needed (here is what you lack, give me what I lack), tombstones before everything else. Gossip is
best effort; this is what makes it complete, and what tells two members that cannot see each other
what each of them knows, through a third.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Sequence
from itertools import zip_longest
from typing import TypeVar

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.ledger import Ledger, Print, print_of
from gh_p2pcache.peer.message import Message
from gh_p2pcache.peer.replica import Replica
from gh_p2pcache.peer.rows import Undecided
from gh_p2pcache.peer.wire_messages import (
    BUCKETS,
    MOST_PRINTS,
    PRINT_SIZE,
    Compare,
    Differ,
    Give,
    Given,
)

ROUNDS = 8
"""Compares of one session at most; each settles MOST_PRINTS differing rows or all there are."""
PAGE = (1024, 1024, 192)
"""Tombstones, proofs, claims in one Give or Given: below 48 kB."""

_T = TypeVar("_T")
Told = Give | Given
Learn = Callable[[Told], None]
"""Takes what the other side said; it has been judged as far as it can be without its context."""
LearnUndecided = Callable[[Sequence[Undecided]], None]
Session = Generator[Message, Message, None]
"""Yields what to send, is sent what came back, and returns when all is said."""


def initiate(
    replica: Replica,
    scope: bytes,
    *,
    learn: Learn,
    learn_undecided: LearnUndecided,
    buried: Callable[[], None],
) -> Session:
    """Bring `replica` and that of the other side together.

    `buried` is called once all tombstones of the other side are known here. Raises
    RejectedError for answers that don't fit what was asked.
    """
    for _ in range(ROUNDS):
        differ = _expect(Differ, (yield compare(replica, scope)))
        learn_undecided(differ.undecided)
        for kind, ledger in enumerate(replica.ledgers):
            yield from _exchange(ledger, scope, kind, differ, learn)
            if kind == 0 and not differ.more[0]:
                buried()
            if differ.more[kind]:
                break
        else:
            return


def compare(replica: Replica, scope: bytes) -> Compare:
    """Return the message that begins a round."""
    digests = tuple(ledger.digests() for ledger in replica.ledgers)
    return Compare(scope, digests, replica.undecided())


def answer(
    replica: Replica, message: Message, *, learn: Learn, learn_undecided: LearnUndecided
) -> Message:
    """Return the reply to a Compare or a Give; raises RejectedError for anything else."""
    if isinstance(message, Compare):
        learn_undecided(message.undecided)
        return _differ(replica, message)
    give = _expect(Give, message)
    learn(give)
    wanted = _split(give.want)
    rows = [ledger.pick(wanted)[:page] for ledger, page in zip(replica.ledgers, PAGE, strict=True)]
    return Given(*map(tuple, rows))


def _differ(replica: Replica, theirs: Compare) -> Differ:
    """List what differs, the first kind first, as far as one message holds it.

    From a bucket picked at random on, so that no two members meet for ever at the same ones.
    """
    room = MOST_PRINTS
    maps, prints, more = [], [], []
    first = secrets.randbelow(BUCKETS)
    for ledger, digests in zip(replica.ledgers, theirs.digests, strict=True):
        pairs = list(zip(_split(ledger.digests()), _split(digests), strict=True))
        differing = [n for n in range(BUCKETS) if pairs[n][0] != pairs[n][1]]
        listed: list[Print] = []
        bits = 0
        for bucket in sorted(differing, key=lambda n: (n - first) % BUCKETS):
            held = _some(sorted(ledger.prints(bucket)))
            if len(held) > room:
                break
            listed += held
            room -= len(held)
            bits |= 1 << bucket
        maps.append(bits.to_bytes(BUCKETS // 8, "big"))
        prints.append(b"".join(listed))
        more.append(bits.bit_count() < len(differing))
    return Differ(tuple(maps), tuple(prints), replica.undecided(), tuple(more))


def _some(prints: list[Print]) -> list[Print]:
    """Return them all, or where a bucket was ground full half a message of them, others each time.

    What is left out is sent once more by the other side, which does no harm.
    """
    most = MOST_PRINTS // 2
    if len(prints) <= most:
        return prints
    start = secrets.randbelow(len(prints))
    return (prints[start:] + prints[:start])[:most]


def _exchange(
    ledger: Ledger[tuple[object, ...]], scope: bytes, kind: int, differ: Differ, learn: Learn
) -> Session:
    """Give and take the rows of one kind."""
    bits = int.from_bytes(differ.buckets[kind], "big")
    buckets = [bucket for bucket in range(BUCKETS) if bits >> bucket & 1]
    here = frozenset[Print]().union(*(ledger.prints(bucket) for bucket in buckets))
    there = frozenset(_split(differ.prints[kind]))
    lacked = _pages(sorted(here - there), PAGE[kind])
    wanted = _pages(sorted(there - here), PAGE[kind])
    for give, want in zip_longest(lacked, wanted, fillvalue=()):
        lists: list[tuple[object, ...]] = [(), (), ()]
        lists[kind] = tuple(ledger.pick(give))
        message = Give(scope, b"".join(want), *lists)  # type: ignore[arg-type]
        given = _expect(Given, (yield message))
        rows = (*given.tombstones, *given.proofs, *given.claims)
        if not {print_of(row) for row in rows} <= set(want):
            raise RejectedError("more than was asked for")
        learn(given)


def _expect(kind: type[_T], message: Message) -> _T:
    if not isinstance(message, kind):
        raise RejectedError(f"{type(message).__name__}, where {kind.__name__} was due")
    return message


def _split(prints: bytes) -> list[Print]:
    return [prints[at : at + PRINT_SIZE] for at in range(0, len(prints), PRINT_SIZE)]


def _pages(prints: list[Print], size: int) -> list[list[Print]]:
    return [prints[at : at + size] for at in range(0, len(prints), size)]
