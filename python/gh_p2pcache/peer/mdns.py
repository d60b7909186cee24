"""Members on the same LAN, by multicast DNS service discovery (RFC 6762, RFC 6763).

Service `_gh-p2pcache._tcp.local.`, a random instance name, the port, and a TXT record with `id`,
the peer id, and `s`, a fingerprint of each scope (HMAC of its membership key: who has the key knows
whom to dial, others see that someone uses this program). zeroconf does the rest in threads of its
own: making and closing it blocks for up to 1.5 s.
"""

from __future__ import annotations

import contextlib
import hmac
import logging
import secrets
import socket
from collections.abc import Callable, Iterable, Sequence

import trio
from zeroconf import Error, IPVersion, ServiceBrowser, ServiceInfo, ServiceStateChange, Zeroconf

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.address import Address
from gh_p2pcache.records.sign import public_of

_LOG = logging.getLogger("gh_p2pcache.peer")

_TYPE = "_gh-p2pcache._tcp.local."
_ANSWER_MS = 1500
_MOST_SCOPES = 20
"""A TXT string holds 255 bytes."""


def fingerprint(member_key: bytes) -> str:
    """Return what names a scope on the LAN: 12 hex characters."""
    return hmac.digest(member_key, b"gh-p2pcache mdns", "sha256").hex()[:12]


class Mdns:
    """Announces this peer and finds others; `on_found(peer, addresses)` is called in trio."""

    def __init__(
        self,
        own_id: str,
        port: int,
        member_keys: Iterable[bytes],
        on_found: Callable[[str, Sequence[Address]], None],
    ) -> None:
        self._own = own_id
        self._port = port
        self._prints = {fingerprint(key) for key in member_keys}
        self._on_found = on_found
        self._name = secrets.token_hex(8)
        self._token: trio.lowlevel.TrioToken | None = None
        self._zeroconf: Zeroconf | None = None
        self.problem = ""
        """Why it does not work, for people; "" while it does."""

    async def restart(self, addresses: Sequence[Address]) -> None:
        """Announce these addresses, on the interfaces that there are now."""
        self._token = trio.lowlevel.current_trio_token()
        await self.stop()
        await trio.to_thread.run_sync(self._start, addresses)

    async def stop(self) -> None:
        """Take the announcement back."""
        old, self._zeroconf = self._zeroconf, None
        if old is not None:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(_close, old)

    def _start(self, addresses: Sequence[Address]) -> None:
        packed = [address.ip.packed for address in addresses if address.ip is not None]
        info = ServiceInfo(
            _TYPE,
            f"{self._name}.{_TYPE}",
            addresses=packed,
            port=self._port,
            properties={"id": self._own, "s": ",".join(sorted(self._prints)[:_MOST_SCOPES])},
            server=f"{self._name}.local.",
        )
        try:
            found = _open()
        except OSError as error:
            self.problem = f"mDNS does not work here: {error.strerror or error}"
            _LOG.warning("%s", self.problem)
            return
        try:
            ServiceBrowser(found, _TYPE, handlers=[self._changed])
            found.register_service(info, cooperating_responders=True)
            self.problem = ""
        except (OSError, Error) as error:
            self.problem = f"mDNS cannot announce this machine: {error!r}"
            _LOG.warning("%s", self.problem)
        self._zeroconf = found

    def _changed(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        """Look at a service that appeared; runs in a thread of zeroconf's."""
        if state_change is ServiceStateChange.Removed or name.startswith(self._name):
            return
        try:
            info = zeroconf.get_service_info(service_type, name, timeout=_ANSWER_MS)
            found = None if info is None else self._read(info)
            if found is not None and self._token is not None:
                trio.from_thread.run_sync(self._on_found, *found, trio_token=self._token)
        except (OSError, Error, ValueError, RejectedError, trio.RunFinishedError) as error:
            _LOG.debug("mDNS: %s: %r", name, error)

    def _read(self, info: ServiceInfo) -> tuple[str, list[Address]] | None:
        text = {key: (value or b"").decode("ascii", "replace") for key, value in _pairs(info)}
        peer = text.get("id", "")
        if peer == self._own or not self._prints & set(text.get("s", "").split(",")):
            return None
        public_of(peer)
        port = info.port or 0
        addresses = info.parsed_scoped_addresses(IPVersion.All)[:8]
        return peer, [Address(host, port, peer) for host in addresses if "%" not in host and port]


def _pairs(info: ServiceInfo) -> Iterable[tuple[str, bytes | None]]:
    for key, value in info.properties.items():
        yield key.decode("ascii", "replace"), value


def _open() -> Zeroconf:
    """Listen on every interface, without IPv6 where there is none."""
    if socket.has_ipv6:
        with contextlib.suppress(OSError):
            return Zeroconf(ip_version=IPVersion.All)
    return Zeroconf(ip_version=IPVersion.V4Only)


def _close(zeroconf: Zeroconf) -> None:
    try:
        zeroconf.close()
    except (OSError, Error, RuntimeError) as error:
        _LOG.debug("closing mDNS: %r", error)
