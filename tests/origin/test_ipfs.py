"""What goes over HTTP to an IPFS node; the first tests hold for the stand-in and for a real one."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from gh_p2pcache.origin.ipfs import IpfsNode
from gh_p2pcache.origin.node import LARGEST, IpfsError
from gh_p2pcache.records.cid import digest
from support.ipfs_node import StandIn
from support.js_ipfs import js_ipfs

PATIENCE = 10.0


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    node = StandIn()
    yield node
    if node._loop.is_running():
        node.stop()


@pytest.fixture(scope="module")
def real() -> Iterator[tuple[str, str]]:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    with js_ipfs() as urls:
        yield urls


@pytest.fixture(params=["stand-in", pytest.param("js-ipfs", marks=pytest.mark.soak)])
def urls(request: pytest.FixtureRequest) -> tuple[str, str]:
    if request.param == "js-ipfs":
        found: tuple[str, str] = request.getfixturevalue("real")
        return found
    node: StandIn = request.getfixturevalue("stand_in")
    return node.urls


Connect = Callable[[str | None, str | None], IpfsNode]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    made: list[IpfsNode] = []

    def connected(api: str | None, gateway: str | None = None) -> IpfsNode:
        made.append(IpfsNode(api, gateway, {}))
        return made[-1]

    yield connected
    for node in made:
        await node.close()


@pytest.mark.parametrize("size", [1, 2_000, LARGEST])
async def test_a_blob_is_put_got_both_ways_and_removed(
    urls: tuple[str, str], connect: Connect, size: int
) -> None:
    api, gateway = urls
    node, reader = connect(api), connect(None, gateway)
    blob = os.urandom(size)
    sha256 = digest(blob)
    await node.put(blob)
    assert await node.get(sha256, PATIENCE) == blob
    assert await reader.get(sha256, PATIENCE) == blob
    assert await connect(api, gateway).get(sha256, PATIENCE) == blob
    await node.remove(sha256)
    with pytest.raises(IpfsError, match="no answer in time"):
        await node.get(sha256, 0.2)


async def test_what_is_put_or_removed_twice_is_so_once(
    urls: tuple[str, str], connect: Connect
) -> None:
    node, blob = connect(urls[0]), os.urandom(100)
    await node.put(blob)
    await node.put(blob)
    await node.remove(digest(blob))
    await node.remove(digest(blob))
    with pytest.raises(IpfsError, match="no answer in time"):
        await node.get(digest(blob), 0.2)


async def test_what_is_put_is_pinned_until_it_is_removed(
    stand_in: StandIn, connect: Connect
) -> None:
    node, blob = connect(stand_in.api), b"a sealed blob"
    await node.put(blob)
    assert stand_in.pinned(digest(blob))
    await node.remove(digest(blob))
    assert not stand_in.pins
    assert not stand_in.blocks


async def test_a_node_learns_nothing_but_what_it_is_asked(
    stand_in: StandIn, connect: Connect
) -> None:
    node, blob = connect(*stand_in.urls), b"a sealed blob"
    await node.put(blob)
    await node.get(digest(blob), PATIENCE)
    assert stand_in.agents <= {
        "host", "user-agent", "accept", "accept-encoding", "content-type", "content-length"
    }  # fmt: skip


@pytest.mark.parametrize("way", ["api", "gateway"])
@pytest.mark.parametrize("behaves", ["lying", "endless", "hung"])
async def test_bytes_that_are_not_the_blob_are_an_error(
    stand_in: StandIn, connect: Connect, way: str, behaves: str
) -> None:
    blob = os.urandom(100)
    await connect(stand_in.api).put(blob)
    stand_in.behaves = behaves
    node = connect(stand_in.api) if way == "api" else connect(None, stand_in.gateway)
    with pytest.raises(IpfsError):
        await node.get(digest(blob), PATIENCE if behaves != "hung" else 0.2)


@pytest.mark.parametrize("behaves", ["failing", "moved"])
async def test_a_node_that_says_no_has_it_not(
    stand_in: StandIn, connect: Connect, behaves: str
) -> None:
    stand_in.behaves = behaves
    assert await connect(*stand_in.urls).get(bytes(32), PATIENCE) is None
    assert len(stand_in.asked) == 2, "one question each way, and no redirect followed"


@pytest.mark.parametrize("behaves", ["failing", "moved", "lying", "endless"])
async def test_a_put_that_was_not_done_is_an_error(
    stand_in: StandIn, connect: Connect, behaves: str
) -> None:
    stand_in.behaves = behaves
    with pytest.raises(IpfsError):
        await connect(stand_in.api).put(b"a sealed blob")


async def test_one_way_that_fails_leaves_the_other(stand_in: StandIn, connect: Connect) -> None:
    other, blob = StandIn(), os.urandom(100)
    try:
        await connect(other.api).put(blob)
        for behaves in ("hung", "failing", "lying"):
            stand_in.behaves = behaves
            assert await connect(stand_in.api, other.gateway).get(digest(blob), PATIENCE) == blob
            assert await connect(other.api, stand_in.gateway).get(digest(blob), PATIENCE) == blob
    finally:
        other.stop()


async def test_a_node_that_is_gone_is_said_without_its_url(
    stand_in: StandIn, connect: Connect
) -> None:
    stand_in.stop()
    node = connect(stand_in.api)
    for doing in (node.put(b"x"), node.get(bytes(32), PATIENCE), node.remove(bytes(32))):
        with pytest.raises(IpfsError, match=r"^127\.0\.0\.1 could not be reached: Connection ref"):
            await doing


async def test_many_may_ask_at_once(stand_in: StandIn, connect: Connect) -> None:
    node = connect(stand_in.api)
    blobs = [os.urandom(100) for _ in range(50)]
    await asyncio.gather(*map(node.put, blobs))
    got = await asyncio.gather(*(node.get(digest(blob), PATIENCE) for blob in blobs))
    assert got == blobs
