import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.peer.ledger import Ledger
from gh_p2pcache.peer.replica import EVERYTHING, Replica
from gh_p2pcache.peer.rows import Tombstone, Undecided
from support.peers import NOW, Clock, claim, proof, tombstone

ROWS = st.lists(
    st.builds(tombstone, st.integers(1, 30), st.integers(NOW - 50, NOW + 90)), max_size=80
)


def ledger(most: int = 1000, clock: Clock | None = None, *, summed: bool = False) -> Ledger:
    return Ledger(
        lambda row: (row.mark, row.date),
        clock or Clock(),
        most=most,
        keep=100.0,
        summary=(lambda date: Tombstone(EVERYTHING, date)) if summed else None,
    )


def filled(rows: list[Tombstone], **options: object) -> Ledger:
    made = ledger(**options)
    for row in rows:
        made.put(row)
    return made


@given(ROWS, st.randoms(use_true_random=False), st.sampled_from([5, 1000]))
def test_neither_order_nor_repetition_matters(rows, random, most):
    shuffled = rows * 2
    random.shuffle(shuffled)
    one, other = filled(rows, most=most), filled(shuffled, most=most)
    assert one.rows() == other.rows()
    assert one.digests() == other.digests()


def test_of_two_answers_of_one_second_all_members_take_the_same():
    rows = [claim(content=content) for content in range(5)]
    one, other = Replica(Clock()), Replica(Clock())
    one.learn(claims=rows)
    other.learn(claims=reversed(rows))
    assert one.claims.rows() == other.claims.rows()


@given(ROWS, ROWS)
def test_digests_are_equal_exactly_when_the_rows_are(some, others):
    one, other = filled(some), filled(others)
    assert (one.digests() == other.digests()) == (one.rows() == other.rows())


@given(ROWS, st.integers(1, 20), st.booleans())
def test_a_ledger_is_bounded_and_keeps_the_newest(rows, most, summed):
    kept = filled(rows, most=most, summed=summed).rows()
    assert len(kept) <= most
    newest = filled(rows).rows()[-most:]
    assert set(kept) <= {*newest, *kept[:1]}


@given(ROWS, st.integers(1, 20))
def test_tombstones_that_do_not_fit_are_summed_up_never_lost(rows, most):
    made = ledger(most, summed=True)
    for row in rows:
        made.put(row)
        summed = made.get(EVERYTHING)
        assert row.date > NOW + 60 or any(
            kept.date >= row.date for kept in (summed, made.get(row.mark)) if kept is not None
        )


def test_a_newer_row_replaces_an_older_one_and_is_news_once():
    made = ledger()
    assert made.put(tombstone(1, NOW - 5))
    assert not made.put(tombstone(1, NOW - 6))
    assert not made.put(tombstone(1, NOW - 5))
    assert made.put(tombstone(1, NOW))
    assert made.rows() == [tombstone(1, NOW)]


def test_rows_expire_and_leave_no_trace_in_the_digests():
    clock = Clock()
    made = filled([tombstone(1, NOW - 50), tombstone(2, NOW)], clock=clock)
    clock.now = NOW + 60
    assert made.rows() == [tombstone(2, NOW)]
    assert made.digests() == filled([tombstone(2, NOW)]).digests()
    assert not made.put(tombstone(3, NOW - 50))
    clock.now = NOW + 1000
    assert made.digests() == ledger().digests()


def test_the_future_is_refused():
    made = ledger()
    assert made.put(tombstone(1, NOW + 60))
    assert not made.put(tombstone(2, NOW + 61))


def test_what_is_new_to_a_replica_is_told_once():
    replica = Replica(Clock())
    rows = {"tombstones": [tombstone()], "proofs": [proof()], "claims": [claim()]}
    news = replica.learn(**rows, undecided=[Undecided(b"m" * 16, 30)])
    assert (news.tombstones, news.proofs, news.claims) == ((tombstone(),), (proof(),), (claim(),))
    assert news.undecided == (b"m" * 16,)
    assert replica.learn(**rows, undecided=[Undecided(b"m" * 16, 60)]) == type(news)()


def test_a_summary_of_too_many_tombstones_is_news(monkeypatch):
    monkeypatch.setattr("gh_p2pcache.peer.replica.MOST_TOMBSTONES", 8)
    replica = Replica(Clock())
    news = replica.learn([tombstone(number, NOW - 20 + number) for number in range(1, 10)])
    assert Tombstone(EVERYTHING, NOW - 18) in news.tombstones


def test_an_undecided_write_lasts_a_minute_and_cannot_go_round_for_longer():
    clock = Clock()
    one, other = Replica(clock), Replica(clock)
    one.write_undecided([b"m" * 16])
    for _ in range(200):
        other.learn(undecided=one.undecided())
        one.learn(undecided=other.undecided())
        clock.now += 0.3
    assert clock.now == pytest.approx(NOW + 60)
    assert one.undecided() == other.undecided() == ()


def test_too_many_undecided_writes_become_everything():
    replica = Replica(Clock())
    replica.write_undecided(number.to_bytes(16, "big") for number in range(1, 400))
    assert EVERYTHING in {row.mark for row in replica.undecided()}
    assert len(replica.undecided()) <= 256
