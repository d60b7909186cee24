"""A machine that has the team's key, or another, and says to the members what it likes."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar

import trio

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.address import parse
from gh_p2pcache.peer.messages import (
    FETCH,
    SYNC,
    Batch,
    BlobHeader,
    Claim,
    Fetch,
    Give,
    Hello,
    Message,
    Nothing,
    ScopeGrant,
    Tombstone,
    ValidationRow,
    frame,
    read_message,
)
from gh_p2pcache.peer.topic import Topic
from gh_p2pcache.peer.wire import PeerError, Stream
from gh_p2pcache.records.cid import digest
from gh_p2pcache.records.record import Record, Validation, pack
from gh_p2pcache.records.seal import ScopeKeys, team_keys
from gh_p2pcache.records.sign import Signer, sign_record, sign_validation
from support.network import Network
from support.ports import free_port
from support.team import SECRET, Daemon

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from libp2p.pubsub.pb import rpc_pb2
    from libp2p.utils import encode_varint_prefixed

FETCHING = "/gh-p2pcache/fetch/1"
ASKING = "/gh-p2pcache/ask/1"
SYNCING = "/gh-p2pcache/sync/1"
MEMBERSHIP = "/gh-p2pcache/member/1"
GOSSIP = "/meshsub/1.1.0"

_R = TypeVar("_R")


@dataclass(frozen=True)
class Goods:
    """A blob, and what is said of it."""

    tag: str
    validation: Validation
    blob: bytes

    @property
    def row(self) -> ValidationRow:
        v = self.validation
        size = max(1, len(self.blob))
        return ValidationRow(
            bytes.fromhex(self.tag), v.digest, v.github_date, v.ttl, size, v.signer, v.signature
        )

    @property
    def header(self) -> BlobHeader:
        v = self.validation
        return BlobHeader(len(self.blob), v.github_date, v.ttl, v.signer, v.signature)


def forged(
    signer: Signer, keys: ScopeKeys, record: Record, ttl: float = 300.0, *, unsigned: bool = False
) -> Goods:
    """Return a record as a forger can make it, sealed and signed; `unsigned`: but for the seal."""
    tags = {tag for tag in record.tags if not tag.startswith("signer:")}
    tags.add(f"signer:{signer.public.hex()}")
    record = sign_record(signer, replace(record, tags=tuple(sorted(tags))))
    blob = keys.seal(pack(replace(record, signature=b"") if unsigned else record))
    tag = keys.tag(record.key)
    validation = Validation(digest(blob), record.github_date, 0.0, ttl)
    return Goods(tag, sign_validation(signer, keys.id, tag, validation), blob)


def delimited(data: bytes) -> bytes:
    """Return `data` after its length, as multistream and gossip have it."""
    return bytes(encode_varint_prefixed(data))


def envelope(
    topic: str, *, key: bytes, sender: bytes, signature: bytes, data: bytes = b"x"
) -> bytes:
    """Return a message of gossip as it goes over the wire."""
    message = rpc_pb2.Message(data=data, topicIDs=[topic], from_id=sender, seqno=os.urandom(8))
    message.key, message.signature = key, signature
    return delimited(rpc_pb2.RPC(publish=[message]).SerializeToString())


@dataclass
class Hostile:
    """One peer identity on libp2p, in a trio loop of its own thread; its methods wait."""

    secret: str = SECRET
    goods: dict[str, Goods] = field(default_factory=dict)
    """What it hands out, by tag."""
    asked: list[str] = field(default_factory=list)
    """The tags that were fetched from it."""
    busy: int = 0
    """How many of the things that were started are under way."""

    def __enter__(self) -> Hostile:  # noqa: PYI034 - Self came with Python 3.11
        self.keys = team_keys(self.secret)
        self._seed = os.urandom(32)
        self.signer = Signer(self._seed)
        self._topic = Topic(self.keys.id, self.keys.topic_key)
        self._up = threading.Event()
        self._thread = threading.Thread(target=trio.run, args=(self._live,))
        self._thread.start()
        assert self._up.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        trio.from_thread.run_sync(self._end.set, trio_token=self._token)
        self._thread.join(20)
        assert not self._thread.is_alive()

    async def _live(self) -> None:
        grant = ScopeGrant(self.keys.id, self.keys.member_key, self.keys.topic_key, "hostile")
        hello = Hello((grant,), free_port(), (), mdns=False, keeper=False, max_blob=64 << 20)
        self.network = Network(hello, self._seed)
        self.network.handle(FETCHING, self._hand_out)
        self.network.subscribe(self._topic.name, lambda _author, _data: None)
        self._end = trio.Event()
        async with self.network.run(), trio.open_nursery() as self._nursery:
            self._token = trio.lowlevel.current_trio_token()
            self._up.set()
            await self._end.wait()
            self._nursery.cancel_scope.cancel()

    async def _hand_out(self, _peer: str, stream: Stream) -> None:
        wanted = await read_message(stream, FETCH)
        assert isinstance(wanted, Fetch)
        self.asked.append(wanted.tag)
        goods = self.goods.get(wanted.tag)
        if goods is None:
            await stream.write(frame(Nothing()))
        else:
            await stream.write(frame(goods.header) + goods.blob)

    @property
    def id(self) -> str:
        return self.network.own_id

    def do(self, work: Callable[..., Awaitable[_R]], *args: object) -> _R:
        """Run `work` in its loop; a minute at most."""

        async def bounded() -> _R:
            with trio.fail_after(60):
                return await work(*args)

        return trio.from_thread.run(bounded, trio_token=self._token)

    def start(self, work: Callable[..., Awaitable[object]], *args: object) -> None:
        """Run `work` beside the rest."""

        async def counted() -> None:
            await work(*args)
            self.busy -= 1

        self.busy += 1
        trio.from_thread.run_sync(self._nursery.start_soon, counted, trio_token=self._token)

    @property
    def topic(self) -> str:
        return self._topic.name

    def join(self, daemon: Daemon) -> None:
        """Become a member, or raise PeerError."""
        self.do(self.network.dial, daemon.addr)

    def is_connected(self, daemon: Daemon) -> bool:
        return daemon.id in self.network._links

    def is_banned(self, daemon: Daemon) -> bool:
        """Tell whether the daemon has nothing more to do with it."""
        found = [peer for peer in daemon.peers()["peers"] if peer["id"] == self.id]
        return bool(found) and all(peer["banned"] for peer in found)

    def claim(self, daemon: Daemon, goods: Iterable[Goods], holder: str = "") -> None:
        """Tell the daemon that it holds these, and wait until that is taken in."""
        claims = tuple(Claim(holder or self.id, one.row) for one in goods)
        for start in range(0, len(claims), 200):
            self._give(daemon, Give(self.keys.id, claims=claims[start : start + 200]))

    def bury(self, daemon: Daemon, tombstones: Iterable[Tombstone]) -> None:
        """Tell the daemon of writes."""
        rows = tuple(tombstones)
        for start in range(0, len(rows), 1000):
            self._give(daemon, Give(self.keys.id, tombstones=rows[start : start + 1000]))

    def _give(self, daemon: Daemon, message: Message) -> None:
        async def give() -> None:
            stream = await self.network.open_stream(daemon.id, SYNCING)
            await stream.write(frame(message))
            assert await read_message(stream, SYNC) is not None
            await stream.close()

        self.do(give)

    def gossip(self, *rows: ValidationRow) -> None:
        """Publish announcements, without waiting for anybody."""
        data = self._topic.seal(Batch(announcements=rows))
        self.do(self.network.publish, self._topic.name, data)

    def talk(self, daemon: Daemon, protocol: str, data: bytes, *, end: bool = True) -> bytes:
        """Open a stream, write, and return all that comes until it is over, however it ends."""
        return self.do(self._talk, daemon, protocol, data, end)

    async def _talk(self, daemon: Daemon, protocol: str, data: bytes, end: bool) -> bytes:
        heard = b""
        with suppress(PeerError):
            stream = await self.network._links[daemon.id].open(protocol)
            await stream.write(data)
            if end:
                await stream.close()
            while piece := await stream.read(65536):
                heard += piece
        return heard

    def say(self, daemon: Daemon, protocol: str, data: bytes) -> None:
        """Open a stream and write, as far as it is read."""

        async def say() -> None:
            with suppress(PeerError):
                stream = await self.network._links[daemon.id].open(protocol)
                await stream.write(data)
                await stream.close()

        self.do(say)

    def strangers_talk(self, daemon: Daemon, protocol: str, data: bytes) -> bytes:
        """Do the same on a connection of its own, without having proved anything."""

        async def talk() -> bytes:
            heard = b""
            link = await self.network.host.dial(parse(daemon.addr))
            with suppress(PeerError, RejectedError):
                stream = await link.open(protocol)
                await stream.write(data)
                while piece := await stream.read(65536):
                    heard += piece
            await link.close()
            return heard

        return self.do(talk)
