"""Where a peer listens: what we dial of multiaddrs (https://multiformats.io/multiaddr/)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.records.sign import public_of

_NAMES = {"dns", "dns4", "dns6"}
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Address:
    """A TCP address; `peer` is the id that must answer there, "" when any may."""

    host: str
    port: int
    peer: str = ""

    @property
    def ip(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        """Return the IP address, None for a name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    def __str__(self) -> str:
        ip = self.ip
        kind = "dns" if ip is None else f"ip{ip.version}"
        return f"/{kind}/{self.host}/tcp/{self.port}" + (f"/p2p/{self.peer}" if self.peer else "")


def parse(text: str) -> Address:
    """Parse `/ip4|ip6|dns|dns4|dns6/HOST/tcp/PORT[/p2p/ID]`; raises RejectedError, which says why.

    The id may be left out: who answers is judged by the team's key anyway.
    """
    parts = text.strip().split("/")
    if len(text) > _LONGEST or len(parts) not in (5, 7) or parts[0] or parts[3] != "tcp":
        raise RejectedError(f"not an address: {text[:80]!r} (like /ip4/192.0.2.7/tcp/9100)")
    kind, host, port = parts[1], parts[2], parts[4]
    peer = ""
    if len(parts) == 7:
        if parts[5] != "p2p":
            raise RejectedError(f"{text[:80]!r}: what follows the port must be /p2p/ID")
        peer = parts[6]
        public_of(peer)
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise RejectedError(f"{text[:80]!r}: no such port")
    _check_host(kind, host, text)
    return Address(host, int(port), peer)


def _check_host(kind: str, host: str, text: str) -> None:
    if kind in ("ip4", "ip6"):
        try:
            if ipaddress.ip_address(host).version == int(kind[2]):
                return
        except ValueError:
            pass
        raise RejectedError(f"{text[:80]!r}: not an {kind} address")
    name = host.replace("-", "").replace(".", "").replace("_", "")
    if kind not in _NAMES or not (name.isascii() and name.isalnum()):
        raise RejectedError(f"{text[:80]!r}: neither ip4, ip6 nor dns")
