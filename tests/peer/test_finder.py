"""What a gateway gets for its question, and that nothing keeps it longer than it said."""

import hashlib

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.peer import exchange, owner, sulks
from gh_p2pcache.peer.messages import (
    FETCH,
    BlobHeader,
    Found,
    Nobody,
    SignedValidation,
    frame,
    read_message,
)
from gh_p2pcache.peer.search import HEDGE, QUICK
from gh_p2pcache.peer.wire import Stream
from gh_p2pcache.records.record import Validation
from gh_p2pcache.records.sign import check_validation
from support.members import DATE, DEADLINE, SCOPE, TAG, Team, TeamMember, in_a_team, yours

FETCHES = exchange.PROTOCOL


async def hang(*_: object) -> None:
    await trio.sleep_forever()


def checked(answer: object) -> Found:
    """Return what was found; fails unless it is what its signer signed, blob and all."""
    assert isinstance(answer, Found), answer
    validation = Validation(
        answer.digest, answer.date, 0.0, answer.ttl, answer.signer, answer.signature
    )
    check_validation(SCOPE, TAG, validation)
    assert not answer.blob or hashlib.sha256(answer.blob).digest() == answer.digest
    return answer


def test_alone_there_is_nobody_to_ask() -> None:
    async def main(team: Team) -> None:
        assert yours(await team.member().find())

    in_a_team(main)


def test_what_was_announced_is_fetched_without_asking_the_owner() -> None:
    async def main(team: Team) -> None:
        _, holder, asker = team.members(3)
        asker.heard(holder.store(), holder)
        found = checked(await asker.find())
        assert (found.peer, found.blob) == (holder.id, b"a sealed blob")
        assert asker.machine.opened == [(holder.id, FETCHES)]
        assert asker.waiting(1) == 0

    in_a_team(main)


def test_the_newest_is_fetched() -> None:
    async def main(team: Team) -> None:
        old, new, asker = team.members(3)
        asker.heard(old.store(b"old", DATE), old)
        asker.heard(new.store(b"new", DATE + 1), new)
        assert checked(await asker.find()).blob == b"new"

    in_a_team(main)


def test_what_the_gateway_has_is_confirmed_without_a_blob() -> None:
    async def main(team: Team) -> None:
        _, holder, asker = team.members(3)
        announced = holder.store()
        asker.heard(announced, holder)
        found = checked(await asker.find(have=announced.digest, after=DATE - 1))
        assert (found.blob, found.date) == (b"", DATE)
        assert asker.machine.opened == []

    in_a_team(main)


def test_nothing_that_is_not_newer_is_given() -> None:
    async def main(team: Team) -> None:
        _, holder, asker = team.members(3)
        asker.heard(holder.store(date=DATE), holder)
        assert yours(await asker.find(after=DATE))
        assert (holder.id, FETCHES) not in asker.machine.opened

    in_a_team(main)


def test_a_hung_holder_is_hedged_and_then_left_alone_for_a_while() -> None:
    async def main(team: Team) -> None:
        hung, holder, asker = team.members(3)
        hung.machine.handlers[FETCHES] = hang
        asker.heard(hung.store(date=DATE + 1), hung)
        asker.heard(holder.store(date=DATE), holder)
        started = trio.current_time()
        assert checked(await asker.find()).peer == holder.id
        assert trio.current_time() - started == pytest.approx(HEDGE)

    in_a_team(main)


def test_a_holder_that_has_it_no_more_is_followed_at_once() -> None:
    async def main(team: Team) -> None:
        former, holder, asker = team.members(3)
        asker.heard(former.store(date=DATE + 1), former)
        former.files.clear()
        asker.heard(holder.store(), holder)
        started = trio.current_time()
        assert checked(await asker.find()).peer == holder.id
        assert trio.current_time() == started

    in_a_team(main)


@pytest.mark.parametrize("end", ["reset", "close"])
def test_a_stream_that_ends_is_no_holder_that_has_it_no_more(end: str) -> None:
    """Two that dial each other at once drop one connection, and what was asked over it."""

    async def main(team: Team) -> None:
        _, holder, asker = team.members(3)
        serve, asked = holder.machine.handlers[FETCHES], []

        async def end_once(peer: str, stream: Stream) -> None:
            asked.append(peer)
            if len(asked) == 1:
                await getattr(stream, end)()
            else:
                await serve(peer, stream)

        holder.machine.handlers[FETCHES] = end_once
        asker.heard(holder.store(), holder)
        assert checked(await asker.find()).peer == holder.id
        assert asked == [asker.id] * 2

    in_a_team(main)


def test_what_nobody_hands_over_is_named_so_that_it_may_be_had_elsewhere() -> None:
    async def main(team: Team) -> None:
        away, there, asker = team.member(), team.member(), team.member()
        announced = away.store()
        asker.heard(announced, away)
        assert await asker.find() == Nobody(1, yours=True, known=announced), "alone"
        team.net.connect(there.machine, asker.machine)
        assert await asker.find() == Nobody(2, yours=True, known=announced)
        assert getattr(await asker.find(after=DATE), "known", "?") is None

    in_a_team(main)


def test_what_its_holder_has_no_more_is_not_to_be_had_elsewhere() -> None:
    async def main(team: Team) -> None:
        former, asker = team.members(2)
        asker.heard(former.store(), former)
        former.files.clear()
        answer = await asker.find()
        assert isinstance(answer, Nobody)
        assert answer.known is None

    in_a_team(main)


def test_hung_holders_cost_one_deadline_and_then_none() -> None:
    async def main(team: Team) -> None:
        *hung, asker = team.members(4)
        for member in hung:
            member.machine.handlers[FETCHES] = hang
            asker.heard(member.store(), member)
        started = trio.current_time()
        assert not yours(await asker.find())
        assert DEADLINE * 0.8 < trio.current_time() - started < DEADLINE
        started = trio.current_time()
        await asker.find()
        assert trio.current_time() - started < HEDGE

        await trio.sleep(sulks.SULK)
        hung[0].machine.handlers[FETCHES] = hung[0].exchange._serve
        assert isinstance(await asker.find(), Found), "all is forgiven"

    in_a_team(main)


def test_a_forged_blob_never_reaches_the_gateway() -> None:
    async def main(team: Team) -> None:
        liar, holder, asker = team.members(3)
        announced = liar.store(date=DATE + 1)

        async def lie(_: str, stream: Stream) -> None:
            await read_message(stream, FETCH)
            await stream.write(frame(header_for(announced)) + bytes(announced.size))

        liar.machine.handlers[FETCHES] = lie
        asker.heard(announced, liar)
        asker.heard(holder.store(), holder)
        assert checked(await asker.find()).peer == holder.id
        assert asker.machine.scores[liar.id] == -50

    in_a_team(main)


def header_for(announced: SignedValidation) -> BlobHeader:
    return BlobHeader(
        announced.size, announced.date, announced.ttl, announced.signer, announced.signature
    )


def test_a_holder_out_of_reach_is_reached_through_a_member_that_accepts() -> None:
    async def main(team: Team) -> None:
        hub, holder, asker = team.member(), *(team.member(accepting=False) for _ in range(2))
        team.net.connect(hub.machine, holder.machine)
        hub.machine.connected.add(asker.id)
        asker.machine.connected.add(hub.id)
        announced = holder.store()
        for member in (hub, asker):
            member.heard(announced, holder)
        found = checked(await asker.find())
        assert (found.peer, found.blob) == (hub.id, b"a sealed blob")
        assert [keep.blob for keep in hub.kept] == [b"a sealed blob"]

    in_a_team(main)


def test_the_owner_reaches_for_us_whom_it_names() -> None:
    async def main(team: Team) -> None:
        hub, holder, asker = team.member(), *(team.member(accepting=False) for _ in range(2))
        team.net.connect(hub.machine, holder.machine)
        hub.machine.connected.add(asker.id)
        asker.machine.connected.add(hub.id)
        hub.heard(holder.store(), holder)  # the asker has heard nothing
        assert checked(await asker.find()).blob == b"a sealed blob"

    in_a_team(main)


def test_no_answer_before_the_tombstones_are_known() -> None:
    async def main(team: Team) -> None:
        _, holder, asker = team.members(3)
        asker.heard(holder.store(), holder)
        asker.synced = trio.Event()
        started = trio.current_time()
        assert not yours(await asker.find())
        assert DEADLINE * 0.8 < trio.current_time() - started < DEADLINE

        n = await asker.ask()
        await trio.sleep(0.1)
        asker.synced.set()
        checked(await asker.answer(n))

    in_a_team(main)


def test_a_large_blob_may_outlast_the_deadline_if_it_is_quick_enough() -> None:
    async def main(team: Team) -> None:
        holder, asker = team.members(2)
        size = 1 << 20
        announced = holder.store(bytes(size))

        async def send(stream: Stream, seconds: float) -> None:
            await read_message(stream, FETCH)
            await stream.write(frame(header_for(announced)))
            for _ in range(16):
                await trio.sleep(seconds / 16)
                await stream.write(bytes(size // 16))

        asker.heard(announced, holder)
        holder.machine.handlers[FETCHES] = lambda _, stream: send(stream, 0.2)
        assert len(checked(await asker.find()).blob) == size
        assert asker.waiting(1) >= 1

        holder.machine.handlers[FETCHES] = lambda _, stream: send(stream, 3.0)
        started = trio.current_time()
        assert isinstance(await asker.find(), Nobody)
        assert trio.current_time() - started <= size / QUICK + 0.01

    in_a_team(main)


def test_gossip_ends_a_wait_that_the_owner_does_not() -> None:
    async def main(team: Team) -> None:
        _, fetching, asker = team.members(3)
        assert yours(await fetching.find())
        n = await asker.ask()
        await trio.sleep(DEADLINE)
        asker.heard(fetching.store(), fetching)
        started = trio.current_time()
        checked(await asker.answer(n))
        assert trio.current_time() - started <= owner.WORD

    in_a_team(main)


def test_a_gateway_that_left_is_not_answered() -> None:
    async def main(team: Team) -> None:
        first, fetching, asker = team.members(3)
        assert yours(await fetching.find())
        n = await asker.ask()
        await trio.sleep(DEADLINE)
        asker.desk.left()
        await trio.sleep(1)
        assert not asker.answers(n)
        await fetching.announce(fetching.store())
        await trio.sleep(1)
        assert not asker.answers(n)
        assert len(first.owner._leases) == 0

    in_a_team(main)


def test_too_many_questions_at_once_go_to_github() -> None:
    async def main(team: Team) -> None:
        first, asker = team.members(2)
        first.machine.handlers[owner.PROTOCOL] = hang
        asker.machine.accepting = False
        numbers = [await asker.ask(deadline=5.0) for _ in range(600)]
        refused = [n for n in numbers if asker.answers(n)]
        assert len(refused) == 600 - 512
        assert not any(yours(asker.answers(n)[0]) for n in refused)

    in_a_team(main)


BEHAVIOURS = st.sampled_from(["honest", "hangs", "empty", "forges", "cuts", "dies", "drips"])


@given(st.lists(st.tuples(BEHAVIOURS, BEHAVIOURS, st.booleans()), min_size=1, max_size=5))
def test_whatever_members_do_the_answer_is_right_and_in_time(
    kinds: list[tuple[str, str, bool]],
) -> None:
    async def main(team: Team) -> None:
        *others, asker = team.members(len(kinds) + 1)
        for member, (fetches, asks, announced) in zip(others, kinds, strict=True):
            validation = member.store(date=DATE + len(fetches))
            misbehave(member, FETCHES, fetches, frame(header_for(validation)))
            misbehave(member, owner.PROTOCOL, asks, b"\x00\x00\x00\x01\x80")
            if announced:
                asker.heard(validation, member)
        started = trio.current_time()
        answer = await asker.find()
        assert trio.current_time() - started < DEADLINE
        if isinstance(answer, Found):
            assert checked(answer).blob == b"a sealed blob"
        else:
            assert isinstance(answer, Nobody)
            direct = [k for k in kinds if k[2] and k[0] == "honest"]
            assert not direct or len([k for k in kinds if k[2]]) > 3

    in_a_team(main)


def misbehave(member: TeamMember, protocol: str, how: str, header: bytes) -> None:
    """Let a member answer a protocol in one of BEHAVIOURS."""

    async def serve(_: str, stream: Stream) -> None:
        if how == "dies":
            await stream.reset()
        elif how == "empty":
            await stream.close()
        elif how == "forges":
            await stream.write(header + b"a forged blob")
        elif how == "cuts":
            await stream.write(header + b"a se")
        elif how == "drips":
            for byte in header:
                await stream.write(bytes([byte]))
                await trio.sleep(1)
        elif how == "hangs":
            await trio.sleep_forever()

    if how != "honest":
        member.machine.handlers[protocol] = serve
