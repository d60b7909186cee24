import trio

from gh_p2pcache.peer.anti_entropy import GRACE, PROTOCOL
from gh_p2pcache.peer.frames import encode
from gh_p2pcache.peer.messages import Buried, Bury, Compare, Given, Message, Proofs, frame
from support.peers import NOW, SCOPE, proof, tag, tombstone, validation
from support.talkers import Talk, Talker, talking

MARK = b"m" * 16


async def caught_up_after(talker: Talker) -> float:
    start = trio.current_time()
    await talker.anti_entropy.caught_up(SCOPE)
    return trio.current_time() - start


def test_who_was_deaf_to_gossip_learns_all_within_ten_seconds():
    async def main(talk: Talk) -> None:
        talkers = talk.talkers(10)
        await trio.sleep(1)
        for talker in talkers:
            talker.deaf = True
        for number, talker in enumerate(talkers):
            talker.gossip.tell(validation(number))
            talker.gossip.tell(Bury(SCOPE, (tombstone(number + 1).mark,), NOW))
            talker.gossip.tell(Proofs(SCOPE, (proof(number + 1),)))
        await trio.sleep(10)
        digests = {
            tuple(ledger.digests() for ledger in talker.knowledge.replica(SCOPE).ledgers)
            for talker in talkers
        }
        assert len(digests) == 1
        for number, one in enumerate(talkers):
            for other in talkers:
                if other is not one:
                    assert other.holders(tag(number)) == [one.own_id]
                    assert ("buried", tombstone(number + 1).mark, NOW) in other.heard

    talking(main)


def test_two_that_cannot_see_each_other_learn_through_a_third():
    async def main(talk: Talk) -> None:
        anna, middle, carl = talk.talker(), talk.talker(), talk.talker()
        anna.gossip.tell(validation())
        talk.meet(anna, middle)
        await trio.sleep(1)
        anna_id = anna.own_id
        talk.meet(carl, middle)
        await trio.sleep(1)
        (holder,) = carl.index.holders(SCOPE, tag(1))
        assert (holder.peer, holder.source) == (anna_id, middle.own_id)

    talking(main)


def test_a_newcomer_is_caught_up_when_the_first_member_has_told_its_tombstones():
    async def main(talk: Talk) -> None:
        anna, bert = talk.talker(), talk.talker()
        anna.gossip.tell(Bury(SCOPE, (MARK,), NOW))
        anna.gossip.tell(validation())
        assert await caught_up_after(bert) == 0
        talk.meet(anna, bert)
        assert await caught_up_after(bert) < GRACE
        assert bert.heard[0] == ("buried", MARK, NOW)
        assert await caught_up_after(bert) == 0

    talking(main)


def test_a_member_that_says_nothing_costs_the_grace_once():
    async def main(talk: Talk) -> None:
        anna, bert = talk.talker(), talk.talker()

        async def silent(*_: object) -> None:
            await trio.sleep_forever()

        anna.handlers[PROTOCOL] = silent
        talk.meet(anna, bert)
        assert await caught_up_after(bert) == GRACE
        assert await caught_up_after(bert) == 0

    talking(main)


def test_who_lost_all_members_or_slept_is_a_newcomer_again():
    async def main(talk: Talk) -> None:
        anna, bert = talk.talkers(2)
        await trio.sleep(1)
        assert bert.anti_entropy.is_caught_up(SCOPE)
        talk.part(anna, bert)
        anna.gossip.tell(Bury(SCOPE, (MARK,), NOW))
        talk.meet(anna, bert)
        await bert.anti_entropy.caught_up(SCOPE)
        assert ("buried", MARK, NOW) in bert.heard
        bert.deaf = True
        anna.gossip.tell(Bury(SCOPE, (b"n" * 16,), NOW))
        assert bert.anti_entropy.is_caught_up(SCOPE)
        bert.slept = 3600.0
        assert not bert.anti_entropy.is_caught_up(SCOPE)
        await bert.anti_entropy.caught_up(SCOPE)
        assert ("buried", b"n" * 16, NOW) in bert.heard

    talking(main)


def test_a_scope_of_ours_is_not_opened_to_who_has_not_proved_its_key():
    async def main(talk: Talk) -> None:
        anna, bert = talk.talkers(2)
        bert.gossip.tell(validation())
        await trio.sleep(1)
        bert.connected.clear()
        assert await answered(bert, anna, frame(compare(SCOPE))) == b""
        assert bert.scores[anna.own_id] == -10

    talking(main)


async def answered(talker: Talker, asker: Talker, data: bytes) -> bytes:
    stream = await asker.open_stream(talker.own_id, PROTOCOL)
    await stream.write(data)
    await stream.close()
    with trio.move_on_after(30):
        return await stream.read(1 << 20)
    raise AssertionError


def test_what_is_no_question_of_a_shared_scope_is_refused_and_counts():
    rubbish = [b"rubbish", encode({"t": 5}, 100), frame(Given()), frame(compare(b"another!"))]

    async def main(talk: Talk) -> None:
        anna, bert = talk.talkers(2)
        await trio.sleep(1)
        for number, data in enumerate(rubbish, 1):
            assert await answered(bert, anna, data) == b""
            assert bert.scores[anna.own_id] == -10 * number

    talking(main)


def test_questions_of_a_later_version_are_refused_and_held_against_nobody():
    async def main(talk: Talk) -> None:
        anna, bert = talk.talkers(2)
        await trio.sleep(1)
        assert await answered(bert, anna, encode({"t": "compare 2"}, 100)) == b""
        assert not bert.scores

    talking(main)


def test_who_is_over_its_rate_gets_no_answer():
    async def main(talk: Talk) -> None:
        anna, bert = talk.talkers(2)
        await trio.sleep(1)
        assert await answered(bert, anna, frame(compare(SCOPE)))
        bert.refused.add("sync")
        assert await answered(bert, anna, frame(compare(SCOPE))) == b""

    talking(main)


def compare(scope: bytes) -> Message:
    return Compare(scope, (bytes(512),) * 3)


def test_a_gateway_that_was_away_hears_all_again():
    async def main(talk: Talk) -> None:
        anna = talk.talker()
        anna.knowledge.bury(SCOPE, (MARK,), 0)
        anna.knowledge.bury(SCOPE, (tombstone(1).mark, tombstone(2).mark), NOW)
        anna.knowledge.prove(SCOPE, (proof(),))
        first, second, third = anna.knowledge.replay()
        assert first == Bury(SCOPE, (MARK,), 0)
        assert isinstance(second, Buried)
        assert set(second.tombstones) == {tombstone(1), tombstone(2)}
        assert third == Proofs(SCOPE, (proof(),))

    talking(main)
