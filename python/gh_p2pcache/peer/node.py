"""The parts of the peer process, joined."""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections.abc import Sequence

import trio

from gh_p2pcache.peer.anti_entropy import AntiEntropy
from gh_p2pcache.peer.burials import MAX_BYTES, Burials
from gh_p2pcache.peer.clock import GitHubTime
from gh_p2pcache.peer.desk import Desk
from gh_p2pcache.peer.door import Door
from gh_p2pcache.peer.exchange import Exchange, reader
from gh_p2pcache.peer.fills import Fills
from gh_p2pcache.peer.finder import Finder
from gh_p2pcache.peer.frames import pieces
from gh_p2pcache.peer.gossip import Gossip
from gh_p2pcache.peer.index import Index
from gh_p2pcache.peer.keeper import Keeper
from gh_p2pcache.peer.knowledge import Knowledge
from gh_p2pcache.peer.messages import (
    Ban,
    Buried,
    Bury,
    Dial,
    Dialed,
    Hello,
    Lift,
    Members,
    Message,
    Proof,
    Proofs,
    SignedValidation,
    StatusReport,
    StatusRequest,
    Tombstone,
)
from gh_p2pcache.peer.network import Network
from gh_p2pcache.peer.owner import Owner
from gh_p2pcache.peer.pulse import beat, obey
from gh_p2pcache.peer.wire import PeerError
from gh_p2pcache.records.sign import peer_id
from gh_p2pcache.settings import Settings
from gh_p2pcache.store.identity import seed_of
from gh_p2pcache.store.journal import Journal

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup  # trio brings it

_LOG = logging.getLogger("gh_p2pcache.peer")

_ALONE_SECONDS = 60.0
"""Without a gateway before the process leaves; the supervisor brings it back when one connects."""


def run(listener: socket.socket, heartbeat: int, configured: Settings) -> None:
    """Serve gateways until told to stop, abandoned or not needed; raises PeerError, StoreError.

    A hello for other scopes than the first one's executes the process anew, with the same
    descriptors: topics are subscribed before a host starts, and a fresh process leaks nothing.
    """
    try:
        anew = trio.run(_live, listener, heartbeat, configured)
    except BaseExceptionGroup as group:
        raise _leaf(group) from group
    if anew:
        for descriptor in (listener.fileno(), heartbeat):
            os.set_inheritable(descriptor, True)
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - ourselves


def _leaf(error: BaseException) -> BaseException:
    """Return what happened inside nurseries, each of which wraps it once more."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _live(listener: socket.socket, heartbeat: int, configured: Settings) -> bool:
    """Return whether to begin anew."""
    door = Door(listener)
    with trio.CancelScope() as stop:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(beat, heartbeat, stop)
            nursery.start_soon(obey, stop)
            nursery.start_soon(door.run)
            hello = await door.hello()
            seed = seed_of(configured.state_dir)
            network = Network(hello, seed, configured.state_dir / "peers.json")
            node = Node(hello, network, door, configured, nursery)
            async with network.run():
                node.start()
                nursery.start_soon(node.leave_when_alone, stop)
                await door.changed.wait()
                _LOG.info("other scopes: beginning anew")
            nursery.cancel_scope.cancel()
    return door.changed.is_set()


class Node:
    """What members and our gateway have of each other; make it before the network runs."""

    def __init__(
        self,
        hello: Hello,
        network: Network,
        door: Door,
        configured: Settings,
        nursery: trio.Nursery,
    ) -> None:
        self._hello = hello
        self._network = network
        self._door = door
        self._nursery = nursery
        book, scopes = network.book, [grant.id for grant in hello.scopes]
        clock = GitHubTime(time.time)
        self._index = Index(clock)
        journal = Journal(configured.state_dir / "burials", MAX_BYTES, on_event=_LOG.debug)
        self._knowledge = Knowledge(
            network.own_id,
            scopes,
            index=self._index,
            clock=clock,
            listener=self,
            burials=Burials(journal, clock),
        )
        self._gossip = Gossip(network, book, self._knowledge, hello.scopes)
        self._entropy = AntiEntropy(network, book, self._knowledge)
        self._caught_up: set[bytes] = set()
        exchange = Exchange(
            nursery=nursery,
            wire=network,
            book=book,
            index=self._index,
            read=reader(configured.cache_dir / "records"),
            keep=door.send,
            accepting=lambda: network.accepting,
            may_serve=self._caught_up.__contains__,
            max_blob=hello.max_blob,
            now=clock,
        )
        self._owner = Owner(
            network,
            book,
            self._index,
            accepting=lambda: network.accepting,
            note=self._knowledge.note,
            fresh=exchange.fresh,
        )
        fills = Fills(nursery)
        self._finder = Finder(
            wire=network,
            book=book,
            index=self._index,
            owner=self._owner,
            exchange=exchange,
            fills=fills,
            synced=self._entropy.caught_up,
        )
        self._desk = _Desk(
            nursery=nursery,
            own_id=network.own_id,
            send=door.send,
            finder=self._finder,
            owner=self._owner,
            fills=fills,
            tell=self._gossip.tell,
            manage=self._manage,
        )
        self._keeper = Keeper(network.own_id, book, self._index, exchange, door.send)
        self._told: Members | None = None
        network.on_change(self._tell_members)
        network.on_met(self._catch_up)

    def start(self) -> None:
        """Begin; the network runs."""
        for task in (self._owner.run, self._gossip.run, self._entropy.run):
            self._nursery.start_soon(task)
        if self._hello.keeper:
            self._nursery.start_soon(self._keeper.run)
        for signer in self._hello.banned:
            self._index.drop_signer(signer)
        self._door.open(self._desk)

    async def leave_when_alone(self, stop: trio.CancelScope) -> None:
        """Stop once no gateway has been there for a minute."""
        while True:
            await trio.sleep(_ALONE_SECONDS / 6)
            if trio.current_time() - self._desk.alone_since > _ALONE_SECONDS:
                stop.cancel()

    # ---- what members say, for the gateway (knowledge.Listener)

    def buried(self, scope: bytes, tombstones: Sequence[Tombstone]) -> None:
        """Hand burials on."""
        for piece in pieces(tombstones):
            self._door.send(Buried(scope, piece))

    def undecided(self, scope: bytes, marks: Sequence[bytes]) -> None:
        """Hand on what writes without an answer bury."""
        for piece in pieces(marks):
            self._door.send(Bury(scope, piece, 0))

    def proved(self, scope: bytes, items: Sequence[Proof]) -> None:
        """Hand access proofs on."""
        for piece in pieces(items):
            self._door.send(Proofs(scope, piece))

    def announced(self, holder: str, validation: SignedValidation) -> None:
        """Keep it, if that is what this machine is for."""
        if self._hello.keeper:
            self._keeper.announced(validation, holder)

    # ---- what the gateway asks of the network

    async def _manage(self, message: Message) -> None:
        if isinstance(message, Hello):
            self._greet(message)
        elif isinstance(message, Ban):
            self._ban(message.signer, message.why)
        elif isinstance(message, Lift):
            self._lift(message.signer)
        elif isinstance(message, Dial):
            await self._dial(message)
        elif isinstance(message, StatusRequest):
            self._door.send(
                StatusReport(message.n, tuple(self._network.peers()), **self._network.report())
            )

    def _greet(self, hello: Hello) -> None:
        """Tell a new gateway what it has missed."""
        for signer in hello.banned:
            self._ban(signer, "banned by its user")
        for missed in self._knowledge.replay():
            self._door.send(missed)
        self._told = None
        self._tell_members()

    def _ban(self, signer: bytes, why: str) -> None:
        peer = peer_id(signer)
        self._index.drop_signer(signer)
        self._index.drop(peer)
        if not self._network.book.is_banned(peer):
            self._network.book.ban(peer, why)

    def _lift(self, signer: bytes) -> None:
        self._network.book.lift(peer_id(signer))
        self._knowledge.lift(signer)

    async def _dial(self, message: Dial) -> None:
        try:
            await self._network.dial(message.addr)
        except PeerError as error:
            self._door.send(Dialed(message.n, ok=False, why=str(error)[:500]))
        else:
            self._door.send(Dialed(message.n, ok=True, why=""))

    def _tell_members(self) -> None:
        """Push how many there are: the gateway asks nobody when there is nobody."""
        book = self._network.book
        scopes = [grant.id for grant in self._hello.scopes]
        found = {member.id: member.accepting for scope in scopes for member in book.members(scope)}
        self._caught_up -= {scope for scope in scopes if not book.members(scope)}
        members = Members(
            len(found),
            sum(found.values()),
            self._network.host.port,
            tuple(sorted(self._caught_up)),
        )
        if members != self._told:
            self._told = members
            self._door.send(members)

    async def _catch_up(self, peer: str) -> None:
        """Serve nothing of a scope before its tombstones are known here."""
        for scope in self._network.book.scopes(peer):
            await self._entropy.caught_up(scope)
            self._caught_up.add(scope)
        self._tell_members()


class _Desk(Desk):
    """Knows since when no gateway is there."""

    alone_since = float("inf")

    async def take(self, message: Message) -> None:
        """Deal with a message."""
        self.alone_since = float("inf")
        await super().take(message)

    def left(self) -> None:
        """Note that the gateway is gone."""
        self.alone_since = trio.current_time()
        super().left()
