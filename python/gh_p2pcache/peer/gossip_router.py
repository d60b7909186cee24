"""gossipsub, mended: see LIBP2P in the comments of each method.

A message is taken from members of its topic's scope alone, and sent to nobody else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import trio
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pubsub import Pubsub
from libp2p.tools.anyio_service import background_trio_service

from gh_p2pcache.peer import guard
from gh_p2pcache.peer.host import Host
from gh_p2pcache.peer.link import Link
from gh_p2pcache.peer.wire import PeerError

_LOG = logging.getLogger("gh_p2pcache.peer")

PROTOCOL = TProtocol("/meshsub/1.1.0")
"""Later versions add extensions that are of no use here and unbounded in the library."""
MESSAGE_LIMIT = 256 << 10
_RPC_LIMIT = 1 << 20

MayGossip = Callable[[str, str], bool]
"""(peer, topic) -> it is a member of the topic's scope."""


class Router(GossipSub):  # type: ignore[misc, unused-ignore]
    """The mesh, without what strangers could make it do."""

    async def _do_px(self, px_peers: Any) -> None:
        """Dial nobody because a peer says so: our own peer exchange does that."""

    def _check_equivocation(self, msg: Any) -> bool:  # noqa: ARG002 - its name is the library's
        """Keep no copy of each message; what is inside is signed and judged."""
        return True

    async def handle_rpc(self, rpc: Any, sender_peer_id: ID) -> None:
        """Handle control messages of our topics alone: the library keeps a note of any other."""
        for kind in (rpc.control.graft, rpc.control.prune, rpc.control.ihave):
            known = [item for item in kind if item.topicID in self.mesh]
            if len(known) != len(kind):
                del kind[:]
                kind.extend(known)
        await super().handle_rpc(rpc, sender_peer_id)


class Topics(Pubsub):  # type: ignore[misc, unused-ignore]
    """Pubsub that a message cannot kill."""

    may_gossip: MayGossip
    allow: Callable[[str], bool]

    async def push_msg(self, msg_forwarder: ID, msg: Any) -> None:
        """Judge before the library does: a garbage key or sender ends the host there."""
        forwarder = str(msg_forwarder)
        if msg_forwarder != self.my_id:
            if not self.allow(forwarder):
                return
            topics = list(msg.topicIDs)
            if len(topics) != 1 or not self.may_gossip(forwarder, topics[0]):
                return
            if len(msg.data) > MESSAGE_LIMIT or len(msg.seqno) != 8 or len(msg.from_id) > 64:
                return
        try:
            await super().push_msg(msg_forwarder, msg)
        except Exception as error:  # noqa: BLE001 - see above
            _LOG.debug("a message of %s: %r", forwarder, error)

    def handle_subscription(self, origin_id: ID, sub_message: Any) -> None:
        """Note no topic but those of scopes that the peer is a member of."""
        if self.may_gossip(str(origin_id), sub_message.topicid):
            super().handle_subscription(origin_id, sub_message)

    def get_hello_packet(self) -> Any:
        """Say which topics we are subscribed to (filtered for each peer by `write_msg`)."""
        packet = super().get_hello_packet()
        packet.ClearField("senderRecord")
        return packet

    async def write_msg(self, stream: Any, rpc_msg: Any) -> bool:
        """Send without the signed address record: members know each other's addresses.

        It is made, signed, sent and verified anew with every message otherwise.
        """
        rpc_msg.ClearField("senderRecord")
        return bool(await super().write_msg(stream, rpc_msg))


class Gossip:
    """Topics over a host; run it around the host (LIBP2P: pubsub, subscribe, host, then dial)."""

    def __init__(self, host: Host, may_gossip: MayGossip, allow: Callable[[str], bool]) -> None:
        # The library's defaults: a heartbeat each 120 s, 10 messages a second, 73 of 760 delivered.
        self._router = Router(
            [PROTOCOL],
            degree=3,
            degree_low=2,
            degree_high=200,
            heartbeat_interval=1,
            adaptive_gossip_enabled=False,
            eclipse_protection_enabled=False,
            max_messages_per_topic_per_second=1000,
            do_px=False,
        )
        self._pubsub = Topics(host.host, self._router, max_inbound_rpc_size=_RPC_LIMIT)
        self._pubsub.may_gossip, self._pubsub.allow = may_gossip, allow
        host.network.notifees = [n for n in host.network.notifees if not _is_pubsub(n)]
        host.handle_raw(PROTOCOL, self._answer)
        self._readers: dict[str, Callable[[str, bytes], None]] = {}

    def subscribe(self, topic: str, on_message: Callable[[str, bytes], None]) -> None:
        """Hear a topic; before the start."""
        self._readers[topic] = on_message

    async def run(self, *, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled; `started` when every subscription stands."""
        async with (
            background_trio_service(self._pubsub),
            background_trio_service(self._router),
            trio.open_nursery() as nursery,
        ):
            guard.guard_tasks(self._pubsub)
            guard.guard_tasks(self._router)
            await self._pubsub.wait_until_ready()
            # A subscription that is made after a peer was met gets lost (6 of 6 trials).
            for topic, on_message in self._readers.items():
                subscription = await self._pubsub.subscribe(topic)
                nursery.start_soon(self._read, subscription, on_message)
            task_status.started()
            await trio.sleep_forever()

    async def publish(self, topic: str, data: bytes) -> None:
        """Send a message to the topic; raises PeerError when it is too long."""
        if len(data) > MESSAGE_LIMIT:
            raise PeerError(f"a message of {len(data)} bytes, where {MESSAGE_LIMIT} is the most")
        await self._pubsub.publish(topic, data)

    async def meet(self, link: Link) -> None:
        """Open our side to a new member."""
        await self._pubsub.ensure_peer_stream(link.muxer.peer_id)

    def lose(self, link: Link) -> None:
        """Forget a member that has no connection any more."""
        self._pubsub._handle_dead_peer(link.muxer.peer_id)  # noqa: SLF001 - its queue would block

    async def _answer(self, _link: Link, raw: Any) -> None:
        await self._pubsub.stream_handler(raw)

    async def _read(self, subscription: Any, on_message: Callable[[str, bytes], None]) -> None:
        while True:
            message = await subscription.get()
            author = ID(message.from_id)
            if author == self._pubsub.my_id:
                continue
            try:
                on_message(str(author), message.data)
            except Exception:  # noqa: BLE001 - logged; the next message may be a better one
                _LOG.exception("a message of %s", author)


def _is_pubsub(notifee: object) -> bool:
    return type(notifee).__name__ == "PubsubNotifee"
