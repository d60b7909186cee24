"""Whether this daemon takes part in peers, and what it says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from gh_p2pcache.engine.assembly import House
from gh_p2pcache.origin.node import Node
from gh_p2pcache.records.sign import public_of
from gh_p2pcache.settings import Settings
from gh_p2pcache.teams import Team

if TYPE_CHECKING:
    from gh_p2pcache.engine.ipfs import WithIpfs
    from gh_p2pcache.gateway.peer_client import PeerClient

_ROOM = 1 << 20
"""Bytes by which a sealed record may be larger than its body."""


def why_off(settings: Settings, teams: Sequence[Team]) -> str | None:
    """Return why this daemon has no peers, None where it may have some."""
    if not settings.enable_p2p:
        return "CACHE_ENABLE_P2P is false"
    if not (teams or settings.bootstrap_peers or settings.mdns):
        return "no team (gh p2pcache team create, or join)"
    return None


def client_of(settings: Settings, teams: Sequence[Team], runtime: Path) -> PeerClient:
    """Return the client that speaks to the peer process of this daemon."""
    # Imported by who has peers: a start without them has 300 ms.
    from gh_p2pcache.gateway.peer_client import PeerClient
    from gh_p2pcache.peer.messages import Hello

    dialed = dict.fromkeys((*settings.bootstrap_peers, *(a for t in teams for a in t.bootstrap)))
    hello = Hello(
        scopes=(),
        port=settings.listen_port,
        bootstrap=tuple(dialed),
        mdns=bool(teams) if settings.mdns is None else settings.mdns,
        keeper=settings.keeper,
        max_blob=settings.max_entry + _ROOM,
    )
    return PeerClient(runtime / "peer.sock", hello, deadline=settings.peer_deadline)


def ipfs_of(
    settings: Settings, client: PeerClient | None, env: Mapping[str, str]
) -> WithIpfs | None:
    """Return the members with an IPFS node behind them; None without a node, or without peers."""
    api, gateway = settings.ipfs_api, settings.ipfs_gateway
    if client is None or not (api or gateway):
        return None
    from gh_p2pcache.engine.ipfs import WithIpfs
    from gh_p2pcache.engine.ipfs_writer import IpfsWriter

    def make() -> Node:
        from gh_p2pcache.origin.ipfs import IpfsNode

        return IpfsNode(api, gateway, env)

    pins, records = settings.state_dir / "ipfs-pins", settings.cache_dir / "records"
    writer = IpfsWriter(pins, records) if api else None
    return WithIpfs(client, make, writer, deadline=settings.peer_deadline)


class Peering:
    """What the control socket tells of peers."""

    def __init__(
        self, house: House, client: PeerClient | None, off: str | None, ipfs: WithIpfs | None
    ) -> None:
        self._house = house
        self._client = client
        self._off = off
        self._ipfs = ipfs

    def ipfs(self) -> dict[str, object] | None:
        """Return how the IPFS node does, None where there is none."""
        return None if self._ipfs is None else self._ipfs.summary()

    def summary(self) -> dict[str, object]:
        """Return the state in a word, why, and how many members are connected."""
        client, port = self._client, self._house.settings.listen_port
        if client is None:
            state, why = "off", self._off or ""
        elif client.members or (client.met and not client.trouble):
            state, why = "on", "" if client.port == port else f"port {port} is taken"
            port = client.port
        elif "No such file" in client.trouble or "Connection refused" in client.trouble:
            state, why = "not installed", "gh p2pcache setup installs what peers need"
        elif client.trouble:
            state, why = "failed", client.trouble
        else:
            state, why = "starting", ""
        return {
            "state": state,
            "why": why,
            "members": client.members if client else 0,
            "port": port,
        }

    async def report(self) -> dict[str, object]:
        """Return everything for `gh p2pcache peers`."""
        told = self.summary()
        teams = self._house.desk.teams.all
        report = await self._client.status() if self._client else None
        peers = [] if report is None else [asdict(peer) for peer in report.peers]
        if report is not None:
            told |= {
                "id": report.id,
                "port": report.port,
                "addrs": list(report.addrs),
                "mdns": report.mdns,
                "problems": list(report.problems),
                "nat": report.nat,
            }
        members = [peer for peer in peers if not peer["banned"]]
        told["teams"] = [
            {
                "name": team.name,
                "share": list(team.share),
                "members": sum(team.name in peer["scopes"] for peer in members),
            }
            for team in teams
        ]
        return told | {"peers": peers}

    def unban(self, peer: str) -> dict[str, object]:
        """Take a banned member back; raises RejectedError for what is no peer id."""
        signer = public_of(peer)
        known = self._house.members.trust.lift(signer)
        if self._client is not None:
            self._client.lift(signer)
        return {"ok": True, "was_banned": known}

    async def add(self, addr: str) -> dict[str, object]:
        """Dial an address; tell how it went."""
        if self._client is None:
            return {"ok": False, "why": self._off}
        ok, why = await self._client.dial(addr)
        return {"ok": ok, "why": why}
