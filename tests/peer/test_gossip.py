import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from gh_p2pcache.peer.frames import pack
from gh_p2pcache.peer.messages import Batch, Bury, Proofs
from gh_p2pcache.peer.topic import Topic, topic_name
from support.peers import NOW, SCOPE, proof, tag, validation
from support.talkers import GRANT, Talk, Talker, talking

TOPIC = Topic(SCOPE, GRANT.topic)
MARK = b"m" * 16


def receive(talker: Talker, author: str, data: bytes) -> None:
    talker.readers[TOPIC.name](author, data)


def test_an_announcement_reaches_all_as_one_message_with_what_came_just_after():
    async def main(talk: Talk) -> None:
        anna, *others = talk.talkers(4)
        await trio.sleep(1)
        for number in range(20):
            anna.gossip.tell(validation(number))
        await trio.sleep(0.25)
        assert len(anna.published) == 1
        for other in others:
            assert all(other.holders(tag(number)) == [anna.own_id] for number in range(20))
            heard = [("announced", anna.own_id, validation(number)) for number in range(20)]
            assert other.heard == heard

    talking(main)


def test_a_burial_goes_at_once_and_before_what_waits():
    async def main(talk: Talk) -> None:
        anna, bert = talk.talkers(2)
        await trio.sleep(1)
        anna.gossip.tell(validation())
        anna.gossip.tell(Bury(SCOPE, (MARK,), NOW))
        anna.gossip.tell(Bury(SCOPE, (MARK,), 0))
        await trio.sleep(0.01)
        assert bert.heard == [("buried", MARK, 0), ("buried", MARK, NOW)]
        await trio.sleep(0.25)
        assert bert.heard[2:] == [("announced", anna.own_id, validation())]

    talking(main)


def test_what_was_heard_before_is_not_handed_on_again():
    async def main(talk: Talk) -> None:
        anna, bert = talk.talkers(2)
        for _ in range(3):
            anna.gossip.tell(Proofs(SCOPE, (proof(),)))
            anna.gossip.tell(Bury(SCOPE, (MARK,), NOW))
            anna.gossip.tell(validation())
            await trio.sleep(1)
        assert len(bert.heard) == 3

    talking(main)


def test_an_undecided_write_counts_anew_each_time_it_is_told():
    async def main(talk: Talk) -> None:
        anna, bert = talk.talkers(2)
        for _ in range(2):
            anna.gossip.tell(Bury(SCOPE, (MARK,), 0))
            await trio.sleep(5)
        assert bert.heard == [("buried", MARK, 0)] * 2

    talking(main)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"rubbish" * 50,
        Topic(SCOPE, b"x" * 32).seal(Batch()),
        TOPIC._fernet.encrypt(b"no msgpack"),
        TOPIC._fernet.encrypt(pack({"t": "batch", "tombstones": ((MARK, -1),)})),
        TOPIC._fernet.encrypt(bytes(300_000)),
    ],
    ids=["empty", "bytes", "another key", "no map", "no date", "too long"],
)
def test_a_message_that_cannot_be_opened_or_read_counts_against_its_author(data):
    async def main(talk: Talk) -> None:
        anna, bert = talk.talkers(2)
        receive(bert, anna.own_id, data)
        assert bert.scores[anna.own_id] == -10
        assert bert.gossip.rejected == 1
        receive(bert, "12D3KooWstranger", data)
        assert set(bert.scores) == {anna.own_id}

    talking(main)


def test_messages_of_a_later_version_are_held_against_nobody():
    async def main(talk: Talk) -> None:
        anna, bert = talk.talkers(2)
        receive(bert, anna.own_id, TOPIC._fernet.encrypt(pack({"t": "news of 2030"})))
        assert not bert.scores

    talking(main)


@settings(max_examples=30)
@given(st.lists(st.binary(max_size=300), max_size=10), st.booleans())
def test_any_bytes_are_taken_without_an_exception(messages, sealed):
    async def main(talk: Talk) -> None:
        anna, bert = talk.talkers(2)
        for data in messages:
            receive(bert, anna.own_id, TOPIC._fernet.encrypt(data) if sealed else data)
        assert bert.heard == []

    talking(main)


def test_who_is_over_its_rate_is_not_read():
    async def main(talk: Talk) -> None:
        anna, bert = talk.talkers(2)
        bert.refused.add("announce")
        receive(bert, anna.own_id, TOPIC.seal(Batch((validation().row(),))))
        assert bert.holders(tag(1)) == []
        assert bert.gossip.rejected == 1

    talking(main)


def test_authors_that_are_not_connected_share_one_rate_and_one_share():
    async def main(talk: Talk) -> None:
        bert = talk.talker()
        for number in range(20_000):
            row = validation(number).row()
            receive(bert, f"12D3KooWmadeup{number}", TOPIC.seal(Batch((row,))))
        assert len(bert.index) <= 5000
        assert bert.gossip.rejected >= 15_000

    talking(main)


def test_a_flood_of_our_own_is_paced_to_what_members_take():
    async def main(talk: Talk) -> None:
        anna, bert = talk.talkers(2)
        for number in range(8000):
            anna.gossip.tell(validation(number))
        await trio.sleep(5)
        sent = sum(1 + len(data) // 200 for data in anna.published)
        assert 4000 < sent <= 6000
        await trio.sleep(60)
        assert all(bert.holders(tag(number)) for number in range(8000))

    talking(main)


def test_announcements_from_the_future_are_not_taken_and_such_burials_are():
    async def main(talk: Talk) -> None:
        anna, bert = talk.talkers(2)
        rows = (validation(date=NOW + 3600).row(),)
        batch = Batch(rows, tombstones=((MARK, NOW + 3600),))
        receive(bert, anna.own_id, TOPIC.seal(batch))
        assert bert.heard == [("buried", MARK, NOW + 3600)]
        assert bert.holders(tag(1)) == []
        assert not bert.knowledge.replica(SCOPE).tombstones.rows()
        assert not bert.scores

    talking(main)


def test_what_a_banned_member_announced_is_noted_once_it_is_taken_back():
    async def main(talk: Talk) -> None:
        anna, bert = talk.talkers(2)
        before, meanwhile = validation(1), validation(2)
        anna.gossip.tell(before)
        await trio.sleep(1)
        bert.index.drop_signer(before.signer)
        anna.gossip.tell(meanwhile)
        await trio.sleep(1)
        assert bert.holders(before.tag) == bert.holders(meanwhile.tag) == []
        bert.knowledge.lift(before.signer)
        assert bert.holders(before.tag) == bert.holders(meanwhile.tag) == [anna.own_id]

    talking(main)


def test_our_own_gateway_mends_a_slow_clock():
    async def main(talk: Talk) -> None:
        anna, bert = talk.talkers(2)
        bert.gossip.tell(validation(5, NOW + 3600))
        receive(bert, anna.own_id, TOPIC.seal(Batch((validation(date=NOW + 3600).row(),))))
        assert bert.holders(tag(1)) == [anna.own_id]

    talking(main)


def test_the_name_of_a_topic_tells_nothing_and_differs_by_key():
    assert topic_name(b"t" * 32) != topic_name(b"u" * 32)
    assert b"t" * 32 not in bytes.fromhex(topic_name(b"t" * 32))
