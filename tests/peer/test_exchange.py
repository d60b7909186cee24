"""Blobs go from member to member whole, checked and bounded, or not at all."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from gh_p2pcache.peer import exchange
from gh_p2pcache.peer.exchange import Parcel, reader
from gh_p2pcache.peer.keeper import Keeper
from gh_p2pcache.peer.messages import (
    FETCH,
    BlobHeader,
    Fetch,
    Nothing,
    SignedValidation,
    frame,
    read_message,
)
from gh_p2pcache.peer.wire import BrokenError, PeerError, Stream
from gh_p2pcache.records.record import Validation
from gh_p2pcache.records.sign import Signer, check_validation, sign_validation
from gh_p2pcache.store.shared import read_shared
from support.members import DATE, MAX_BLOB, SCOPE, TAG, Team, TeamMember, in_a_team
from support.store import KEYS, Shop, a_record


def fetch_of(announced: SignedValidation, **changes: object) -> Fetch:
    return replace(Fetch(announced.scope, announced.tag, announced.digest), **changes)  # type: ignore[arg-type]


async def ask(member: TeamMember, peer: TeamMember, request: Fetch) -> object:
    """Return the header that a member answers with."""
    stream = await member.machine.open_stream(peer.id, exchange.PROTOCOL)
    await stream.write(frame(request))
    return await read_message(stream, FETCH)


def instead(member: TeamMember, answer: Callable[[Stream], Awaitable[None]]) -> None:
    """Let a member answer fetches in its own way."""

    async def serve(_: str, stream: Stream) -> None:
        await read_message(stream, FETCH)
        await answer(stream)

    member.machine.handlers[exchange.PROTOCOL] = serve


def header_for(announced: SignedValidation, size: int) -> BlobHeader:
    return BlobHeader(size, announced.date, announced.ttl, announced.signer, announced.signature)


@pytest.mark.parametrize("size", [1, 5000, exchange.PIECE, exchange.PIECE + 1, MAX_BLOB])
def test_a_blob_arrives_as_it_was(size: int) -> None:
    async def main(team: Team) -> None:
        one, two = team.members(2)
        announced = one.store(bytes([size % 251]) * size)
        parcel = await two.exchange.fetch(one.id, announced)
        assert parcel is not None
        assert parcel.blob == one.files[TAG].blob
        check_validation(SCOPE, TAG, parcel.validation)
        assert parcel.peer == one.id

    in_a_team(main)


def test_the_newest_validation_comes_with_it() -> None:
    async def main(team: Team) -> None:
        one, two = team.members(2)
        old, new = one.store(date=DATE), one.store(date=DATE + 9)
        for announced in (old, new):  # what the holder has is newer; what was announced is
            one.store(date=2 * DATE + 9 - announced.date)
            parcel = await two.exchange.fetch(one.id, announced)
            assert parcel is not None
            assert parcel.validation.github_date == DATE + 9
            check_validation(SCOPE, TAG, parcel.validation)

    in_a_team(main)


def test_what_is_not_held_is_said_at_once_and_not_asked_for_again() -> None:
    async def main(team: Team) -> None:
        one, two = team.members(2)
        announced = one.store()
        two.heard(announced, one)
        one.files.clear()
        assert await two.exchange.fetch(one.id, announced) is None
        assert two.index.holders(SCOPE, TAG) == ()
        one.store(b"another blob")
        assert await two.exchange.fetch(one.id, announced) is None

    in_a_team(main)


def test_a_wrong_blob_is_refused_and_held_against_its_sender() -> None:
    async def main(team: Team) -> None:
        liar, two = team.members(2)
        announced = liar.store(b"right")

        async def lie(stream: Stream) -> None:
            await stream.write(frame(header_for(announced, 5)) + b"wrong")

        instead(liar, lie)
        with pytest.raises(PeerError):
            await two.exchange.fetch(liar.id, announced)
        assert two.machine.scores[liar.id] == -50

    in_a_team(main)


def test_a_blob_that_is_too_large_is_not_read() -> None:
    async def main(team: Team) -> None:
        liar, two = team.members(2)
        announced = liar.store()
        read = 0

        async def lie(stream: Stream) -> None:
            nonlocal read
            await stream.write(frame(header_for(announced, MAX_BLOB + 1)))
            await stream.write(bytes(MAX_BLOB))
            read = 1

        instead(liar, lie)
        with pytest.raises(PeerError):
            await two.exchange.fetch(liar.id, announced)
        assert two.machine.scores[liar.id] == -10

    in_a_team(main)


@pytest.mark.parametrize("said", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x02\x81", b"GET /"])
def test_rubbish_for_a_header_is_no_blob(said: bytes) -> None:
    async def main(team: Team) -> None:
        liar, two = team.members(2)
        instead(liar, lambda stream: stream.write(said))
        with pytest.raises(PeerError):
            await two.exchange.fetch(liar.id, liar.store())
        assert two.machine.scores[liar.id] == -10

    in_a_team(main)


def test_who_leaves_before_it_answers_is_not_blamed_and_not_forgotten() -> None:
    async def main(team: Team) -> None:
        holder, two = team.members(2)
        announced = holder.store()
        two.heard(announced, holder)
        instead(holder, lambda stream: stream.close())
        with pytest.raises(BrokenError):
            await two.exchange.fetch(holder.id, announced)
        assert two.machine.scores[holder.id] == 0
        assert [known.peer for known in two.index.holders(SCOPE, TAG)] == [holder.id]

    in_a_team(main)


@pytest.mark.parametrize("sent", [b"", b"half of"])
def test_who_stops_in_the_middle_costs_a_step(sent: bytes) -> None:
    async def main(team: Team) -> None:
        slow, two = team.members(2)
        announced = slow.store(b"half of a blob")

        async def stop(stream: Stream) -> None:
            await stream.write(frame(header_for(announced, 14)) + sent)
            await trio.sleep_forever()

        instead(slow, stop)
        started = trio.current_time()
        with pytest.raises(PeerError):
            await two.exchange.fetch(slow.id, announced)
        assert trio.current_time() - started <= 2 * exchange.STEP

    in_a_team(main)


def test_a_drip_is_given_up() -> None:
    async def main(team: Team) -> None:
        slow, two = team.members(2)
        announced = slow.store(bytes(1000))

        async def drip(stream: Stream) -> None:
            await stream.write(frame(header_for(announced, 1000)))
            for _ in range(1000):
                await stream.write(b"\0")
                await trio.sleep(1)

        instead(slow, drip)
        started = trio.current_time()
        with pytest.raises(PeerError):
            await two.exchange.fetch(slow.id, announced)
        assert trio.current_time() - started <= 3 * exchange.STEP

    in_a_team(main)


def test_who_never_finishes_asking_is_let_go() -> None:
    async def main(team: Team) -> None:
        one, two = team.members(2)
        stream = await two.machine.open_stream(one.id, exchange.PROTOCOL)
        await stream.write(b"\x00\x00")
        started = trio.current_time()
        assert await stream.read(1) == b""
        assert trio.current_time() - started <= exchange.STEP

    in_a_team(main)


def test_nothing_for_another_scope_and_for_who_asks_too_often() -> None:
    async def main(team: Team) -> None:
        one, two = team.members(2)
        announced = one.store()
        assert await ask(two, one, fetch_of(announced, scope=b"another-")) is None
        assert one.machine.scores[two.id] == -10
        one.machine.refused.add("fetch")
        assert await ask(two, one, fetch_of(announced)) == Nothing()

    in_a_team(main)


def test_nothing_is_served_before_the_tombstones_are_known() -> None:
    async def main(team: Team) -> None:
        one, two = team.members(2)
        announced = one.store()
        one.synced = trio.Event()
        assert await two.exchange.fetch(one.id, announced) is None
        one.synced.set()
        assert await two.exchange.fetch(one.id, announced) is not None

    in_a_team(main)


def test_members_that_only_dial_out_share_through_one_that_accepts() -> None:
    async def main(team: Team) -> None:
        hub = team.member()
        ends = [team.member(accepting=False) for _ in range(5)]
        for end in ends:
            team.net.connect(hub.machine, end.machine)
        holder, *askers = ends
        announced = holder.store()
        hub.heard(announced, holder)
        got: list[Parcel | None] = []

        async def get(asker: TeamMember) -> None:
            got.append(await asker.exchange.fetch(hub.id, announced))

        async with trio.open_nursery() as nursery:
            for asker in askers:
                nursery.start_soon(get, asker)
        assert [parcel and parcel.blob for parcel in got] == [b"a sealed blob"] * 4
        assert hub.machine.opened == [(holder.id, exchange.PROTOCOL)], "once for all askers"
        (kept,) = hub.kept
        assert (kept.blob, kept.peer, kept.date) == (b"a sealed blob", holder.id, DATE)

    in_a_team(main)


def test_a_request_goes_round_in_no_circle() -> None:
    async def main(team: Team) -> None:
        one, two, three = team.members(3)
        announced = one.store()
        one.files.clear()
        for member in (one, two, three):  # each believes that the others hold it
            for other in (one, two, three):
                if other is not member:
                    member.heard(announced, other)
        assert await three.exchange.fetch(one.id, announced) is None
        asked = [len(member.machine.opened) for member in (one, two)]
        assert asked == [1, 0]

    in_a_team(main)


def test_one_that_accepts_no_connections_fetches_for_nobody() -> None:
    async def main(team: Team) -> None:
        holder, asker, runner = team.member(), team.member(), team.member(accepting=False)
        team.net.connect(runner.machine, holder.machine)
        team.net.connect(runner.machine, asker.machine)
        announced = holder.store()
        runner.heard(announced, holder)
        assert await asker.exchange.fetch(runner.id, announced) is None
        assert runner.machine.opened == []

    in_a_team(main)


def test_one_peer_cannot_take_all_the_room() -> None:
    async def main(team: Team) -> None:
        one, greedy, modest = team.members(3)
        reading = 0

        async def hang(scope: bytes, tag: str) -> None:  # noqa: ARG001
            nonlocal reading
            reading += 1
            await trio.sleep_forever()

        one.exchange.held = hang
        for _ in range(40):
            stream = await greedy.machine.open_stream(one.id, exchange.PROTOCOL)
            await stream.write(frame(fetch_of(one.store())))
        await wait_all_tasks_blocked()
        assert reading == 16
        stream = await modest.machine.open_stream(one.id, exchange.PROTOCOL)
        await stream.write(frame(fetch_of(one.store())))
        await wait_all_tasks_blocked()
        assert reading == 17

    in_a_team(main)


def test_what_lies_in_the_store_is_served(tmp_path: Path) -> None:
    shop, tag = Shop(tmp_path), KEYS.tag(b"a")
    shop.store.put(
        tag, KEYS, a_record(),
        validation_date=DATE, validated_at=1.0, ttl=60.0, signer=Signer(bytes(32)),
    )  # fmt: skip
    records = tmp_path / "records"
    shared = trio.run(reader(records), KEYS.id, tag)
    assert shared is not None
    assert shared == read_shared(records, KEYS.id, tag)
    assert trio.run(reader(records), KEYS.id, "0" * 32) is None


# ---- keeper


def keeper_of(team: Team, member: TeamMember) -> Keeper:
    keeper = Keeper(member.id, member.machine, member.index, member.exchange, member.kept.append)
    team.nursery.start_soon(keeper.run)
    return keeper


def learn(keeper: Keeper, member: TeamMember, announced: SignedValidation, by: TeamMember) -> None:
    member.heard(announced, by)
    keeper.announced(announced, by.id)


def test_a_keeper_keeps_what_others_announce() -> None:
    async def main(team: Team) -> None:
        member, holder = team.members(2)
        keeper = keeper_of(team, member)
        learn(keeper, member, holder.store(), holder)
        await wait_all_tasks_blocked()
        (kept,) = member.kept
        assert (kept.tag, kept.blob) == (TAG, b"a sealed blob")
        keeper.announced(member.store(date=DATE + 1), member.id)  # its own
        await wait_all_tasks_blocked()
        assert len(member.kept) == 1

    in_a_team(main)


def test_a_keeper_fetches_a_blob_once_and_its_validations_never() -> None:
    async def main(team: Team) -> None:
        member, holder = team.members(2)
        keeper = keeper_of(team, member)
        member.files[TAG] = (holder.store(date=DATE), holder.files[TAG])[1]
        learn(keeper, member, holder.store(date=DATE + 5), holder)
        learn(keeper, member, holder.store(date=DATE + 5), holder)
        await trio.sleep(1)
        assert member.machine.opened == []
        (kept,) = member.kept
        assert (kept.date, kept.blob) == (DATE + 5, b"a sealed blob")
        check_validation(
            SCOPE, TAG,
            Validation(kept.digest, kept.date, 0.0, kept.ttl, kept.signer, kept.signature),
        )  # fmt: skip

    in_a_team(main)


def test_a_keeper_is_not_driven_by_who_announces_without_end() -> None:
    async def main(team: Team) -> None:
        member, holder = team.members(2)
        keeper = keeper_of(team, member)
        announced = holder.store()
        for number in range(10_000):
            tag = hashlib.sha256(str(number).encode()).hexdigest()[:32]
            kept = holder.files[TAG]
            signed = sign_validation(holder.machine.signer, SCOPE, tag, kept.validation)
            holder.files[tag] = replace(kept, validation=signed)
            learn(keeper, member, replace(announced, tag=tag, signature=signed.signature), holder)
        await trio.sleep(2)
        assert 90 <= len(member.kept) <= 110

    in_a_team(main)
