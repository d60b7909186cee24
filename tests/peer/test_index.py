import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.index import MOST_RELAYED, Index
from support.peers import NOW, PEERS, SCOPE, Clock, tag, validation

ANNA, BERT, CARL = PEERS[:3]


def index(most: int = 100) -> Index:
    return Index(Clock(), most)


def peers(found: Index, number: int = 1, after: int = 0) -> list[str]:
    return [holder.peer for holder in found.holders(SCOPE, tag(number), after)]


def test_holders_are_told_newest_first_and_only_those_after_a_date():
    known = index()
    for peer, date in ((ANNA, NOW - 5), (BERT, NOW), (CARL, NOW - 9)):
        assert known.announced(validation(date=date), peer, peer)
    assert peers(known) == [BERT, ANNA, CARL]
    assert peers(known, after=NOW - 5) == [BERT]
    assert known.holders(b"another!", tag(1)) == ()


def test_an_older_announcement_changes_nothing_and_a_newer_one_replaces():
    known = index()
    assert known.announced(validation(date=NOW - 5, content=1), ANNA, ANNA)
    assert not known.announced(validation(date=NOW - 6, content=2), ANNA, ANNA)
    assert not known.announced(validation(date=NOW - 5, content=1), ANNA, ANNA)
    assert known.announced(validation(date=NOW, content=3), ANNA, ANNA)
    (holder,) = known.holders(SCOPE, tag(1))
    assert holder.validation == validation(date=NOW, content=3)
    assert len(known) == 1


def test_a_minute_of_future_is_let_in_and_no_more():
    known = index()
    assert known.announced(validation(date=NOW + 60), ANNA, ANNA)
    with pytest.raises(RejectedError):
        known.announced(validation(date=NOW + 61), BERT, BERT)
    assert peers(known) == [ANNA]


def test_hearsay_is_second_to_what_the_holder_says_itself():
    known = index()
    assert known.announced(validation(date=NOW - 9), ANNA, ANNA)
    assert known.announced(validation(date=NOW, content=6), ANNA, CARL)
    assert [h.relayed for h in known.holders(SCOPE, tag(1))] == [True, False]
    assert known.announced(validation(date=NOW, content=7), ANNA, ANNA)
    assert [h.validation for h in known.holders(SCOPE, tag(1))] == [validation(content=7)]
    assert not known.announced(validation(date=NOW - 1), ANNA, CARL)


def test_one_member_cannot_name_ever_more_holders_of_a_tag():
    known = index()
    for number in range(3 * MOST_RELAYED):
        known.announced(validation(date=NOW - number), f"{ANNA}{number}", BERT)
    known.announced(validation(date=NOW - 99), CARL, CARL)
    assert len(peers(known)) == MOST_RELAYED + 1
    assert peers(known)[-1] == CARL


def test_a_flooder_pushes_out_only_its_own():
    known = index(most=100)
    for number in range(40):
        known.announced(validation(number, NOW - 1000), ANNA, ANNA)
    for number in range(5000):
        known.announced(validation(number), BERT, BERT)
    assert len(known) == 100
    assert all(ANNA in peers(known, number) for number in range(40))


def test_what_was_asked_for_lately_stays():
    known = index(most=10)
    for number in range(10):
        known.announced(validation(number), ANNA, ANNA)
    assert peers(known, 0) == [ANNA]
    known.announced(validation(10), ANNA, ANNA)
    assert peers(known, 0) == [ANNA]
    assert peers(known, 1) == []


def test_a_dropped_peer_and_a_dropped_signer_leave_nothing():
    known = index()
    known.announced(validation(1, signer=7), ANNA, ANNA)
    known.announced(validation(2, signer=8), ANNA, ANNA)
    known.announced(validation(2, signer=8), CARL, ANNA)
    known.announced(validation(1, signer=8), BERT, BERT)
    known.drop_signer((7).to_bytes(32, "big"))
    assert peers(known, 1) == [BERT]
    with pytest.raises(RejectedError):
        known.announced(validation(3, signer=7), BERT, BERT)
    known.drop(ANNA)
    assert peers(known, 2) == []
    assert len(known) == 1


def test_a_signer_that_is_taken_back_may_publish_again():
    known = index()
    signer = (7).to_bytes(32, "big")
    known.drop_signer(signer)
    known.lift(signer)
    assert known.announced(validation(1, signer=7), ANNA, ANNA)
    assert peers(known) == [ANNA]


def test_a_holder_that_has_it_no_more_is_not_named_again_for_that_blob():
    known = index()
    known.announced(validation(content=1), ANNA, ANNA)
    known.gone(SCOPE, tag(1), ANNA, validation(content=2).digest)
    assert peers(known) == [ANNA]
    known.gone(SCOPE, tag(1), ANNA, validation(content=1).digest)
    known.gone(SCOPE, tag(9), ANNA, b"")
    assert peers(known) == []


ANNOUNCEMENTS = st.tuples(
    st.integers(0, 6),
    st.integers(NOW - 9, NOW + 99),
    st.integers(0, 3),
    st.sampled_from(PEERS),
    st.sampled_from(PEERS),
)
STEPS = st.one_of(
    st.tuples(st.just("announced"), ANNOUNCEMENTS),
    st.tuples(st.just("holders"), st.integers(0, 6)),
    st.tuples(st.just("drop"), st.sampled_from(PEERS)),
    st.tuples(st.just("drop_signer"), st.integers(0, 3)),
    st.tuples(st.just("gone"), ANNOUNCEMENTS),
)


@given(st.lists(STEPS, max_size=60), st.integers(1, 12))
def test_bounds_and_order_hold_whatever_happens(steps, most):
    known = index(most)
    banned = set()
    for what, given_ in steps:
        match what, given_:
            case "announced", (number, date, signer, holder, source):
                said = validation(number, date, signer=signer)
                with contextlib.suppress(RejectedError):
                    known.announced(said, holder, source)
            case "holders", int(number):
                known.holders(SCOPE, tag(number))
            case "drop", str(peer):
                known.drop(peer)
                assert all(peer not in peers(known, number) for number in range(7))
            case "drop_signer", int(signer):
                known.drop_signer(signer.to_bytes(32, "big"))
                banned.add(signer.to_bytes(32, "big"))
            case "gone", (number, _, _, holder, _):
                known.gone(SCOPE, tag(number), holder, validation(number).digest)
        found = [known.holders(SCOPE, tag(number)) for number in range(7)]
        assert sum(map(len, found)) == len(known) <= most
        for holders in found:
            dates = [holder.validation.date for holder in holders]
            assert dates == sorted(dates, reverse=True)
            assert max(dates, default=NOW) <= NOW + 60
            assert not {holder.validation.signer for holder in holders} & banned
