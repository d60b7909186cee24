"""What callers hand to the Python API, as bytes: data, and the question that it answers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

import msgpack  # type: ignore[import-untyped]

from gh_p2pcache.errors import UsageError

_VERSION = 1
_KEEPABLE = "dict, list, tuple, str, bytes, int, float, bool, None and datetime"


class DataError(UsageError):
    """An argument or data that the cache cannot keep, or a lifetime that is none."""


def dumps(data: object) -> bytes:
    """Return `data` as msgpack; `loads` gives back whatever this accepts.

    Raises DataError for types that msgpack lacks, integers beyond 64 bits, a datetime without a
    time zone, dict keys that are tuples, and nesting deeper than 500.
    """
    try:
        packed: bytes = msgpack.packb(
            data, default=_refuse, datetime=True, unicode_errors="surrogatepass"
        )
        loads(packed)
    except (ValueError, OverflowError) as error:
        raise DataError(f"this cannot be kept: {error}") from error
    except TypeError as error:
        # It would come back as a list, which can be no key.
        raise DataError("a tuple cannot be kept as the key of a dict") from error
    return packed


def loads(packed: bytes) -> Any:
    """Return what `dumps` was given; tuples come back as lists, datetimes in UTC."""
    return msgpack.unpackb(
        packed, strict_map_key=False, timestamp=3, unicode_errors="surrogatepass"
    )


def question(
    operation: str, args: Sequence[object], kwargs: Mapping[str, object]
) -> tuple[bytes, str]:
    """Return key and name of an entry; raises DataError as `dumps` does.

    The key (32 bytes) tells 1, 1.0, True and "1" apart, but not a list from a tuple, the orders of
    a dict, or a moment in two time zones. The name is what patterns match: `list_runs:o/r:page=2`,
    keyword arguments in alphabetical order; not every two entries have different names.
    """
    if not isinstance(operation, str):
        raise DataError(f"an operation is named by a str, not by {operation!r}")
    try:
        plain_args, plain_kwargs = _ordered(loads(dumps([args, kwargs])))
    except RecursionError as error:
        raise DataError("these arguments are nested too deeply") from error
    key = hashlib.sha256(dumps(["python", _VERSION, operation, plain_args, plain_kwargs])).digest()
    words = [*map(_text, plain_args), *(f"{k}={_text(v)}" for k, v in sorted(plain_kwargs.items()))]
    name = ":".join([operation, *words])
    # Lone surrogates can be part of a key, but not of a record's target.
    return key, name.encode(errors="backslashreplace").decode()


def _ordered(value: object) -> Any:
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value, key=dumps)}
    return value


def _text(value: object) -> str:
    return value if isinstance(value, str) else repr(value)


def _refuse(value: object) -> NoReturn:
    if isinstance(value, datetime):
        raise DataError(f"{value!r} has no time zone, so it is no moment in time")
    if isinstance(value, int):
        raise DataError("an integer beyond 64 bits cannot be kept")
    raise DataError(f"nothing of type {type(value).__name__} can be kept ({_KEEPABLE} can)")
