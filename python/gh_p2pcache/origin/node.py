"""An IPFS node as the engine sees it; `ipfs` has the one that speaks HTTP, and imports aiohttp."""

from __future__ import annotations

from typing import Protocol

from gh_p2pcache.errors import P2PCacheError

LARGEST = 1_000_000
"""Bytes of a block that every node takes and hands on. Kubo refuses more than 1 MiB, in later
versions 2 (`allow-big-block` in https://docs.ipfs.tech/reference/kubo/rpc/); js-ipfs takes 1 MiB
with the form around it."""


class IpfsError(P2PCacheError):
    """A node does not answer, or not what it may."""


class Node(Protocol):
    """Keeps sealed blobs by their CID. All methods raise IpfsError."""

    async def put(self, blob: bytes) -> None:
        """Keep a blob of at most LARGEST bytes, pinned."""
        ...

    async def get(self, sha256: bytes, seconds: float) -> bytes | None:
        """Return the blob of this digest, within `seconds`; None where the node has it not."""
        ...

    async def remove(self, sha256: bytes) -> None:
        """Unpin a blob and drop it; one that is not there is none either."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...
