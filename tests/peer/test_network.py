"""Real peers over loopback: who meets whom, and what a stranger gets."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import trio
import trio.testing

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.address import Address, parse
from gh_p2pcache.peer.wire import OwnAddressError, PeerError, Stream
from gh_p2pcache.records.sign import public_of
from support.network import BLUE, RED, Network, address, grant, ids, running, topic_of, trial, until

ECHO = "/test/echo/1"


def echoing(network: Network) -> None:
    async def echo(_peer: str, stream: Stream) -> None:
        while data := await stream.read(65536):
            await stream.write(data)

    network.handle(ECHO, echo)


async def say(network: Network, peer: str, data: bytes) -> bytes:
    stream = await network.open_stream(peer, ECHO)

    async def write() -> None:
        await stream.write(data)
        await stream.close()

    heard = b""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        while piece := await stream.read(65536):
            heard += piece
    return heard


@trial
async def test_an_address_without_an_id_is_enough_and_streams_go_both_ways() -> None:
    async with (
        running(prepare=echoing) as a,
        running(prepare=echoing, bootstrap=(address(a),)) as b,
    ):
        await until(lambda: ids(a) and ids(b))
        data = os.urandom(3_000_000)
        assert await say(b, a.own_id, data) == data
        assert await say(a, b.own_id, data) == data


@trial
async def test_members_learn_of_each_other_from_members() -> None:
    async with (
        running() as a,
        running(bootstrap=(address(a),)) as b,
        running(bootstrap=(address(a),)) as c,
    ):
        await until(lambda: ids(b) == {a.own_id, c.own_id} and ids(c) == {a.own_id, b.own_id})
        await until(lambda: all(m.accepting for m in b.book.members(RED.id)))
        await until(lambda: a.accepting and b.accepting and c.accepting)


@trial
async def test_who_has_another_key_is_disconnected_and_told_nothing() -> None:
    asked: list[str] = []

    def prepare(network: Network) -> None:
        async def handler(peer: str, _stream: Stream) -> None:
            asked.append(peer)

        network.handle(ECHO, handler)

    async with running(prepare=prepare) as a, running(grant("red", "other secret")) as stranger:
        with pytest.raises(PeerError, match="no member of your team"):
            await stranger.dial(address(a))
        await until(lambda: not a.host.links() and not stranger.host.links())
        assert not ids(a) | ids(stranger)
        assert not asked
        # Before any proof, no other protocol is so much as negotiated.
        link = await stranger.host.dial(parse_of(a))
        stream = await link.open(ECHO)
        with pytest.raises(PeerError):
            await stream.read(1)
        assert not asked


@trial
async def test_teams_on_one_machine_stay_apart() -> None:
    heard: dict[str, list[bytes]] = {"red": [], "both": []}

    def listen(name: str) -> Callable[[Network], None]:
        def prepare(network: Network) -> None:
            for scope in (RED, BLUE):
                network.subscribe(topic_of(scope), lambda _, data: heard[name].append(data))

        return prepare

    async with running(RED, BLUE, prepare=listen("both")) as both:
        where = (address(both),)
        async with (
            # It asks for blue's topic although it is no member of blue.
            running(RED, prepare=listen("red"), bootstrap=where) as red,
            running(BLUE, bootstrap=where) as blue,
        ):
            await until(lambda: ids(both, RED) and ids(both, BLUE))
            assert ids(both, RED) == {red.own_id}
            assert ids(both, BLUE) == {blue.own_id}
            assert both.book.scopes(red.own_id) == {RED.id}
            while not heard["red"] or not heard["both"]:
                await both.publish(topic_of(BLUE), b"blue")
                await both.publish(topic_of(RED), b"red")
                await blue.publish(topic_of(BLUE), b"blue")
                await trio.sleep(0.05)
            assert set(heard["red"]) == {b"red"}
            assert set(heard["both"]) == {b"blue"}
            # Nor are they told of each other.
            assert ids(red) == ids(blue, BLUE) == {both.own_id}


@trial
async def test_gossip_reaches_everyone() -> None:
    heard: list[tuple[str, bytes]] = []

    def listen(network: Network) -> None:
        network.subscribe(topic_of(RED), lambda author, data: heard.append((author, data)))

    async with (
        running(prepare=listen) as a,
        running(prepare=listen, bootstrap=(address(a),)) as b,
        running(prepare=listen, bootstrap=(address(a),)) as c,
    ):
        await until(lambda: len(ids(a)) == len(ids(b)) == len(ids(c)) == 2)
        await c.publish(topic_of(RED), b"x" * 200_000)
        await until(lambda: len(heard) == 2)
        assert set(heard) == {(c.own_id, b"x" * 200_000)}
        with pytest.raises(PeerError):
            await c.publish(topic_of(RED), b"x" * 300_000)
        assert b.own_id != c.own_id


@trial
async def test_handlers_that_fail_end_their_stream_and_nothing_else() -> None:
    def prepare(network: Network) -> None:
        echoing(network)

        async def broken(_peer: str, _stream: Stream) -> None:
            raise ZeroDivisionError

        async def rejecting(_peer: str, _stream: Stream) -> None:
            raise RejectedError("rubbish")

        network.handle("/test/broken/1", broken)
        network.handle("/test/rejecting/1", rejecting)

    async with running(prepare=prepare) as a, running(bootstrap=(address(a),)) as b:
        await until(lambda: ids(a) and ids(b))
        for protocol in ("/test/broken/1", "/test/rejecting/1", "/test/unknown/1"):
            stream = await b.open_stream(a.own_id, protocol)
            with suppress(PeerError):  # libp2p tells some resets as ends
                assert await stream.read(1) == b""
        assert await say(b, a.own_id, b"still there") == b"still there"
        assert -10 <= a.book.score(b.own_id) < -9


@trial
async def test_who_waits_to_open_a_stream_is_told_when_the_connection_ends() -> None:
    async def open_on(network: Network, peer: str) -> None:
        while True:  # a stream of libp2p's own may end meanwhile and leave its place
            await network.open_stream(peer, ECHO)

    async def be_refused(network: Network, peer: str) -> None:
        with pytest.raises(PeerError):
            await open_on(network, peer)

    async with running(prepare=echoing) as a, running(bootstrap=(address(a),)) as b:
        await until(lambda: ids(a) and ids(b))
        link = b._links[a.own_id]
        free = link.muxer.stream_backlog_semaphore
        while free.value:
            free.acquire_nowait()
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(be_refused, b, a.own_id)
            await until(lambda: free.statistics().tasks_waiting >= 3)
            await link.close()


@trial
async def test_this_machine_is_told_from_another_that_answers() -> None:
    async with running() as a:
        with pytest.raises(OwnAddressError, match="this machine itself"):
            await a.dial(address(a))
        assert a.report()["problems"] == ()


@trial
async def test_a_port_that_is_taken_is_no_obstacle_and_is_told() -> None:
    async with running() as a:
        port = a.host.port
        async with running(port=port, bootstrap=(address(a),)) as b:
            assert b.host.port != port
            assert (b.report()["port"], b.report()["problems"]) == (b.host.port, ())
            await until(lambda: ids(a) and ids(b))
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        async with running(port=taken.getsockname()[1]) as c:
            assert c.host.port == taken.getsockname()[1] + 1


@trial
async def test_a_banned_peer_stays_out_over_a_restart() -> None:
    seed = os.urandom(32)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "peers.json"
        async with running(book=file) as a, running(seed=seed, bootstrap=(address(a),)) as b:
            await until(lambda: ids(a) and ids(b))
            a.book.ban(b.own_id, "forged a record")
            await until(lambda: not ids(a))
            status = [peer for peer in a.peers() if peer.id == b.own_id]
            assert [(peer.banned, peer.why) for peer in status] == [(True, "forged a record")]
        assert file.stat().st_mode & 0o777 == 0o600
        signer = public_of(b.own_id)
        async with running(book=file, banned=(signer,)) as a, running(seed=seed) as b:
            with pytest.raises(PeerError):
                await b.dial(address(a))
            assert not ids(a)
            assert [peer.why for peer in a.peers()] == ["forged a record"]


@trial
async def test_who_comes_back_is_found_again_without_any_discovery() -> None:
    seed = os.urandom(32)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "peers.json"
        async with running() as a:
            async with running(seed=seed, book=file, bootstrap=(address(a),)) as b:
                await until(lambda: ids(a) and ids(b))
            await until(lambda: not ids(a))
            async with running(seed=seed, book=file) as b:
                await until(lambda: ids(a) and ids(b))


@trial
async def test_two_that_dial_each_other_keep_one_connection() -> None:
    async with running() as a, running() as b:
        async with trio.open_nursery() as nursery:
            for one, other in ((a, b), (b, a)) * 2:
                nursery.start_soon(dial, one, other)
        await until(lambda: len(a.host.links()) == len(b.host.links()) == 1)
        await until(lambda: ids(a) and ids(b))
        await trio.testing.wait_all_tasks_blocked(0.2)
        assert (ids(a), ids(b)) == ({b.own_id}, {a.own_id})


@trial
async def test_one_that_is_dialled_by_several_ways_at_once_is_met_and_stays() -> None:
    async with running() as a, running() as b:
        for _ in range(5):
            async with trio.open_nursery() as nursery:
                for _ in range(4):
                    nursery.start_soon(a.dial, address(b))
            await until(lambda: len(a.host.links()) == len(b.host.links()) == 1)
            await trio.testing.wait_all_tasks_blocked(0.1)
            assert (ids(a), ids(b)) == ({b.own_id}, {a.own_id})
            await b._links[a.own_id].close()
            await until(lambda: not ids(a) and not ids(b))


async def dial(one: Network, other: Network) -> None:
    with suppress(PeerError):  # the other's connection was there first
        await one.dial(address(other))


def parse_of(network: Network) -> Address:
    return parse(address(network))
