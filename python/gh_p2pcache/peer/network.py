"""The network as members see it (`wire.Wire`): host, membership, gossip and discovery as one."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import trio

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer import status
from gh_p2pcache.peer.address import Address, parse
from gh_p2pcache.peer.book import Book, Entry
from gh_p2pcache.peer.discovery import Dialer, Schedule
from gh_p2pcache.peer.gossip_router import Gossip
from gh_p2pcache.peer.host import MEMBER_PROTOCOL, Host
from gh_p2pcache.peer.link import Link, MemberStream
from gh_p2pcache.peer.local_messages import Hello, PeerStatus
from gh_p2pcache.peer.mdns import Mdns
from gh_p2pcache.peer.membership import Handshake, judge, prove
from gh_p2pcache.peer.message import Message, frame, read_message
from gh_p2pcache.peer.reach import Reach
from gh_p2pcache.peer.topic import topic_name
from gh_p2pcache.peer.watch import watch
from gh_p2pcache.peer.wire import PeerError, Stream
from gh_p2pcache.peer.wire_messages import (
    CONTROL,
    PeerAddresses,
    PeerExchange,
    Reachable,
    Whereabouts,
)
from gh_p2pcache.records.sign import peer_id

_LOG = logging.getLogger("gh_p2pcache.peer")

_PORT = 9100
_SAVE_SECONDS = 30.0
_MONTH = 30 * 86400.0
_TOLD = 64
"""Peers in one exchange of addresses."""


class Network:
    """See `wire.Wire`. `hello` says for whom and where; `seed` is the identity, 32 bytes."""

    def __init__(self, hello: Hello, seed: bytes, book_path: Path | None = None) -> None:
        self._keys = {grant.id: grant.member for grant in hello.scopes}
        self._teams = {grant.id: grant.team for grant in hello.scopes}
        self._topics = {topic_name(grant.topic): grant.id for grant in hello.scopes}
        self._hello = hello
        self.host = Host(seed, self._meet, self._lose)
        self.host.handle(MEMBER_PROTOCOL, self._judge, seconds=math.inf)
        self.book = Book(book_path, self._banned, now=time.time, ticks=time.monotonic)
        self.gossip = Gossip(self.host, self._may_gossip, self._allow_gossip)
        self._links: dict[str, Link] = {}
        self._proving: dict[str, Link] = {}
        """What we dialled and are not members on yet: one to each peer."""
        self._said: dict[Link, trio.MemorySendChannel[Message]] = {}
        schedule = Schedule(self.own_id, self._links.__contains__)
        self._dialer = Dialer(schedule, self._dial_target)
        self._mdns: Mdns | None = None
        self._reach = Reach(self.own_id, keeper=hello.keeper)
        self._nursery: trio.Nursery | None = None
        self._on_met: list[Callable[[str], Awaitable[None]]] = []
        self._on_change: list[Callable[[], None]] = []
        self._problems: list[str] = []

    # ---- Wire

    @property
    def own_id(self) -> str:
        """Our own peer id."""
        return self.host.own_id

    @property
    def accepting(self) -> bool:
        """Whether others can dial us: somebody has, or has told us that it could."""
        return self._reach.accepting

    async def open_stream(self, peer: str, protocol: str) -> Stream:
        """Open a stream to a connected member; raises PeerError."""
        link = self._links.get(peer)
        if link is None or link.closed:
            raise PeerError(f"{peer} is not connected")
        return await link.open(protocol)

    def handle(self, protocol: str, handler: Callable[[str, Stream], Awaitable[None]]) -> None:
        """Let `handler` answer a protocol to members."""

        async def answer(link: Link, stream: MemberStream) -> None:
            try:
                await handler(link.peer, stream)
            except RejectedError as error:
                self.book.misbehaved(link.peer, 10, str(error))
                raise

        self.host.handle(protocol, answer)

    async def publish(self, topic: str, data: bytes) -> None:
        """Gossip."""
        await self.gossip.publish(topic, data)

    def subscribe(self, topic: str, on_message: Callable[[str, bytes], None]) -> None:
        """Hear a topic; before the start."""
        self.gossip.subscribe(topic, on_message)

    def on_met(self, callback: Callable[[str], Awaitable[None]]) -> None:
        """Run `callback(peer)` for each member that was met."""
        self._on_met.append(callback)

    def on_change(self, callback: Callable[[], None]) -> None:
        """Run `callback()` whenever the members have changed."""
        self._on_change.append(callback)

    # ---- life

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Be on the network until the block ends; raises PeerError when no port is free."""
        self.book.load()
        for peer in map(peer_id, self._hello.banned):
            if not self.book.is_banned(peer):
                self.book.ban(peer, "the user or a forged record")
        async with trio.open_nursery() as outer:
            await outer.start(self.gossip.run)
            port = self._hello.port or _PORT
            async with self.host.run(port), trio.open_nursery() as nursery:
                self._nursery = nursery
                await self._discover(nursery)
                try:
                    yield
                finally:
                    await self._leave()
                    nursery.cancel_scope.cancel()
            outer.cancel_scope.cancel()

    async def _discover(self, nursery: trio.Nursery) -> None:
        port = self.host.port
        self._reach.port = port
        self._reach.moved(accepting=False)
        now = trio.current_time()
        for text in self._hello.bootstrap:
            try:
                self._dialer.schedule.add_bootstrap(parse(text), now)
            except RejectedError as error:
                self._problems.append(str(error))
        for entry in self.book.entries():
            if entry.addresses and time.time() - entry.seen < _MONTH:
                self._dialer.schedule.learn(entry.id, list(entry.addresses), now)
        if self._hello.mdns:
            self._mdns = Mdns(self.own_id, port, self._keys.values(), self._found)
            nursery.start_soon(self._mdns.restart, self._reach.inside)
        nursery.start_soon(self._dialer.run)
        nursery.start_soon(watch, self._reach.look, self._network_changed)
        nursery.start_soon(self._save)

    async def _leave(self) -> None:
        self.book.save()
        if self._mdns is not None:
            await self._mdns.stop()

    async def _save(self) -> None:
        while True:
            await trio.sleep(_SAVE_SECONDS)
            self.book.save()

    async def _network_changed(self) -> None:
        """Other addresses, or the machine has slept: what we knew of reaching and being reached."""
        _LOG.info("the network has changed")
        self._reach.moved(accepting=any(not link.dialed for link in self._links.values()))
        self._tell_whereabouts()
        self._dialer.schedule.hurry(trio.current_time())
        self._dialer.wake()
        if self._mdns is not None:
            await self._mdns.restart(self._reach.inside)

    # ---- meeting

    async def _meet(self, link: Link) -> None:
        """Start the membership of a connection that we dialled; the other side waits for ours."""
        if self.book.is_banned(link.peer):
            raise PeerError("banned")
        if not link.dialed:
            return
        self._claim(link)
        try:
            stream = await link.open(MEMBER_PROTOCOL)
            handshake = Handshake(self.own_id, link.peer, self._keys, dialer=True)
            scopes = await prove(stream, handshake, self._keys)
        finally:
            if self._proving.get(link.peer) is link:
                del self._proving[link.peer]
        await self._stay(link, stream, scopes)

    def _claim(self, link: Link) -> None:
        """Make this the one that we dialled, before the peer hears of it, or raise PeerError.

        By two addresses at once there are two, which each side may see come in another order: each
        would close the other's.
        """
        for ahead in (self._proving.get(link.peer), self._links.get(link.peer)):
            if ahead is not None and ahead.dialed and not ahead.closed:
                raise PeerError("connected already")
        self._proving[link.peer] = link

    async def _judge(self, link: Link, stream: MemberStream) -> None:
        if self.book.is_banned(link.peer):
            raise PeerError("banned")
        handshake = Handshake(self.own_id, link.peer, self._keys, dialer=False)
        try:
            await self._stay(link, stream, await judge(stream, handshake))
        finally:
            self.host.drop(link)

    async def _stay(self, link: Link, stream: MemberStream, scopes: frozenset[bytes]) -> None:
        """Be connected: exchange what changes, until the stream ends."""
        self._take(link)
        self.book.connected(link.peer, link, scopes)
        if link.dialed:
            self.book.entry(link.peer).accepting = True
            self.book.learn(link.peer, [Address(*link.remote, link.peer)])
        else:
            self._reach.accepting = True
        to_say, said = trio.open_memory_channel[Message](_TOLD)
        self._said[link] = to_say
        link.admit()
        _LOG.info("met %s at %s", link.peer, link.remote[0])
        assert self._nursery is not None
        for callback in self._on_met:
            self._nursery.start_soon(self._tell_met, callback, link.peer)
        self._nursery.start_soon(self.gossip.meet, link)
        self._changed()
        self._say(link, self._reach.whereabouts())
        self._say(link, self._exchange(link, self.book.entries()))
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._speak, stream, said)
                await self._listen(link, stream)
                nursery.cancel_scope.cancel()
        finally:
            self._said.pop(link, None)
            self.host.drop(link)

    async def _listen(self, link: Link, stream: MemberStream) -> None:
        """Hear a member out; its end, in whatever way it comes, is no error."""
        try:
            while (message := await read_message(stream, CONTROL)) is not None:
                if self.book.allow(link.peer, "control"):
                    self._hear(link, message)
        except PeerError as error:
            _LOG.debug("%s: %s", link.peer, error)
        except RejectedError as error:
            self.book.misbehaved(link.peer, 10, f"member: {error}")

    def _take(self, link: Link) -> None:
        """Make this the peer's one connection; raises PeerError if the one there is stays.

        Two that dial each other at once must keep the same one: the smaller id's. A second dial of
        the same side means that it has lost the first.
        """
        old = self._links.get(link.peer)
        if old is not None and not old.closed:
            smaller_dialed = link.dialed == (self.own_id < link.peer)
            if old.dialed != link.dialed and not smaller_dialed:
                raise PeerError("connected already")
            self.host.drop(old)
        self._links[link.peer] = link

    def _lose(self, link: Link) -> None:
        if self._links.get(link.peer) is not link:
            return
        del self._links[link.peer]
        self.book.disconnected(link.peer)
        self.gossip.lose(link)
        self._dialer.schedule.lost(link.peer, trio.current_time())
        self._dialer.wake()
        self._changed()

    def _banned(self, peer: str) -> None:
        if (link := self._links.get(peer)) is not None:
            self.host.drop(link)

    def _changed(self) -> None:
        for callback in self._on_change:
            callback()

    async def _tell_met(self, callback: Callable[[str], Awaitable[None]], peer: str) -> None:
        try:
            await callback(peer)
        except (PeerError, RejectedError) as error:
            _LOG.debug("on meeting %s: %s", peer, error)
        except Exception:  # noqa: BLE001 - logged; a bug of ours must not end the network
            _LOG.exception("on meeting %s", peer)

    # ---- what members tell each other of themselves

    async def _speak(self, stream: MemberStream, said: trio.MemoryReceiveChannel[Message]) -> None:
        with suppress(PeerError):
            async for message in said:
                await stream.write(frame(message))

    def _say(self, link: Link, message: Message) -> None:
        """Queue a message; one that doesn't fit is no loss, the next says more."""
        if (to_say := self._said.get(link)) is not None:
            with suppress(trio.WouldBlock, trio.BrokenResourceError):
                to_say.send_nowait(message)

    def _tell_whereabouts(self) -> None:
        for link in list(self._said):
            self._say(link, self._reach.whereabouts())

    def _hear(self, link: Link, message: Message) -> None:
        if isinstance(message, Whereabouts):
            self._hear_whereabouts(link, message)
        elif isinstance(message, Reachable):
            self._hear_reachable(message)
        elif isinstance(message, PeerExchange):
            for told in message.peers:
                if told.id != self.own_id and told.id not in self._links:
                    self._learn(told.id, told.addrs)

    def _hear_whereabouts(self, link: Link, message: Whereabouts) -> None:
        entry = self.book.entry(link.peer)
        entry.keeper = message.keeper
        was, entry.accepting = entry.accepting, message.accepting or link.dialed
        if message.accepting:
            self._learn(link.peer, message.addrs)
            self.book.learn(link.peer, [a for a in _parsed(message.addrs) if a.peer == link.peer])
        elif not link.dialed and message.port and self._nursery is not None:
            self._nursery.start_soon(self._try_back, link, message.port)
        if entry.accepting and not was:
            self._changed()
            for other in list(self._said):
                if other is not link:
                    self._say(other, self._exchange(other, [entry]))

    def _hear_reachable(self, message: Reachable) -> None:
        if self._reach.reached_at(parse(message.addr)):
            self._tell_whereabouts()
            self._changed()

    async def _try_back(self, link: Link, port: int) -> None:
        """Tell a member that dialled us whether others can dial it, by trying."""
        address = Address(link.remote[0], port, link.peer)
        if await self.host.reaches(address):
            self.book.learn(link.peer, [address])
            self._say(link, Reachable(str(address)))

    def _exchange(self, link: Link, entries: Iterable[Entry]) -> PeerExchange:
        """Say where those can be dialled that are members of what this peer is a member of."""
        common = self.book.scopes(link.peer)
        told = [
            PeerAddresses(entry.id, tuple(map(str, entry.addresses)))
            for entry in entries
            if entry.accepting and entry.addresses and entry.scopes & common
            if entry.id != link.peer
        ]
        return PeerExchange(tuple(told[:_TOLD]))

    def _learn(self, peer: str, addrs: Iterable[str]) -> None:
        found = [address for address in _parsed(addrs) if address.peer == peer]
        self._found(peer, found)

    def _found(self, peer: str, addresses: Iterable[Address]) -> None:
        if self.book.is_banned(peer):
            return
        if self._dialer.schedule.learn(peer, addresses, trio.current_time()):
            self._dialer.wake()

    # ---- dialling

    async def dial(self, text: str) -> None:
        """Connect to an address that a user named, and go on trying; raises PeerError."""
        try:
            address = parse(text)
        except RejectedError as error:
            raise PeerError(str(error)) from error
        self._dialer.schedule.add_bootstrap(address, trio.current_time() + 5)
        peer = await self._dial(address)
        self._dialer.schedule.met(peer, address)

    async def _dial_target(self, address: Address) -> str:
        if address.peer and address.peer in self._links:
            return address.peer
        if address.peer and self.book.is_banned(address.peer):
            raise PeerError(f"{address}: banned")
        return await self._dial(address)

    async def _dial(self, address: Address) -> str:
        """Connect and become members of each other, or raise PeerError."""
        link = await self.host.dial(address)
        with trio.move_on_after(5):
            await link.settled()
            if (ahead := self._proving.get(link.peer)) is not None:
                await ahead.settled()
        if not link.admitted.is_set() and link.peer not in self._links:
            self.host.drop(link)
            raise PeerError(f"{address}: it is no member of your team, or you are none of its")
        return link.peer

    # ---- who may

    def _may_gossip(self, peer: str, topic: str) -> bool:
        return self.book.is_member(peer, self._topics.get(topic, b""))

    def _allow_gossip(self, peer: str) -> bool:
        return self.book.allow(peer, "gossip")

    # ---- status

    def peers(self) -> list[PeerStatus]:
        """Return who is there and who is banned."""
        return status.peers(self.book, self._links, self._teams)

    def report(self) -> dict[str, Any]:
        """Return the rest of the status: our addresses, port, problems."""
        problems = [*self._problems, *self._dialer.schedule.problems()]
        if self._mdns is not None and self._mdns.problem:
            problems.append(self._mdns.problem)
        nat = "" if self.accepting or not self._links else "nobody could dial this machine yet"
        return {
            "addrs": tuple(map(str, self._reach.addresses()))[:32],
            "port": self.host.port,
            "id": self.own_id,
            "mdns": self._mdns is not None and not self._mdns.problem,
            "problems": tuple(problem[:500] for problem in problems[:64]),
            "nat": nat,
        }


def _parsed(addrs: Iterable[str]) -> list[Address]:
    found = []
    for text in addrs:
        with suppress(RejectedError):
            found.append(parse(text))
    return found
