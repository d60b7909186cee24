"""What a field of a message may hold, as types that carry their own judge.

`Annotated[bytes, sized(32)]` is a `bytes` to the reader and to mypy, and to `judge_of` a function
that returns the value or raises RejectedError. Nothing is judged by what its sender says of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.frames import LOCAL_LIMIT, MAX_ITEMS
from gh_p2pcache.policy.rows import MAX_LIFETIME
from gh_p2pcache.records.seal import ID_SIZE
from gh_p2pcache.records.sign import KEY_SIZE, SIGNATURE_SIZE

T = TypeVar("T")
Judge = Callable[[Any], Any]

UNDECIDED_LIFE = 60
"""Seconds for which a write that nobody answered buries what it may have changed."""
LONGEST_WAIT = 10.0
MOST_ADDRESSES = 32
_MOST_TEXT = 500


def sized(least: int, most: int | None = None) -> Judge:
    """Take bytes of this length, or of `least` to `most`."""
    most = least if most is None else most

    def judge(value: object) -> bytes:
        if type(value) is not bytes or not least <= len(value) <= most:
            raise RejectedError(f"not {least} to {most} bytes")
        return value

    return judge


def multiple(unit: int, most: int) -> Judge:
    """Take bytes that are up to `most` pieces of `unit` bytes."""
    inner = sized(0, unit * most)

    def judge(value: object) -> bytes:
        data: bytes = inner(value)
        if len(data) % unit:
            raise RejectedError(f"not pieces of {unit} bytes")
        return data

    return judge


def whole(least: int, most: int) -> Judge:
    """Take an integer from `least` to `most`."""

    def judge(value: object) -> int:
        if type(value) is not int or not least <= value <= most:
            raise RejectedError(f"not a whole number from {least} to {most}")
        return value

    return judge


def number(least: float, most: float) -> Judge:
    """Take a number from `least` to `most`; it becomes a float."""

    def judge(value: object) -> float:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise RejectedError("not a number")
        if not least <= value <= most:  # nor NaN
            raise RejectedError(f"not a number from {least} to {most}")
        return float(value)

    return judge


def clamped(least: float, most: float) -> Judge:
    """Take any number but NaN, moved to between `least` and `most`."""
    any_number = number(-math.inf, math.inf)

    def judge(value: object) -> float:
        given: float = any_number(value)
        return max(least, min(most, given))

    return judge


def matching(pattern: str, most: int) -> Judge:
    """Take text of up to `most` characters, all of which `pattern` matches."""
    matches = re.compile(pattern, re.ASCII).fullmatch

    def judge(value: object) -> str:
        if type(value) is not str or len(value) > most or not matches(value):
            raise RejectedError("not the text it should be")
        return value

    return judge


def flag(value: object) -> bool:
    """Take true or false."""
    if type(value) is not bool:
        raise RejectedError("neither true nor false")
    return value


def words(value: object) -> str:
    """Take text for people, cut to 500 characters and without control characters."""
    if type(value) is not str:
        raise RejectedError("not text")
    cut = value[:_MOST_TEXT]
    return "".join(letter if letter.isprintable() else " " for letter in cut)


def many(judge: Judge, most: int = MAX_ITEMS, least: int = 0) -> Judge:
    """Take a list of `least` to `most` things that `judge` takes; it becomes a tuple."""

    def judge_all(value: object) -> tuple[Any, ...]:
        if not isinstance(value, (tuple, list)) or not least <= len(value) <= most:
            raise RejectedError(f"not a list of {least} to {most}")
        return tuple(map(judge, value))

    return judge_all


def row(make: Callable[..., T], judges: Sequence[Judge]) -> Callable[[Any], T]:
    """Take a list whose first items the `judges` take; what a later version adds is ignored."""

    def judge(value: object) -> T:
        if not isinstance(value, (tuple, list)) or len(value) < len(judges):
            raise RejectedError(f"not a row of {len(judges)}")
        return make(*(take(item) for take, item in zip(judges, value, strict=False)))

    return judge


Number = Annotated[int, whole(0, 2**53)]
Count = Annotated[int, whole(0, 2**53)]
Port = Annotated[int, whole(0, 65535)]
Scope = Annotated[bytes, sized(ID_SIZE)]
Tag = Annotated[str, matching("[0-9a-f]{32}", 32)]
RawTag = Annotated[bytes, sized(16)]
Digest = Annotated[bytes, sized(32)]
Key = Annotated[bytes, sized(KEY_SIZE)]
Signature = Annotated[bytes, sized(SIGNATURE_SIZE)]
Secret = Annotated[bytes, sized(32)]
Nonce = Annotated[bytes, sized(32)]
Name16 = Annotated[bytes, sized(16)]
"""The pseudonym of a record's tag (a mark), of a token or of what it may read."""
Date = Annotated[int, whole(1, 2**40)]
"""GitHub's `Date` in unix seconds."""
DateOrNone = Annotated[int, whole(0, 2**40)]
Ttl = Annotated[float, number(0, MAX_LIFETIME)]
"""Seconds. Signed, hence refused where it is too long, not clamped."""
Size = Annotated[int, whole(1, LOCAL_LIMIT)]
Blob = Annotated[bytes, sized(0, LOCAL_LIMIT)]
Seconds = Annotated[float, clamped(0.0, 2.0**53)]
Deadline = Annotated[float, clamped(0.0, LONGEST_WAIT)]
Score = Annotated[float, clamped(-(2.0**53), 2.0**53)]
PeerId = Annotated[str, matching("[1-9A-HJ-NP-Za-km-z]{32,64}", 64)]
Address = Annotated[str, matching("/[!-~]+", 256)]
"""A multiaddr, judged by its alphabet alone: the one who dials parses it."""
Addresses = Annotated[tuple[str, ...], many(matching("/[!-~]+", 256), MOST_ADDRESSES)]
Text = Annotated[str, words]
Flag = Annotated[bool, flag]
