"""What can be kept comes back as it was; what can't is said; different questions stay apart."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache._values import DataError, dumps, loads, question

MOMENTS = st.datetimes(timezones=st.just(timezone.utc))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters())
    | st.text(st.characters(categories=["Cs"]), max_size=3)
    | st.binary()
    | MOMENTS
)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(SCALARS, inner, max_size=5),
    max_leaves=20,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def same(one: object, other: object) -> bool:
    """Compare with types: 1, 1.0 and True are three values."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        typed = [{(type(key), key): data[key] for key in data} for data in (one, other)]
        return typed[0].keys() == typed[1].keys() and all(
            same(typed[0][key], typed[1][key]) for key in typed[0]
        )
    if isinstance(one, tuple) and isinstance(other, tuple):
        return all(map(same, one, other))
    return one == other


@given(DATA)
def test_data_comes_back_with_its_types(data: object) -> None:
    assert same(loads(dumps(data)), data)


def test_a_tuple_comes_back_as_a_list_and_a_number_that_is_none_as_itself() -> None:
    assert loads(dumps((1, (2,)))) == [1, [2]]
    assert math.isnan(loads(dumps(math.nan)))


def test_a_moment_is_kept_not_its_time_zone() -> None:
    noon = datetime(2024, 6, 1, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    back = loads(dumps(noon))
    assert back == noon
    assert back.utcoffset() == timedelta(0)


CYCLE: list[object] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({1, 2}, "set"),
        ([Decimal(1)], "Decimal"),
        (date(2024, 1, 1), "date"),
        (object(), "object"),
        (datetime(2024, 1, 1), "time zone"),  # noqa: DTZ001 - what is refused
        (2**64, "64 bits"),
        ([10**5000], "64 bits"),
        ({(1, 2): 3}, "tuple"),
        (CYCLE, "recursion"),
    ],
)
def test_what_cannot_be_kept_is_named(data: object, said: str) -> None:
    with pytest.raises(DataError, match=said):
        dumps(data)
    with pytest.raises(DataError, match=said):
        question("op", (data,), {})


def test_an_operation_is_a_str() -> None:
    with pytest.raises(DataError, match="str"):
        question(b"op", (), {})  # type: ignore[arg-type]


@given(st.text(), st.lists(JSON, max_size=3), st.dictionaries(st.text(), JSON, max_size=4))
def test_a_key_does_not_depend_on_order_or_kind_of_sequence(
    operation: str, args: list[object], kwargs: dict[str, object]
) -> None:
    def turned(value: object) -> object:
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        if isinstance(value, list):
            return tuple(map(turned, value))
        return value

    there = question(operation, args, kwargs)
    back = question(operation, [turned(a) for a in args], turned(kwargs))  # type: ignore[arg-type]
    assert there == back


@given(
    st.tuples(st.text(), st.lists(JSON, max_size=2), st.dictionaries(st.text(), JSON, max_size=2)),
    st.tuples(st.text(), st.lists(JSON, max_size=2), st.dictionaries(st.text(), JSON, max_size=2)),
)
def test_different_questions_have_different_keys(
    one: tuple[str, list[object], dict[str, object]],
    other: tuple[str, list[object], dict[str, object]],
) -> None:
    assert (question(*one)[0] == question(*other)[0]) == same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1,), (True,)),
        ((1,), (1.0,)),
        ((1,), ("1",)),
        (("a",), (b"a",)),
        (("a", "b"), ("a:b",)),
        (("a", "b"), (["a", "b"],)),
        ((), (None,)),
        (("k=v",), ({"k": "v"},)),
    ],
)
def test_look_alikes_are_different_questions(
    one: tuple[object, ...], other: tuple[object, ...]
) -> None:
    assert question("op", one, {})[0] != question("op", other, {})[0]


def test_a_keyword_is_not_an_argument_that_looks_like_it() -> None:
    assert question("op", ("k=v",), {})[0] != question("op", (), {"k": "v"})[0]


def test_a_name_can_be_read() -> None:
    assert question("list_runs", ("o/r", 3, None), {"page": 2, "all": True})[1] == (
        "list_runs:o/r:3:None:all=True:page=2"
    )
    assert question("op", ("\ud800",), {})[1].encode() == rb"op:\ud800"
