"""Our libp2p host: who may connect, which streams are answered, and how we dial.

Built from py-libp2p 0.8.1 with its defaults replaced where they are unsafe: see the comments.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import libp2p
import trio
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_noise_key
from libp2p.custom_types import TProtocol
from libp2p.host.basic_host import BasicHost
from libp2p.io.trio import TrioTCPStream
from libp2p.network.config import ConnectionConfig, RetryConfig
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.protocol_muxer.multiselect import Multiselect
from libp2p.protocol_muxer.multiselect_communicator import MultiselectCommunicator
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as Noise
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from multiaddr import Multiaddr

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer import guard
from gh_p2pcache.peer.address import Address
from gh_p2pcache.peer.link import Link, MemberStream
from gh_p2pcache.peer.wire import OwnAddressError, PeerError

_LOG = logging.getLogger("gh_p2pcache.peer")

MEMBER_PROTOCOL = "/gh-p2pcache/member/1"
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - members come from anywhere; strangers get nothing
_PORTS = 50
"""How many ports after a taken one are tried."""
_LINKS = 256
"""Live connections; the library's own limit counts every connection it ever had."""
_HANDSHAKES = 64
_HANDSHAKES_PER_IP = 16
_UPGRADE_SECONDS = 4.0
_NEGOTIATE_SECONDS = 4
_ADMIT_SECONDS = 5.0
_HANDLER_SECONDS = 120.0
"""Of one stream at most; a slow-loris gets no more. Protocols have shorter ones of their own."""

Handler = Callable[[Link, MemberStream], Awaitable[None]]


class Host:
    """libp2p under our rules; `on_link(link)` runs as a task for each new connection."""

    def __init__(
        self,
        seed: bytes,
        on_link: Callable[[Link], Awaitable[None]],
        on_drop: Callable[[Link], None],
    ) -> None:
        guard.mend()
        key = create_new_key_pair(seed)
        self.network: Any = libp2p.new_swarm(
            key_pair=key,
            # Noise alone: the defaults also accept SECIO and plaintext. No PSK: its 8-byte nonce is
            # py-libp2p's own, and membership proves more.
            sec_opt={NOISE: Noise(key, noise_privkey=create_noise_key().private_key)},
            muxer_opt={TProtocol(YAMUX): guard.GuardedYamux},
            retry_config=RetryConfig(max_retries=0),  # we redial, from an address book
            connection_config=ConnectionConfig(
                max_connections=4 * _LINKS,
                high_watermark=4 * _LINKS,
                low_watermark=0,
                min_connections=0,
                inbound_upgrade_timeout=_UPGRADE_SECONDS,
            ),
        )
        self.host: Any = BasicHost(
            network=self.network, default_protocols={}, disable_identify_address_discovery=True
        )
        self.own_id = str(self.host.get_id())
        self.port = 0
        self.events: Counter[str] = Counter()
        self._on_link = on_link
        self._on_drop = on_drop
        self._links: dict[Any, Link] = {}
        self._handshakes: Counter[str] = Counter()
        self._strangers: Any = Multiselect({})
        self._members: Any = Multiselect({})
        self._nursery: trio.Nursery | None = None
        # It would identify itself to strangers, and push its addresses to them.
        self.network.notifees.clear()
        self.network.register_notifee(_Notifee(self))
        self.network.set_stream_handler(self._serve)
        self.network._handle_inbound_connection = self._accept  # noqa: SLF001 - no other way in
        self.network.upgrader.upgrade_connection = _mux

    def handle(self, protocol: str, handler: Handler, *, seconds: float = _HANDLER_SECONDS) -> None:
        """Answer a protocol; only `MEMBER_PROTOCOL` is answered to strangers, once."""

        async def answer(link: Link, raw: Any) -> None:
            stream = MemberStream(raw)
            with trio.move_on_after(seconds) as scope:
                await handler(link, stream)
            await (stream.reset() if scope.cancelled_caught else stream.finish())

        self.handle_raw(protocol, answer)

    def handle_raw(self, protocol: str, answer: Callable[[Link, Any], Awaitable[None]]) -> None:
        """Answer a protocol with libp2p's own stream object (pubsub)."""
        chosen = self._strangers if protocol == MEMBER_PROTOCOL else self._members
        chosen.add_handler(TProtocol(protocol), answer)

    @asynccontextmanager
    async def run(self, port: int, hosts: tuple[str, ...] = _EVERYWHERE) -> AsyncIterator[None]:
        """Listen on `port` or the next free one (`self.port`) until the block ends.

        Raises PeerError when none of 50 ports can be had.
        """
        async with self.host.run(listen_addrs=[]), trio.open_nursery() as nursery:
            guard.guard_tasks(self.network)
            # Dials whom it likes, in the background.
            await self.network.auto_connector.stop()
            self._nursery = nursery
            self.port = await self._listen(port, hosts)
            try:
                yield
            finally:
                # Closing politely takes the library awaits, which a cancelled task hasn't got.
                with trio.CancelScope(deadline=trio.current_time() + 2, shield=True):
                    for link in list(self._links.values()):
                        await link.muxer.abort()
                nursery.cancel_scope.cancel()

    async def _listen(self, port: int, hosts: tuple[str, ...]) -> int:
        for candidate in range(port, min(port + _PORTS, 65536)):
            for host in hosts:
                kind = "ip6" if ":" in host else "ip4"
                await self.network.listen(Multiaddr(f"/{kind}/{host}/tcp/{candidate}"))
                # A listen that fails is silent: ask what listens. Without IPv4 no other is tried.
                if not self.host.get_transport_addrs():
                    break
            if found := self.host.get_transport_addrs():
                return int(found[0].value_for_protocol("tcp"))
        raise PeerError(f"no port from {port} to {port + _PORTS - 1} is free")

    async def dial(self, address: Address, seconds: float = _UPGRADE_SECONDS) -> Link:
        """Connect; raises PeerError with what a user can act on.

        The library's `connect` waits 250 ms and tries one address; its `dial_addr` then refuses the
        peer for 60 s. It cannot dial without knowing the id.
        """
        with trio.move_on_after(seconds):
            try:
                tcp = await trio.open_tcp_stream(address.host, address.port)
            except OSError as error:
                raise PeerError(f"{address}: {_reason(error)}") from error
            return await self._upgrade(address, tcp)
        raise PeerError(f"{address}: no answer within {seconds:g} s")

    async def _upgrade(self, address: Address, tcp: trio.SocketStream) -> Link:
        try:
            raw = RawConnection(TrioTCPStream(tcp), True)
            secured = await self.network.upgrader.security_multistream.secure_outbound(raw, None)
            found = secured.get_remote_peer()
            self._check_peer(address, str(found))
            muxer = await _mux(secured, found)
            return self.link(await self.network.add_conn(muxer, direction="outbound"))
        except PeerError:
            await trio.aclose_forcefully(tcp)
            raise
        except Exception as error:
            await trio.aclose_forcefully(tcp)
            raise PeerError(f"{address}: what answers there is no libp2p peer") from error
        except BaseException:  # cancelled
            await trio.aclose_forcefully(tcp)
            raise

    def _check_peer(self, address: Address, found: str) -> None:
        if found == self.own_id:
            raise OwnAddressError(f"{address}: that is this machine itself")
        if address.peer and found != address.peer:
            raise PeerError(f"{address}: another peer answers there, {found}")

    async def reaches(self, address: Address) -> bool:
        """Tell whether a certain peer can be dialled, without connecting."""
        with trio.move_on_after(2):
            try:
                tcp = await trio.open_tcp_stream(address.host, address.port)
            except OSError:
                return False
            try:
                raw = RawConnection(TrioTCPStream(tcp), True)
                secured = await self.network.upgrader.security_multistream.secure_outbound(
                    raw, None
                )
                return str(secured.get_remote_peer()) == address.peer
            except Exception as error:  # noqa: BLE001 - whatever answers there is not the peer
                _LOG.debug("%s: %r", address, error)
            finally:
                await trio.aclose_forcefully(tcp)
        return False

    def link(self, conn: Any) -> Link:
        """Return what we know of a connection."""
        if conn not in self._links:
            self._links[conn] = Link(conn)
        return self._links[conn]

    def links(self) -> list[Link]:
        """Return the live connections."""
        return [link for link in self._links.values() if not link.closed]

    def drop(self, link: Link) -> None:
        """Close a connection in the background."""
        if self._nursery is not None:
            self._nursery.start_soon(link.close)

    def connected(self, conn: Any) -> None:
        """Start what is to be done with a new connection."""
        link = self.link(conn)
        if len(self._links) > _LINKS or self._nursery is None:
            self.events["too many connections"] += 1
            self.drop(link)
            return
        self._nursery.start_soon(self._meet, link)

    def disconnected(self, conn: Any) -> None:
        """Forget a connection."""
        if (link := self._links.pop(conn, None)) is not None:
            self._on_drop(link)

    async def _meet(self, link: Link) -> None:
        try:
            await self._on_link(link)
        except (PeerError, RejectedError) as error:
            _LOG.info("%s: %s", link.peer, error)
            self.drop(link)
        except Exception:  # noqa: BLE001 - logged; one connection less
            _LOG.exception("meeting %s", link.peer)
            self.drop(link)
        with trio.move_on_after(_ADMIT_SECONDS):
            await link.admitted.wait()
            return
        if not link.closed:
            self.events["not a member"] += 1
            self.drop(link)

    async def _accept(self, tcp: Any, listener: Any) -> None:
        """Take one inbound connection and hold it until it is closed.

        The library's own counts connections that are long closed (number 251 of a lifetime is
        refused) and keeps a task for each for ever.
        """
        address = tcp.get_remote_address() or ("", 0)
        full = len(self._links) >= _LINKS or self._handshakes.total() >= _HANDSHAKES
        if full or self._handshakes[address[0]] >= _HANDSHAKES_PER_IP:
            self.events["too many connections"] += 1
            return
        self._handshakes[address[0]] += 1
        try:
            muxer = await self.network.upgrade_inbound_raw_conn(RawConnection(tcp, False), listener)
        except Exception as error:  # noqa: BLE001 - a stranger may send anything
            self.events["failed handshakes"] += 1
            _LOG.debug("%s: %r", address, error)
            return
        finally:
            self._handshakes[address[0]] -= 1
            self._handshakes += Counter()  # drops zeros
        await muxer.event_closed.wait()

    async def _serve(self, raw: Any) -> None:
        """Answer one stream; whatever its handler raises ends the stream and nothing else.

        The library lets an exception of a handler end the host.
        """
        link = self.link(raw.swarm_conn)
        if not link.opening():
            self.events["floods of streams"] += 1
            self.drop(link)
        if link.closed or not link.takes_stream():
            await MemberStream(raw).reset()
            return
        link.handlers += 1
        try:
            if (table := await self._table(link)) is None:
                await MemberStream(raw).reset()
                return
            _, answer = await table.negotiate(MultiselectCommunicator(raw), _NEGOTIATE_SECONDS)
            await answer(link, raw)
        except RejectedError as error:
            self.events["rejected streams"] += 1
            _LOG.info("%s: %s", link.peer, error)
            await MemberStream(raw).reset()
        except Exception as error:  # noqa: BLE001 - see above
            self.events["failed streams"] += 1
            _LOG.debug("a stream of %s: %r", link.peer, error)
            await MemberStream(raw).reset()
        finally:
            link.handlers -= 1

    async def _table(self, link: Link) -> Any:
        """Return the protocols a peer may choose of; None: not before it is a member."""
        if link.admitted.is_set():
            return self._members
        if not link.dialed and not link.asked:
            link.asked = True
            return self._strangers
        with trio.move_on_after(_ADMIT_SECONDS):
            await link.admitted.wait()
            return self._members
        return None


async def _mux(secured: Any, peer: Any) -> guard.GuardedYamux:
    """Negotiate the muxer; the library's own always makes its own class."""
    from libp2p.protocol_muxer.generic_selector import GenericMultistreamSelector

    selector: Any = GenericMultistreamSelector()
    selector.add_handler(TProtocol(YAMUX), guard.GuardedYamux)
    await selector.select(secured, secured.is_initiator, _NEGOTIATE_SECONDS)
    return guard.GuardedYamux(secured, peer, is_initiator=secured.is_initiator)


def _reason(error: OSError) -> str:
    """Say why a TCP connection failed; trio wraps the reasons of each address in a group."""
    cause: BaseException | None = error.__cause__
    inner = getattr(cause, "exceptions", None)
    deepest = inner[0] if inner else error
    return getattr(deepest, "strerror", None) or str(deepest)


class _Notifee:
    """Tells the host of its connections (libp2p's INotifee)."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def connected(self, _network: Any, conn: Any) -> None:
        self._host.connected(conn)

    async def disconnected(self, _network: Any, conn: Any) -> None:
        self._host.disconnected(conn)

    async def opened_stream(self, _network: Any, _stream: Any) -> None: ...
    async def closed_stream(self, _network: Any, _stream: Any) -> None: ...
    async def listen(self, _network: Any, _address: Any) -> None: ...
    async def listen_close(self, _network: Any, _address: Any) -> None: ...
