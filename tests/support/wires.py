"""Members of a team on one event loop: real code over memory pipes instead of libp2p."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import trio
from trio.testing import memory_stream_pair

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.wire import BrokenError, Member, PeerError, Stream
from gh_p2pcache.records.sign import Signer, peer_id

Handler = Callable[[str, Stream], Awaitable[None]]
Pipe = trio.StapledStream[trio.testing.MemorySendStream, trio.testing.MemoryReceiveStream]


class PipeStream:
    """A `peer.wire.Stream` over one end of a memory pipe."""

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe

    async def read(self, n: int) -> bytes:
        try:
            return bytes(await self.pipe.receive_some(n))
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise BrokenError("gone") from error

    async def write(self, data: bytes) -> None:
        try:
            await self.pipe.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise BrokenError("gone") from error

    async def close(self) -> None:
        await self.pipe.send_eof()

    async def reset(self) -> None:
        self.pipe.send_stream.close()
        self.pipe.receive_stream.close()


@dataclass
class Machine:
    """One machine: its `Wire` and its `Book` in one, since here both read the same network."""

    net: Net
    signer: Signer
    accepting: bool = True
    keeper: bool = False
    connected: set[str] = field(default_factory=set)
    scores: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    refused: set[str] = field(default_factory=set)
    """What the rate limits refuse."""
    opened: list[tuple[str, str]] = field(default_factory=list)
    handlers: dict[str, Handler] = field(default_factory=dict)
    inbound: list[tuple[str, PipeStream, trio.CancelScope]] = field(default_factory=list)

    @property
    def own_id(self) -> str:
        return peer_id(self.signer.public)

    # ---- Wire

    async def open_stream(self, peer: str, protocol: str) -> Stream:
        await trio.lowlevel.checkpoint()
        self.opened.append((peer, protocol))
        if peer not in self.connected:
            raise PeerError("not connected")
        return self.net.machines[peer].accept(self.own_id, protocol)

    def accept(self, peer: str, protocol: str) -> Stream:
        ours, theirs = memory_stream_pair()
        self.net.nursery.start_soon(self._serve, peer, protocol, PipeStream(ours))
        return PipeStream(theirs)

    async def _serve(self, peer: str, protocol: str, stream: PipeStream) -> None:
        with trio.CancelScope() as scope:
            self.inbound.append((peer, stream, scope))
            try:
                await self.handlers[protocol](peer, stream)
                await stream.close()
            except RejectedError:
                self.misbehaved(peer, 10, "rejected")
                await stream.reset()
            except PeerError:
                await stream.reset()
            return
        await stream.reset()

    def handle(self, protocol: str, handler: Handler) -> None:
        self.handlers[protocol] = handler

    async def publish(self, topic: str, data: bytes) -> None:
        raise NotImplementedError

    def subscribe(self, topic: str, on_message: Callable[[str, bytes], None]) -> None:
        raise NotImplementedError

    def on_met(self, callback: Callable[[str], Awaitable[None]]) -> None:
        raise NotImplementedError

    def on_change(self, callback: Callable[[], None]) -> None:
        raise NotImplementedError

    # ---- Book

    def members(self, scope: bytes) -> Sequence[Member]:
        if scope not in self.net.scopes:
            return []
        others = [self.net.machines[peer] for peer in sorted(self.connected)]
        return [Member(other.own_id, other.accepting, 0.001, other.keeper, 0.0) for other in others]

    def is_member(self, peer: str, scope: bytes) -> bool:
        return peer in self.connected and scope in self.net.scopes

    def scopes(self, peer: str) -> frozenset[bytes]:
        return self.net.scopes if peer in self.connected else frozenset()

    def note_records(self, peer: str, *, received: int = 0, sent: int = 0) -> None:
        self.net.records[peer] += received + sent

    def misbehaved(self, peer: str, points: int, why: str) -> None:
        assert why
        self.scores[peer] -= points

    def allow(self, peer: str, what: str, amount: int = 1) -> bool:  # noqa: ARG002
        return what not in self.refused


class Net:
    """Machines and who is connected to whom."""

    def __init__(self, nursery: trio.Nursery, scopes: Sequence[bytes]) -> None:
        self.nursery = nursery
        self.scopes = frozenset(scopes)
        self.machines: dict[str, Machine] = {}
        self.records: defaultdict[str, int] = defaultdict(int)

    def machine(self, *, accepting: bool = True, keeper: bool = False) -> Machine:
        """Return a new machine, connected to nobody."""
        seed = (len(self.machines) + 1).to_bytes(32, "big")
        machine = Machine(self, Signer(seed), accepting, keeper)
        self.machines[machine.own_id] = machine
        return machine

    def connect(self, *machines: Machine) -> None:
        """Connect each with each."""
        for one in machines:
            one.connected |= {other.own_id for other in machines if other is not one}

    async def kill(self, machine: Machine) -> None:
        """End a machine: all its connections break."""
        del self.machines[machine.own_id]
        for other in self.machines.values():
            other.connected.discard(machine.own_id)
            for peer, stream, _ in other.inbound:
                if peer == machine.own_id:
                    await stream.reset()
        for _, stream, scope in machine.inbound:
            scope.cancel()
            await stream.reset()
        machine.connected.clear()
