"""Ten that miss the same key ask GitHub once, whoever dies meanwhile."""

from collections import Counter
from contextlib import suppress

import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from gh_p2pcache.peer import owner
from gh_p2pcache.peer.frames import encode
from gh_p2pcache.peer.leases import LIFE, SILENCE
from gh_p2pcache.peer.messages import (
    Ask,
    Claim,
    Fetching,
    Found,
    Held,
    Nobody,
    Yours,
    frame,
    read_message,
)
from gh_p2pcache.peer.owner import rank
from gh_p2pcache.peer.wire import PeerError, Stream
from support.members import DATE, DEADLINE, SCOPE, TAG, Team, TeamMember, in_a_team, yours

PEERS = st.lists(st.text("abcdefgh", min_size=1, max_size=4), unique=True, min_size=2)


@given(PEERS, st.randoms())
def test_everybody_names_the_same_owner(peers: list[str], random: object) -> None:
    shuffled = sorted(peers, reverse=True)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rank(SCOPE, TAG, peers) == rank(SCOPE, TAG, shuffled)


@given(PEERS, st.integers(0, 99))
def test_who_leaves_moves_only_its_own_tags(peers: list[str], number: int) -> None:
    before = rank(SCOPE, str(number), peers)
    for gone in peers:
        after = rank(SCOPE, str(number), [peer for peer in peers if peer != gone])
        assert after == [peer for peer in before if peer != gone]


def test_tags_are_spread_evenly() -> None:
    peers = ["a", "b", "c", "d", "e"]
    owners = Counter(rank(SCOPE, str(number), peers)[0] for number in range(1000))
    assert min(owners.values()) > 150


def test_only_members_that_accept_connections_own_tags() -> None:
    async def main(team: Team) -> None:
        runner, other = team.member(accepting=False), team.member(accepting=False)
        team.net.connect(runner.machine, other.machine)
        assert runner.owner.owners(SCOPE, TAG) == []
        assert yours(await runner.find())
        assert runner.machine.opened == []

    in_a_team(main)


def test_who_owns_the_tag_itself_opens_no_stream() -> None:
    async def main(team: Team) -> None:
        first, *_ = team.members(3)
        assert yours(await first.find())
        assert first.machine.opened == []

    in_a_team(main)


def test_of_ten_one_fetches_and_nine_get_it_at_once() -> None:
    async def main(team: Team) -> None:
        members = team.members(10)[::-1]  # the owner asks last
        numbers = [await member.ask() for member in members]
        fetching = await the_one_that_fetches(members, numbers)
        await trio.sleep(3)  # GitHub is slow
        announced_at = trio.current_time()
        await fetching.announce(fetching.store())
        for member, number in zip(members, numbers, strict=True):
            if member is not fetching:
                answer = await member.answer(number)
                assert isinstance(answer, Found)
                assert answer.blob == b"a sealed blob"
                assert answer.peer == fetching.id
                assert member.waiting(number) >= 11  # every 250 ms
        assert trio.current_time() - announced_at < 0.05

    in_a_team(main)


async def the_one_that_fetches(members: list[TeamMember], numbers: list[int]) -> TeamMember:
    """Return the one member that was told to fetch, once all others wait."""
    await trio.sleep(DEADLINE / 2)
    told = [member for member, n in zip(members, numbers, strict=True) if member.answers(n)]
    assert len(told) == 1
    assert yours(told[0].answers(numbers[members.index(told[0])])[0])
    return told[0]


def test_when_the_fetching_machine_dies_exactly_one_takes_over() -> None:
    async def main(team: Team) -> None:
        _, *others = team.members(6)  # all but the owner
        numbers = [await member.ask() for member in others]
        fetching = await the_one_that_fetches(others, numbers)
        rest = [(m, n) for m, n in zip(others, numbers, strict=True) if m is not fetching]
        await team.net.kill(fetching.machine)
        await trio.sleep(0.01)
        told = [yours(member.answers(n)[0]) for member, n in rest if member.answers(n)]
        assert told == [True]

    in_a_team(main)


def test_when_the_owner_dies_one_of_the_waiting_fetches_and_none_waits_long() -> None:
    async def main(team: Team) -> None:
        first, *others = team.members(6)
        numbers = [await member.ask() for member in others]
        fetching = await the_one_that_fetches(others, numbers)
        rest = [(m, n) for m, n in zip(others, numbers, strict=True) if m is not fetching]
        await team.net.kill(first.machine)
        await trio.sleep(0.05)
        told = [(m, yours(m.answers(n)[0])) for m, n in rest if m.answers(n)]
        assert [lease for _, lease in told] == [True]
        (second, _), announced_at = told[0], trio.current_time()
        await second.announce(second.store())
        for member, number in rest:
            if member is not second:
                assert isinstance(await member.answer(number), Found)
        assert trio.current_time() - announced_at < 0.05

    in_a_team(main)


def test_a_fetching_machine_that_hangs_is_overtaken_within_a_second_or_so() -> None:
    async def main(team: Team) -> None:
        first, other, _ = team.members(3)
        hung = await other.machine.open_stream(first.id, owner.PROTOCOL)
        await hung.write(frame(Ask(SCOPE, TAG, 0)))
        assert await read_message(hung, {"yours": Yours}) == Yours()
        started = trio.current_time()
        n = await first.ask()
        assert yours(await first.answer(n))
        assert trio.current_time() - started <= SILENCE + 2 * owner.WORD

    in_a_team(main)


def test_who_says_for_ever_that_it_fetches_keeps_others_ten_seconds_at_most_and_once() -> None:
    async def main(team: Team) -> None:
        first, liar, third = team.members(3)

        async def lie() -> None:
            stream = await liar.machine.open_stream(first.id, owner.PROTOCOL)
            await stream.write(frame(Ask(SCOPE, TAG, 0)))
            while True:
                await stream.write(frame(Fetching()))
                await trio.sleep(0.2)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ignore_peer_errors, lie)
            await wait_all_tasks_blocked()
            started = trio.current_time()
            await third.find()
            assert trio.current_time() - started <= LIFE + owner.WORD
            await third.release()
            nursery.start_soon(ignore_peer_errors, lie)
            await wait_all_tasks_blocked()
            started = trio.current_time()
            await third.find()
            assert trio.current_time() - started < DEADLINE
            nursery.cancel_scope.cancel()

    in_a_team(main)


async def ignore_peer_errors(do: object) -> None:
    with suppress(PeerError):
        await do()  # type: ignore[operator]


def test_an_owner_that_lets_wait_for_ever_does_so_once() -> None:
    async def main(team: Team) -> None:
        first, other, *_ = team.members(3)

        async def hold_up(_: str, stream: object) -> None:
            while True:
                await stream.write(frame(Fetching()))  # type: ignore[attr-defined]
                await trio.sleep(0.25)

        first.machine.handlers[owner.PROTOCOL] = hold_up
        started = trio.current_time()
        assert not yours(await other.find())
        assert trio.current_time() - started <= LIFE
        started = trio.current_time()
        assert yours(await other.find())
        assert trio.current_time() - started < DEADLINE

    in_a_team(main)


def test_a_hung_owner_costs_part_of_one_deadline() -> None:
    async def main(team: Team) -> None:
        first, second, other = team.members(3)

        async def hang(*_: object) -> None:
            await trio.sleep_forever()

        first.machine.handlers[owner.PROTOCOL] = hang
        numbers = [await member.ask() for member in (second, other)]
        await trio.sleep(DEADLINE)
        answers = [m.answers(n) for m, n in zip((second, other), numbers, strict=True)]
        assert sorted(map(len, answers)) == [0, 1], "one fetches, the other waits for it"

    in_a_team(main)


def test_all_owners_hung_cost_one_deadline_and_later_finds_nothing() -> None:
    async def main(team: Team) -> None:
        *hung, asker = team.members(4)

        async def hang(*_: object) -> None:
            await trio.sleep_forever()

        for member in hung:
            member.machine.handlers[owner.PROTOCOL] = hang
        asker.machine.accepting = False
        started = trio.current_time()
        assert not yours(await asker.find())
        assert trio.current_time() - started <= DEADLINE
        again = trio.current_time()
        await asker.find()
        assert trio.current_time() - again <= DEADLINE

    in_a_team(main)


def test_a_fill_without_a_record_lets_all_go_at_once() -> None:
    async def main(team: Team) -> None:
        members = team.members(4)
        numbers = [await member.ask() for member in members]
        fetching = await the_one_that_fetches(members, numbers)
        await fetching.release()
        await trio.sleep(0.01)
        for member, number in zip(members, numbers, strict=True):
            if member is not fetching:
                assert not yours(await member.answer(number))

    in_a_team(main)


def test_a_gateway_that_goes_gives_its_lease_to_another() -> None:
    async def main(team: Team) -> None:
        _, one, two = team.members(3)
        assert yours(await one.find())
        n = await two.ask()
        await trio.sleep(DEADLINE)
        assert not two.answers(n)
        one.desk.left()
        assert yours(await two.answer(n))

    in_a_team(main)


def test_two_questions_of_one_machine_are_one_fetch() -> None:
    async def main(team: Team) -> None:
        _, one, _ = team.members(3)
        first = await one.ask()
        await one.answer(first)
        second = await one.ask()
        await trio.sleep(DEADLINE)
        assert not one.answers(second)
        await one.announce(one.store())
        assert isinstance(await one.answer(second), Found)

    in_a_team(main)


def test_the_owner_names_who_holds_it() -> None:
    async def main(team: Team) -> None:
        first, holder, asker = team.members(3)
        announced = holder.store()
        first.heard(announced, holder)
        answer = await asker.find()
        assert isinstance(answer, Found)
        assert (answer.blob, answer.peer) == (b"a sealed blob", holder.id)
        assert asker.index.holders(SCOPE, TAG)[0].peer == holder.id

    in_a_team(main)


def test_an_owner_that_keeps_what_its_holder_announced_gives_it_when_that_has_left() -> None:
    async def main(team: Team) -> None:
        first, holder, asker = team.members(3)
        announced = holder.store()
        first.heard(announced, holder)
        first.files.update(holder.files)
        await team.net.kill(holder.machine)
        answer = await asker.find()
        assert isinstance(answer, Found)
        assert (answer.blob, answer.peer) == (b"a sealed blob", first.id)

    in_a_team(main)


def test_an_owner_offers_nothing_of_its_own_that_has_expired_or_is_known() -> None:
    async def main(team: Team) -> None:
        first, _, asker = team.members(3)
        first.store(date=DATE - 60)
        assert yours(await asker.find())
        await asker.release()
        first.store()
        assert yours(await asker.find(after=DATE))

    in_a_team(main)


def test_a_holder_that_has_left_keeps_nobody_from_fetching() -> None:
    async def main(team: Team) -> None:
        first, holder, asker = team.members(3)
        first.heard(holder.store(), holder)
        await team.net.kill(holder.machine)
        assert yours(await asker.find())

    in_a_team(main)


def test_the_owner_names_who_has_just_fetched_before_gossip_does() -> None:
    async def main(team: Team) -> None:
        _, fetching, asker = team.members(3)
        assert yours(await fetching.find())
        await fetching.announce(fetching.store())
        await wait_all_tasks_blocked()
        answer = await asker.find()
        assert isinstance(answer, Found)
        assert answer.peer == fetching.id

    in_a_team(main)


def test_an_owner_is_not_blamed_for_a_ban_that_it_has_not_heard_of() -> None:
    async def main(team: Team) -> None:
        first, banned, asker = team.members(3)
        announced = banned.store()
        first.heard(announced, banned)
        asker.index.drop_signer(announced.signer)
        for _ in range(3):
            answer = await asker.find()
            assert isinstance(answer, Nobody)
        assert not asker.machine.scores[first.id]

    in_a_team(main)


def test_strangers_and_other_tags_are_refused() -> None:
    async def main(team: Team) -> None:
        first, other, waiting = team.members(3)
        stream = await other.machine.open_stream(first.id, owner.PROTOCOL)
        await stream.write(frame(Ask(b"another-", TAG, 0)))
        assert await stream.read(1) == b""
        assert first.machine.scores[other.id] < 0

        stream = await other.machine.open_stream(first.id, owner.PROTOCOL)
        await stream.write(frame(Ask(SCOPE, TAG, 0)))
        await read_message(stream, {"yours": Yours})
        n = await waiting.ask()
        await trio.sleep(DEADLINE)
        forged = Claim(waiting.id, other.store().row())
        await stream.write(frame(Held((forged,))))
        assert yours(await waiting.answer(n)), "the lease is another's now"
        assert first.machine.scores[other.id] <= -20

    in_a_team(main)


def test_rubbish_from_an_owner_costs_it_and_not_us() -> None:
    async def main(team: Team) -> None:
        first, second, asker = team.members(3)

        async def rubbish(_: str, stream: object) -> None:
            await stream.write(encode({"t": "held", "claims": [["x", 1]]}, 99))  # type: ignore[attr-defined]

        first.machine.handlers[owner.PROTOCOL] = rubbish
        assert yours(await asker.find())
        assert asker.machine.scores[first.id] in {-10, -20}
        assert second.owner

    in_a_team(main)


def test_what_the_wait_brings_is_newer_than_what_the_gateway_has() -> None:
    async def main(team: Team) -> None:
        _, holder, asker = team.members(3)
        assert yours(await holder.find())
        n = await asker.ask(after=DATE)
        await trio.sleep(DEADLINE)
        await holder.announce(holder.store(date=DATE))
        assert not yours(await asker.answer(n))

    in_a_team(main)


def test_a_stream_that_breaks_is_no_owner_that_is_gone() -> None:
    async def main(team: Team) -> None:
        first, asker, other = team.members(3)
        serve, broken = first.machine.handlers[owner.PROTOCOL], []

        async def break_once(peer: str, stream: Stream) -> None:
            if broken:
                await serve(peer, stream)
            broken.append(peer)
            await stream.reset()

        first.machine.handlers[owner.PROTOCOL] = break_once
        first.heard(other.store(), other)
        assert isinstance(await asker.find(), Found)
        assert broken == [asker.id] * 2

    in_a_team(main)
