"""Networks of several machines on this one: namespaces, cables, switches, routers (root only)."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

needs_namespaces = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("ip") is None,
    reason="network namespaces need root and iproute2",
)


def ip(*arguments: str) -> None:
    """Run ip(8); what it says is in the error."""
    said = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert not said.returncode, f"ip {' '.join(arguments)}: {said.stderr}"


class Space:
    """One namespace: a machine, a router or a switch."""

    def __init__(self, name: str) -> None:
        self.name = name
        ip("netns", "add", name)
        self.ip("link", "set", "lo", "up")

    @property
    def within(self) -> tuple[str, ...]:
        """What to put before a command that is to run there."""
        return ("ip", "netns", "exec", self.name)

    def ip(self, *arguments: str) -> None:
        ip("-n", self.name, *arguments)

    def move(self, old: str, new: str, device: str = "eth0") -> None:
        """Get another address, as by DHCP in another Wi-Fi."""
        self.ip("addr", "del", f"{old}/24", "dev", device)
        self.ip("addr", "add", f"{new}/24", "dev", device)

    def forward(self) -> None:
        """Be a router."""
        allow = "echo 1 > /proc/sys/net/ipv4/ip_forward"
        subprocess.run([*self.within, "sh", "-c", allow], check=True)


class Network:
    """Namespaces with names of this run alone."""

    def __init__(self) -> None:
        self._run = f"p2p{secrets.token_hex(3)}"
        self._spaces: list[Space] = []
        self._cables = 0

    def space(self) -> Space:
        """Return a new namespace without any cable."""
        made = Space(f"{self._run}-{len(self._spaces)}")
        self._spaces.append(made)
        return made

    def switch(self) -> Space:
        """Return a new switch."""
        made = self.space()
        made.ip("link", "add", "br0", "type", "bridge")
        made.ip("link", "set", "br0", "up")
        return made

    def plug(self, machine: Space, switch: Space, address: str, device: str = "eth0") -> str:
        """Give a machine `address`/24 on a switch; return the switch's port."""
        port = f"port{self._cables}"
        self._cables += 1
        ends = (device, "netns", machine.name, "type", "veth", "peer", "name", port)
        ip("link", "add", *ends, "netns", switch.name)
        switch.ip("link", "set", port, "master", "br0", "up")
        machine.ip("addr", "add", f"{address}/24", "dev", device)
        machine.ip("link", "set", device, "up")
        return port

    def behind_nat(
        self, outside: Space, inside: str, router: str, *, swallows: tuple[str, ...] = ("wan0",)
    ) -> Space:
        """Return a machine that can dial out to `outside` and that nobody there can dial.

        `inside` is its network ("10.1.0"), `router` its router's address outside. Without a
        packet filter at hand, what makes a NAT of the router is a rule that swallows what comes in
        for ports where somebody may listen; its addresses are not translated. One that `swallows`
        what comes from "lan0", too, lets nobody dial out either.
        """
        machine, gate, lan = self.space(), self.space(), self.switch()
        self.plug(machine, lan, f"{inside}.2")
        self.plug(gate, lan, f"{inside}.1", "lan0")
        self.plug(gate, outside, router, "wan0")
        machine.ip("route", "add", "default", "via", f"{inside}.1")
        gate.forward()
        for leg in swallows:
            dialled = ("iif", leg, "ipproto", "tcp", "dport", "9000-9999")
            gate.ip("rule", "add", "priority", "10", *dialled, "blackhole")
        return machine

    def end(self) -> None:
        """Take everything away; cables go with their ends."""
        for space in self._spaces:
            subprocess.run(["ip", "netns", "del", space.name], capture_output=True, check=False)


@contextmanager
def network() -> Iterator[Network]:
    """Make a network that is gone afterwards, whatever happens."""
    made = Network()
    try:
        yield made
    finally:
        made.end()
