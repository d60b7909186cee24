"""Notices that the network has changed: other addresses, or a machine that slept."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Awaitable, Callable

import ifaddr
import trio

from gh_p2pcache.peer.address import Address

_LOOK_SECONDS = 2.0
"""0.3 ms each."""
_JUMP_SECONDS = 3.0
"""Between wall clock and our own: a machine that slept, or a clock that was set."""
_MOST = 16


def own_addresses(port: int, peer: str) -> list[Address]:
    """Return where this machine can be dialled: its addresses, those of the LAN first.

    Loopback only where there is nothing else; IPv6 link-local never (it needs an interface's name).
    """
    found = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            found.append(ipaddress.ip_address(text))
    outside = [ip for ip in found if not ip.is_loopback and not ip.is_link_local]
    chosen = sorted(outside or found, key=lambda ip: (not ip.is_private, ip.version))
    return [Address(str(ip), port, peer) for ip in dict.fromkeys(chosen)][:_MOST]


def _pauses() -> float:
    """Return a number that jumps when the machine sleeps or its clock is set."""
    return time.time() - trio.current_time()


async def watch(
    look: Callable[[], object],
    on_change: Callable[[], Awaitable[None]],
    pauses: Callable[[], float] = _pauses,
) -> None:
    """Run `on_change` whenever `look()` gives something else or time has jumped."""
    before, offset = look(), pauses()
    while True:
        await trio.sleep(_LOOK_SECONDS)
        after, now = look(), pauses()
        if after != before or abs(now - offset) > _JUMP_SECONDS:
            await on_change()
        before, offset = after, now
