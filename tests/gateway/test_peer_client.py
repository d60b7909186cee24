"""The gateway's end of the private socket, with a few lines of asyncio at the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from gh_p2pcache.engine.peers import Heard
from gh_p2pcache.gateway.peer_client import PeerClient
from gh_p2pcache.peer import messages as m
from gh_p2pcache.peer.frames import MAX_ITEMS

SCOPE = b"scope id"
HELLO = m.Hello((), 9100, (), mdns=False, keeper=False, max_blob=1 << 20)


class Far:
    """A peer process that came up, and what our gateway and it said."""

    def __init__(self, client: PeerClient) -> None:
        self.client = client
        self.buried: asyncio.Queue[tuple[bytes, tuple[bytes, ...], int]] = asyncio.Queue()
        self._came: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = (
            asyncio.Queue()
        )
        self._writer: asyncio.StreamWriter | None = None

    async def met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._came.put((reader, writer))

    def bury(self, scope: bytes, marks: Sequence[bytes], date: int) -> None:
        self.buried.put_nowait((scope, tuple(marks), date))

    async def greeted(self) -> m.Hello:
        """Return what the gateway says first, the next time that it connects."""
        reader, self._writer = await asyncio.wait_for(self._came.get(), 20)
        first = await asyncio.wait_for(m.read_message(reader, m.TO_PEER), 20)
        assert isinstance(first, m.Hello)
        return first

    def say(self, message: m.Message) -> None:
        assert self._writer is not None
        self._writer.write(m.frame(message))

    def leave(self) -> None:
        if self._writer is not None:
            self._writer.close()


@asynccontextmanager
async def far_end(folder: Path, *banned: bytes) -> AsyncIterator[Far]:
    client = PeerClient(folder / "peer.sock", HELLO, deadline=0.15)
    far = Far(client)
    server = await asyncio.start_unix_server(far.met, folder / "peer.sock")
    nothing = lambda *_: None  # noqa: E731 - what these tests do not look at
    client.start(Heard(far.bury, nothing, nothing, nothing), banned, nothing)
    client.know(SCOPE, b"m" * 32, b"t" * 32, "acme")
    try:
        yield far
    finally:
        await client.close()
        far.leave()
        server.close()


async def test_writes_of_members_are_buried_a_date_at_a_time(tmp_path: Path) -> None:
    one, two, three = (bytes([n]) * 16 for n in (1, 2, 3))
    rows = (m.Tombstone(one, 7), m.Tombstone(two, 8), m.Tombstone(three, 7))
    async with far_end(tmp_path) as far:
        await far.greeted()
        far.say(m.Buried(SCOPE, rows))
        heard = [await asyncio.wait_for(far.buried.get(), 20) for _ in range(2)]
        assert heard == [(SCOPE, (one, three), 7), (SCOPE, (two,), 8)]


async def test_a_peer_process_that_comes_back_hears_of_bans_of_meanwhile(tmp_path: Path) -> None:
    old, new, lifted = (bytes([n]) * 32 for n in (1, 2, 3))
    async with far_end(tmp_path, old) as far:
        assert (await far.greeted()).banned == (old,)
        far.client.ban(lifted, "forged")
        far.client.ban(new, "forged")
        far.client.ban(new, "forged")
        far.client.lift(lifted)
        far.leave()
        assert (await far.greeted()).banned == (old, new)


async def test_a_greeting_never_has_more_bans_than_are_read(tmp_path: Path) -> None:
    signers = [n.to_bytes(32, "big") for n in range(MAX_ITEMS + 1)]
    async with far_end(tmp_path) as far:
        for signer in signers:
            far.client.ban(signer, "forged")
        assert (await far.greeted()).banned == tuple(signers[1:])
