"""Frames: a length of 4 bytes (big-endian), then a msgpack map with names for keys.

The form of everything that the peer process says, to the gateway over its private socket and to
members over libp2p streams. No IO here and no event loop: asyncio and trio both read with it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgpack  # type: ignore[import-untyped]

from gh_p2pcache.errors import RejectedError

LOCAL_LIMIT = 80 << 20
"""Bytes of a frame on the private socket: the largest packed record (64 MiB), sealed, and room."""
WIRE_LIMIT = 64 << 10
"""Bytes of a frame from another machine."""
GOSSIP_LIMIT = 256 << 10
"""Bytes of a gossip message (py-libp2p drops those over 1,048,000 in silence)."""
MAX_ITEMS = 1024
"""Items of any one list or map. The unpacker makes room for all that a list *says* it has: nested
a thousand deep, 64 kB of bytes took 61 MB at its own limit, 8 MB at this one."""

_HEADER = struct.Struct(">I")

Fields = Mapping[str, Any]
_Item = TypeVar("_Item")


class Reader(Protocol):
    """What frames are read from: `asyncio.StreamReader`, or a `Stream` of peer/wire.py."""

    async def read(self, n: int, /) -> bytes:
        """Return 1 to `n` bytes, b"" at the end."""
        ...


def pieces(items: Sequence[_Item]) -> Iterator[tuple[_Item, ...]]:
    """Yield `items`, as many at a time as one message holds."""
    for start in range(0, len(items), MAX_ITEMS):
        yield tuple(items[start : start + MAX_ITEMS])


class Decoder:
    """Takes bytes in pieces of any size and gives the maps inside.

    Raises RejectedError for a frame that is longer than `limit` (at its header, before anything
    of it is kept) or no map; nothing that comes after can be understood then.
    """

    __slots__ = ("_buffer", "_limit", "_size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._size = -1

    @property
    def wanted(self) -> int:
        """How many bytes are missing until the next map, or its header, is whole (at least 1)."""
        whole = _HEADER.size if self._size < 0 else self._size
        return whole - len(self._buffer)

    @property
    def between(self) -> bool:
        """Whether all that came so far were whole frames: the only place for an end."""
        return self._size < 0 and not self._buffer

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Return the maps that `data` completes."""
        self._buffer += data
        maps = []
        while self.wanted <= 0:
            if self._size < 0:
                self._size = self._measure(bytes(self._take(_HEADER.size)))
            else:
                maps.append(unpack(self._take(self._size)))
                self._size = -1
        return maps

    def _measure(self, header: bytes) -> int:
        (size,) = _HEADER.unpack(header)
        if not 0 < size <= self._limit:
            self._buffer.clear()
            raise RejectedError(f"a frame of {size} bytes, where {self._limit} is the most")
        return int(size)

    def _take(self, size: int) -> bytearray:
        if size == len(self._buffer):
            taken, self._buffer = self._buffer, bytearray()
            return taken
        taken = self._buffer[:size]
        del self._buffer[:size]
        return taken


def encode(fields: Fields, limit: int) -> bytes:
    """Return `fields` as one frame; raises RejectedError when it would be longer than `limit`."""
    data = pack(fields)
    if len(data) > limit:
        raise RejectedError(f"a frame of {len(data)} bytes, where {limit} is the most")
    return _HEADER.pack(len(data)) + data


async def read_frame(reader: Reader, limit: int) -> dict[str, Any] | None:
    """Return the next map, None at the end; not one byte behind it is taken from `reader`.

    Raises RejectedError as the Decoder does, and for an end in the middle of a frame. Waits as
    long as `reader` does: deadlines are the caller's.
    """
    decoder = Decoder(limit)
    while data := await reader.read(decoder.wanted):
        for fields in decoder.feed(data):
            return fields
    if decoder.between:
        return None
    raise RejectedError("a frame that is cut off")


def pack(fields: Fields) -> bytes:
    """Return `fields` as msgpack; raises RejectedError for what msgpack cannot say."""
    try:
        packed: bytes = msgpack.packb(fields)
    except (ValueError, TypeError, OverflowError) as error:
        raise RejectedError(f"not to be said in msgpack: {error}") from error
    return packed


def unpack(data: bytes | bytearray) -> dict[str, Any]:
    """Return the map in `data`, its lists as tuples; raises RejectedError for anything else."""
    try:
        fields = msgpack.unpackb(
            data, use_list=False, max_array_len=MAX_ITEMS, max_map_len=MAX_ITEMS, max_ext_len=0
        )
    except (ValueError, msgpack.UnpackException) as error:
        raise RejectedError(f"not msgpack: {error}") from error
    if not isinstance(fields, dict) or not all(isinstance(name, str) for name in fields):
        raise RejectedError("not a map with names for keys")
    return fields
