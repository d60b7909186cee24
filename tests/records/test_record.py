import gzip
import math
import tracemalloc
import zlib
from dataclasses import replace

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.records.record import MAX_PACKED, Record, pack, unpack
from support.store import a_record

names = st.from_regex(rb"[!#$%&'*+.^_`|~0-9a-z-]+", fullmatch=True)
values = st.binary(max_size=200).map(lambda value: value.translate(None, b"\r\n\0"))
texts = st.text(st.characters(codec="utf-8"))

records = st.builds(
    Record,
    key=st.binary(),
    method=texts,
    host=texts,
    target=texts,
    status=st.integers(100, 599),
    headers=st.lists(st.tuples(names, values)).map(tuple),
    body=st.binary(max_size=3000),
    github_date=st.integers(0, 1 << 40),
    fetched_at=st.floats(allow_nan=False, allow_infinity=False),
    scope=st.binary(),
    tags=st.lists(texts).map(tuple),
    publisher=st.binary(),
    access=st.none() | texts,
)


@given(records)
def test_a_record_is_the_same_after_packing(record):
    assert unpack(pack(record)) == record


def test_a_body_is_deflated_but_not_where_github_did_it():
    text = b'{"a": 1}' * 500
    gzipped = replace(
        a_record(), body=gzip.compress(text), headers=((b"content-encoding", b"gzip"),)
    )
    assert len(pack(a_record(body=text))) < 600
    assert gzipped.body in pack(gzipped)


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": ((b"x", b"a\r\nset-cookie: b"),)},
        {"headers": ((b"x", b"a\nb"),)},
        {"headers": ((b"x", b"a\0"),)},
        {"headers": ((b"x y", b"a"),)},
        {"headers": ((b"x:", b"a"),)},
        {"headers": ((b"X", b"a"),)},
        {"headers": ((b"", b"a"),)},
        {"headers": (("x", "a"),)},
        {"headers": ((b"x",),)},
        {"headers": [(b"x", b"a")]},
        {"status": 99},
        {"status": 600},
        {"status": "200"},
        {"body": "text"},
        {"key": None},
        {"github_date": -1},
        {"github_date": 1.5},
        {"github_date": 1 << 64},
        {"fetched_at": math.nan},
        {"fetched_at": math.inf},
        {"tags": (b"x",)},
        {"tags": ("x",) * 65_537},
        {"access": 1},
        {"target": "/\ud800"},
    ],
)
def test_what_is_no_answer_is_neither_packed_nor_unpacked(changes):
    record = a_record(**changes)
    with pytest.raises(RejectedError):
        pack(record)

    fields = {name: getattr(record, name) for name in Record.__dataclass_fields__}
    try:
        forged = msgpack.packb({"v": 1, **fields}, unicode_errors="surrogatepass")
    except OverflowError:
        return
    if "headers" in changes and isinstance(changes["headers"], list):
        return  # msgpack knows no difference between lists and tuples
    with pytest.raises(RejectedError):
        unpack(b"\x01" + forged)


@given(st.binary())
def test_any_bytes_are_refused_and_nothing_else_is_raised(data):
    for foreign in (data, b"\x01" + data, b"\x02" + data, b"\x02" + zlib.compress(data)):
        with pytest.raises(RejectedError):
            unpack(foreign)


@given(st.recursive(st.none() | st.integers() | st.binary(), st.lists, max_leaves=5))
def test_any_value_in_any_field_is_refused_or_a_record(value):
    whole = {"v": 1} | {n: getattr(a_record(), n) for n in Record.__dataclass_fields__}
    for name in whole:
        try:
            data = msgpack.packb(whole | {name: value})
        except OverflowError:
            return
        try:
            unpack(b"\x01" + data)
        except RejectedError:
            continue


def test_other_versions_and_other_fields_are_refused():
    whole = {"v": 1} | {n: getattr(a_record(), n) for n in Record.__dataclass_fields__}
    assert unpack(b"\x01" + msgpack.packb(whole)) == a_record()
    strange = [
        whole | {"v": 2},
        whole | {"more": 1},
        {name: whole[name] for name in whole if name != "access"},
        {name: whole[name] for name in whole if name != "v"},
        [whole],
        {1: 2},
    ]
    for other in strange:
        with pytest.raises(RejectedError):
            unpack(b"\x01" + msgpack.packb(other))
    with pytest.raises(RejectedError):
        unpack(b"\x03" + msgpack.packb(whole))
    with pytest.raises(RejectedError):
        unpack(b"\x01" + msgpack.packb(whole) + b"\0")


def test_every_cut_off_record_is_refused():
    for whole in (pack(a_record()), pack(a_record(headers=((b"content-encoding", b"gzip"),)))):
        for length in range(len(whole)):
            with pytest.raises(RejectedError):
                unpack(whole[:length])


def test_a_bomb_is_refused_before_it_goes_off():
    bomb = b"\x02" + zlib.compress(bytes(4 * MAX_PACKED), 9)
    assert len(bomb) < MAX_PACKED // 100
    tracemalloc.start()
    try:
        with pytest.raises(RejectedError):
            unpack(bomb)
        assert tracemalloc.get_traced_memory()[1] < 3 * MAX_PACKED
    finally:
        tracemalloc.stop()


def test_a_record_that_is_too_large_is_not_packed():
    with pytest.raises(RejectedError):
        pack(a_record(body=bytes(MAX_PACKED)))
