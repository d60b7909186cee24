import contextlib
from collections.abc import Iterator
from itertools import count, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer import messages as m
from gh_p2pcache.peer import sync
from gh_p2pcache.peer.frames import WIRE_LIMIT, Decoder
from gh_p2pcache.peer.replica import Replica
from gh_p2pcache.peer.rows import Tombstone
from support.peers import NOW, PEERS, SCOPE, Clock, claim, proof, tombstone

DATES = st.integers(NOW - 50, NOW + 50)
ROWS = st.one_of(
    st.builds(tombstone, st.integers(1, 40), DATES),
    st.builds(proof, st.integers(1, 40), DATES),
    st.builds(
        claim,
        st.integers(1, 9),
        st.integers(NOW, NOW + 3),
        holder=st.sampled_from(PEERS[:3]),
        content=st.integers(0, 2),
    ),
)


class Member:
    """A replica, and the order in which it learned things."""

    def __init__(self, rows=()) -> None:
        self.replica = Replica(Clock())
        self.log: list[str] = []
        for row in rows:
            self.put(row)

    def put(self, row) -> None:
        if isinstance(row, m.Tombstone):
            self.replica.learn(tombstones=[row])
        elif isinstance(row, m.Proof):
            self.replica.learn(proofs=[row])
        else:
            self.replica.learn(claims=[row])

    def learn(self, told) -> None:
        news = self.replica.learn(told.tombstones, told.proofs, told.claims)
        self.log += ["tombstones"] * bool(news.tombstones) + ["claims"] * bool(news.claims)

    def learn_undecided(self, rows) -> None:
        self.replica.learn(undecided=rows)

    def known(self):
        return [ledger.rows() for ledger in self.replica.ledgers]

    def answer(self, message):
        return sync.answer(
            self.replica, message, learn=self.learn, learn_undecided=self.learn_undecided
        )

    def initiate(self):
        return sync.initiate(
            self.replica,
            SCOPE,
            learn=self.learn,
            learn_undecided=self.learn_undecided,
            buried=lambda: self.log.append("buried"),
        )


def carried(message: m.Message) -> m.Message:
    """Return a message as it arrives; fails where it is larger than members may send."""
    (fields,) = Decoder(WIRE_LIMIT).feed(m.frame(message))
    return m.parse(fields, m.SYNC)


def run(one: Member, other: Member, messages: int | None = None) -> int:
    """Let one sync with another, for so many messages; returns how many pairs were exchanged."""
    session = one.initiate()
    reply = None
    for number in count():
        if number == messages:
            session.close()
            return number
        try:
            request = session.send(reply)
        except StopIteration:
            return number
        reply = carried(other.answer(carried(request)))
    raise AssertionError


@given(st.lists(ROWS, max_size=60), st.lists(ROWS, max_size=60), st.lists(st.integers(0, 4)))
def test_two_members_converge_after_any_broken_tries(some, others, breaks):
    one, other = Member(some), Member(others)
    for number, messages in enumerate(breaks):
        run(*((one, other) if number % 2 else (other, one)), messages)
    run(one, other)
    assert one.known() == other.known() == Member(some + others).known()
    assert run(other, one) == 1


@given(st.lists(ROWS, max_size=40), st.lists(ROWS, max_size=40))
def test_two_that_cannot_see_each_other_converge_through_a_third(some, others):
    one, middle, other = Member(some), Member(), Member(others)
    for pair in ((one, middle), (other, middle), (one, middle)):
        run(*pair)
    assert one.known() == middle.known() == other.known() == Member(some + others).known()


LOSSY = st.lists(
    st.tuples(
        st.sampled_from(["say", "sync"]), st.integers(0, 3), st.integers(0, 3), st.integers(0, 5)
    ),
    max_size=30,
)


@given(LOSSY, st.lists(ROWS, min_size=30, max_size=30))
def test_members_converge_whatever_of_gossip_and_syncs_was_lost(events, rows):
    members = [Member() for _ in range(4)]
    said = []
    for (what, one, other, kept), row in zip(events, rows, strict=False):
        if what == "say":
            said.append(row)
            for number, member in enumerate(members):
                if number == one or kept >> number & 1:
                    member.put(row)
        else:
            run(members[one], members[other], kept)
    hub, *others = members
    for other in [*others, *others]:
        run(other, hub)
    expected = Member(said).known()
    assert [member.known() for member in members] == [expected] * 4


def test_tombstones_come_before_claims_and_their_end_is_told():
    here, there = Member(), Member([tombstone(1), claim(1), proof(1)])
    run(here, there)
    assert here.log == ["tombstones", "buried", "claims"]


def test_thousands_of_differences_converge_in_one_session_of_small_messages():
    some = [tombstone(number) for number in range(1, 6000)]
    others = [claim(number) for number in range(1, 5000)]
    one, other = Member(some), Member([*others, tombstone(9000)])
    exchanged = run(one, other)
    assert one.known() == other.known()
    assert exchanged < 60
    assert one.log[:2] == ["tombstones", "buried"]


def test_one_difference_costs_two_small_exchanges():
    rows = [claim(number) for number in range(1, 3000)]
    one, other = Member(rows), Member([*rows, claim(5000)])
    assert run(one, other) == 2


def test_undecided_writes_travel_with_the_first_message_both_ways():
    one, other = Member(), Member()
    one.replica.write_undecided([b"1" * 16])
    other.replica.write_undecided([b"2" * 16])
    assert run(one, other) == 1
    for member in (one, other):
        assert {row.mark for row in member.replica.undecided()} == {b"1" * 16, b"2" * 16}


def in_bucket(bucket: int) -> Iterator[Tombstone]:
    rows = (tombstone(number) for number in count(1))
    return (row for row in rows if sync.print_of(row)[0] % m.BUCKETS == bucket)


def test_fingerprints_ground_into_few_buckets_do_not_stop_the_others():
    ground = [row for bucket in (0, 1) for row in islice(in_bucket(bucket), 2500)]
    other_row = next(in_bucket(50))
    one, other = Member([claim(1)]), Member([*ground, other_row])
    run(one, other)
    assert other_row in one.replica.tombstones.rows()
    for _ in range(20):
        run(one, other)
    assert one.known() == other.known()


EIGHTS = st.lists(st.binary(min_size=8, max_size=8), max_size=9).map(b"".join)
ANSWERS = st.one_of(
    st.builds(
        m.Differ,
        st.tuples(*[st.binary(min_size=8, max_size=8)] * 3),
        st.tuples(EIGHTS, EIGHTS, EIGHTS),
        more=st.tuples(*[st.booleans()] * 3),
    ),
    st.builds(
        m.Given,
        st.lists(st.builds(tombstone, st.integers(1, 9)), max_size=4).map(tuple),
        st.lists(st.builds(proof, st.integers(1, 9)), max_size=4).map(tuple),
        st.lists(st.builds(claim, st.integers(1, 9)), max_size=4).map(tuple),
    ),
    st.just(m.Unknown("later")),
)


@given(st.lists(ROWS, max_size=20), st.lists(ANSWERS, min_size=1))
def test_any_answers_end_a_session_or_are_rejected(rows, answers):
    member = Member(rows)
    session = member.initiate()
    with contextlib.suppress(RejectedError, StopIteration):
        next(session)
        for number in range(200):
            session.send(answers[number % len(answers)])
        pytest.fail("a session without end")


def test_rows_that_nobody_asked_for_are_rejected():
    session = Member([claim(1)]).initiate()
    next(session)
    session.send(m.Differ((bytes([255] * 8),) * 3, (b"",) * 3))
    with pytest.raises(RejectedError, match="more than was asked for"):
        session.send(m.Given(tombstones=(tombstone(5),)))


@pytest.mark.parametrize("message", [m.Given(), m.Unknown("later"), m.Yours()])
def test_only_questions_are_answered(message):
    with pytest.raises(RejectedError):
        Member().answer(message)
