"""Real libp2p networks in one trio loop, for tests."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import trio

from gh_p2pcache.peer import packages
from gh_p2pcache.peer.local_messages import Hello, ScopeGrant
from gh_p2pcache.peer.topic import topic_name
from support.ports import free_port

packages.reach()
with warnings.catch_warnings():  # libp2p's dependencies warn while they are imported
    warnings.simplefilter("ignore")
    from gh_p2pcache.peer.network import Network

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup

__all__ = ["BLUE", "RED", "Network", "grant", "hello", "running", "topic_of", "until"]


def grant(name: str, secret: str = "") -> ScopeGrant:
    """Return the scope `name`; with another `secret`, one that only looks like it."""
    secret = secret or name
    pad = secret.encode().ljust(31, b".")
    return ScopeGrant(name.encode().ljust(8, b".")[:8], b"m" + pad, b"t" + pad, name)


RED, BLUE = grant("red"), grant("blue")


def topic_of(scope: ScopeGrant) -> str:
    return topic_name(scope.topic)


def hello(
    *scopes: ScopeGrant, port: int = 0, bootstrap: tuple[str, ...] = (), mdns: bool = False
) -> Hello:
    return Hello(
        scopes=scopes or (RED,),
        port=port or free_port(),
        bootstrap=bootstrap,
        mdns=mdns,
        keeper=False,
        max_blob=1 << 20,
    )


@asynccontextmanager
async def running(
    *scopes: ScopeGrant,
    bootstrap: tuple[str, ...] = (),
    seed: bytes = b"",
    book: Path | None = None,
    prepare: Callable[[Network], None] = lambda _: None,
    port: int = 0,
    mdns: bool = False,
    banned: tuple[bytes, ...] = (),
) -> AsyncIterator[Network]:
    """Run a network; `prepare` subscribes and registers handlers."""
    greeting = hello(*scopes, bootstrap=bootstrap, port=port, mdns=mdns)
    greeting = replace(greeting, banned=banned)
    network = Network(greeting, seed or os.urandom(32), book)
    prepare(network)
    async with network.run():
        yield network


def address(network: Network) -> str:
    return f"/ip4/127.0.0.1/tcp/{network.host.port}"


def ids(network: Network, scope: ScopeGrant = RED) -> set[str]:
    return {member.id for member in network.book.members(scope.id)}


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    with trio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110 - of libp2p's, which has no events for it
            await trio.sleep(0.01)


def trial(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """Run an async test under trio (the project's own plugin is for asyncio)."""

    async def bounded() -> None:
        with trio.fail_after(180):
            await test()

    def run() -> None:
        try:
            trio.run(bounded)
        except BaseExceptionGroup as group:  # one a nursery: the leaf is what happened
            leaf: BaseException = group
            while isinstance(leaf, BaseExceptionGroup):
                leaf = leaf.exceptions[0]
            raise leaf from None

    run.__name__ = test.__name__
    return run
