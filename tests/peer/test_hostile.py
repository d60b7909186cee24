"""A member, or a stranger, that does what libp2p's own code would not: an honest one is served."""

from __future__ import annotations

import os
import struct
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import trio
import trio.lowlevel

from gh_p2pcache.peer.message import frame
from gh_p2pcache.peer.wire import PeerError, Stream
from gh_p2pcache.peer.wire_messages import Whereabouts
from support.network import RED, Network, address, ids, running, topic_of, trial, until

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from libp2p.network.connection.exceptions import RawConnError
    from libp2p.network.stream.exceptions import StreamError
    from libp2p.pubsub.pb import rpc_pb2
    from libp2p.stream_muxer.exceptions import MuxedStreamError
    from libp2p.utils import encode_varint_prefixed

ECHO = "/test/echo/1"
GONE = (PeerError, RawConnError, StreamError, MuxedStreamError)


def prepare(network: Network) -> None:
    async def echo(_peer: str, stream: Stream) -> None:
        while data := await stream.read(1000):
            await stream.write(data)

    network.handle(ECHO, echo)
    network.subscribe(topic_of(RED), lambda _author, _data: None)


@asynccontextmanager
async def scene() -> AsyncIterator[tuple[Network, Network]]:
    """Yield a victim and a hostile member; at the end the victim still serves an honest one."""
    async with (
        running(prepare=prepare) as victim,
        running(prepare=prepare, bootstrap=(address(victim),)) as honest,
        running(prepare=prepare, bootstrap=(address(victim),)) as hostile,
    ):
        await until(lambda: len(ids(victim)) == len(ids(honest)) == len(ids(hostile)) == 2)
        yield victim, hostile
        assert honest.own_id in ids(victim)
        stream = await honest.open_stream(victim.own_id, ECHO)
        await stream.write(b"alive")
        assert await stream.read(5) == b"alive"
        await stream.reset()


def forged(topic: str, *, sender: bytes, key: bytes = b"", number: int = 0) -> bytes:
    message = rpc_pb2.Message(
        data=b"x", topicIDs=[topic], from_id=sender, seqno=struct.pack(">Q", number)
    )
    message.signature, message.key = b"s" * 64, key
    return bytes(encode_varint_prefixed(rpc_pb2.RPC(publish=[message]).SerializeToString()))


async def gossip_stream(hostile: Network, victim: Network) -> Stream:
    return await hostile.open_stream(victim.own_id, "/meshsub/1.1.0")


@trial
async def test_gossip_with_garbage_for_keys_senders_and_topics() -> None:
    async with scene() as (victim, hostile):
        stream = await gossip_stream(hostile, victim)
        for sender in (b"", b"\xff" * 40, os.urandom(34)):
            for key in (b"", b"garbage", os.urandom(60)):
                await stream.write(forged(topic_of(RED), sender=sender, key=key))
        rpc = rpc_pb2.RPC()
        for n in range(2000):
            rpc.control.graft.add().topicID = f"unknown {n}"
            rpc.control.prune.add().topicID = f"unknown {n}"
            rpc.subscriptions.add(subscribe=True, topicid=f"unknown {n}")
        await stream.write(encode_varint_prefixed(rpc.SerializeToString()))
        await stream.write(b"\x07garbage")
        await stream.write(b"\xff" * 9)
        with suppress(PeerError):
            await stream.read(1)  # until it is reset
        topics = set(victim.gossip._pubsub.peer_topics) | set(victim.gossip._router.back_off)
        assert topics <= {topic_of(RED)}


@trial
async def test_ten_thousand_messages_get_their_sender_banned() -> None:
    async with scene() as (victim, hostile):
        stream = await gossip_stream(hostile, victim)
        sender = hostile.host.host.get_id().to_bytes()
        with suppress(*GONE):
            for number in range(10_000):
                await stream.write(forged(topic_of(RED), sender=sender, number=number))
        await until(lambda: victim.book.is_banned(hostile.own_id))
        await until(lambda: hostile.own_id not in ids(victim))


@trial
async def test_a_sender_that_ignores_its_window_is_cut_off() -> None:
    async with scene() as (victim, hostile):
        link = hostile._links[victim.own_id]
        stream = await link.conn.new_stream()
        number = stream.muxed_stream.stream_id
        await stream.write(b"\x13/multistream/1.0.0\n")
        data = struct.pack("!BBHII", 0, 0, 0, number, 60_000) + bytes(60_000)
        with suppress(*GONE):
            for _ in range(1000):  # 60 MB; nobody reads it: the negotiation is still open
                await link.muxer._write_frame(data)
        await until(lambda: link.closed)


@trial
async def test_a_frame_of_a_gigabyte_ends_the_connection() -> None:
    async with scene() as (victim, hostile):
        link = hostile._links[victim.own_id]
        await link.muxer._write_frame(struct.pack("!BBHII", 0, 0, 0, 1, 2**30))
        await until(lambda: link.closed)


@trial
async def test_a_flood_of_streams_that_say_nothing() -> None:
    async with scene() as (victim, hostile):
        link = hostile._links[victim.own_id]
        with suppress(*GONE):  # cut off, or on a slow machine refused one by one
            for _ in range(3000):
                await (await link.conn.new_stream()).write(b"\x13")
        assert all(one.handlers <= 64 for one in victim.host.links())


@trial
async def test_a_member_that_never_stops_talking_of_itself_is_banned() -> None:
    async with scene() as (victim, hostile):
        link = hostile._links[victim.own_id]
        while hostile.own_id in ids(victim):
            hostile._say(link, Whereabouts(accepting=True, keeper=False, port=1))
            await trio.lowlevel.checkpoint()
        await until(lambda: victim.book.is_banned(hostile.own_id))


@trial
async def test_plaintext_other_protocols_and_silence_at_the_port() -> None:
    async with scene() as (victim, _):
        port = victim.host.port
        hello = b"\x13/multistream/1.0.0\n"
        for said in (b"GET / HTTP/1.0\r\n\r\n", hello + b"\x11/plaintext/2.0.0\n", os.urandom(500)):
            tcp = await trio.open_tcp_stream("127.0.0.1", port)
            with suppress(trio.BrokenResourceError):
                await tcp.send_all(said)
                heard = b""
                while piece := await tcp.receive_some():
                    heard += piece
                assert b"plaintext" not in heard
            await tcp.aclose()
        silent = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(100)]
        for tcp in silent:  # each is closed by the victim within its time for a handshake
            with suppress(trio.BrokenResourceError):
                while await tcp.receive_some():
                    pass
            await tcp.aclose()


def test_no_frame_of_ours_is_longer_than_a_control_stream_takes() -> None:
    longest = Whereabouts(accepting=True, keeper=True, port=65535, addrs=("/" + "x" * 255,) * 16)
    assert len(frame(longest)) < 8192
