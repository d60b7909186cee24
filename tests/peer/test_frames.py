import asyncio
import contextlib
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.frames import MAX_ITEMS, Decoder, encode, read_frame

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.binary(max_size=40)
    | st.text(max_size=20)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)
MAPS = st.dictionaries(st.text(max_size=8), VALUES, max_size=5)
LIMIT = 1 << 16


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(edges)]


class Pieces:
    """A reader that gives what was sent in whatever pieces."""

    def __init__(self, parts: list[bytes]) -> None:
        self.parts = [part for part in parts if part]

    async def read(self, n: int, /) -> bytes:
        if not self.parts:
            return b""
        part = self.parts.pop(0)
        if part[n:]:
            self.parts.insert(0, part[n:])
        return part[:n]


@given(st.lists(MAPS, max_size=5), st.lists(st.integers(0, 10**6), max_size=20))
def test_maps_come_out_as_they_went_in_however_the_bytes_are_cut(maps, cuts):
    data = b"".join(encode(fields, LIMIT) for fields in maps)
    decoder = Decoder(LIMIT)
    got = [fields for part in pieces(data, cuts) for fields in decoder.feed(part)]
    assert got == maps
    assert decoder.between


@given(st.lists(MAPS, min_size=1, max_size=4), st.lists(st.integers(0, 10**6)), st.binary())
def test_reading_takes_nothing_that_lies_behind_the_frame(maps, cuts, raw):
    async def read() -> list[object]:
        reader = Pieces(pieces(b"".join(encode(fields, LIMIT) for fields in maps) + raw, cuts))
        got = [await read_frame(reader, LIMIT) for _ in maps]
        assert b"".join(reader.parts) == raw
        return got

    assert asyncio.run(read()) == maps


@given(st.lists(st.binary(max_size=60)))
def test_any_bytes_are_maps_or_rejected(parts):
    decoder = Decoder(64)
    with contextlib.suppress(RejectedError):
        for part in parts:
            for fields in decoder.feed(part):
                assert all(isinstance(name, str) for name in fields)


@given(st.binary(max_size=200))
def test_any_payload_is_a_map_or_rejected(payload):
    with contextlib.suppress(RejectedError):
        Decoder(LIMIT).feed(len(payload).to_bytes(4, "big") + payload)


@given(MAPS, st.integers(0, 10**6))
def test_a_stream_that_ends_inside_a_frame_is_rejected_and_between_frames_is_an_end(fields, cut):
    data = encode(fields, LIMIT)
    cut %= len(data)

    async def read() -> object:
        return await read_frame(Pieces([data[:cut]]), LIMIT)

    if cut == 0:
        assert asyncio.run(read()) is None
    else:
        with pytest.raises(RejectedError, match="cut off"):
            asyncio.run(read())


@pytest.mark.parametrize("size", [0, 65, 1 << 30, 2**32 - 1])
def test_a_size_over_the_limit_is_refused_at_the_header_whatever_comes_with_it(size):
    decoder = Decoder(64)
    tracemalloc.start()
    with pytest.raises(RejectedError, match="a frame of"):
        decoder.feed(size.to_bytes(4, "big"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000


def test_lists_within_lists_that_say_they_are_long_cost_no_memory():
    bomb = b"\x81\xa1a" + (b"\xdd" + (60_000).to_bytes(4, "big")) * 500 + bytes(60_000)
    tracemalloc.start()
    with pytest.raises(RejectedError):
        Decoder(LIMIT).feed(len(bomb).to_bytes(4, "big") + bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_a_list_of_more_than_the_most_items_is_rejected():
    decoder = Decoder(LIMIT)
    assert decoder.feed(encode({"a": (1,) * MAX_ITEMS}, LIMIT))
    with pytest.raises(RejectedError):
        decoder.feed(encode({"a": (1,) * (MAX_ITEMS + 1)}, LIMIT))


@pytest.mark.parametrize("fields", [{"a": 2**64}, {"a": object()}, {"a": "x" * LIMIT}])
def test_what_cannot_be_sent_is_refused_at_the_sender(fields):
    with pytest.raises(RejectedError):
        encode(fields, LIMIT)
