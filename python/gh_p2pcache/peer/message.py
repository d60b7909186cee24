"""What every message is: a map in which "t" says which, and the rest are its fields' names.

`parse` makes a message of what `frames` read, and raises RejectedError for values that cannot be.
Later versions are met half-way: names it does not know are ignored, fields with a default may be
missing, and a "t" it does not know becomes `Unknown`, which is skipped and held against nobody
(what cannot be said compatibly gets another protocol id).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from typing import Any, ClassVar, TypeVar, cast, get_type_hints

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.fields import Judge, row
from gh_p2pcache.peer.frames import WIRE_LIMIT, Fields, Reader, encode, read_frame

_T = TypeVar("_T")
_Row = TypeVar("_Row", bound=tuple[Any, ...])


class Message:
    """Anything with a "t" (`kind`); its subclasses are frozen and compared by value."""

    __slots__ = ()
    kind: ClassVar[str] = ""


Kinds = Mapping[str, type[Message]]
"""Which messages may come in one place, by their "t"."""


@dataclass(frozen=True, slots=True)
class Unknown(Message):
    """A message of a later version."""

    name: str


def kinds(*messages: type[Message]) -> Kinds:
    """Return these messages by their "t"."""
    return {message.kind: message for message in messages}


def parse(data: Fields, expected: Kinds) -> Message:
    """Return the message that a map is; raises RejectedError."""
    name = data.get("t")
    if type(name) is not str or len(name) > 32:
        raise RejectedError('a message without a "t"')
    message = expected.get(name)
    return Unknown(name) if message is None else build(message, data)


def as_fields(message: Message) -> Fields:
    """Return the map that `parse` makes `message` of."""
    return {"t": message.kind, **_plain(message)}


def frame(message: Message, limit: int = WIRE_LIMIT) -> bytes:
    """Return `message` as one frame; raises RejectedError when it is longer than `limit`."""
    return encode(as_fields(message), limit)


async def read_message(reader: Reader, expected: Kinds, limit: int = WIRE_LIMIT) -> Message | None:
    """Return the next message, None at the end; raises RejectedError. The deadline is yours."""
    data = await read_frame(reader, limit)
    return None if data is None else parse(data, expected)


def build(make: type[_T], data: object) -> _T:
    """Return the dataclass `make` with the values of a map, judged; raises RejectedError."""
    if not isinstance(data, dict):
        raise RejectedError(f"{make.__name__}: not a map")
    values = {}
    for name, (judge, optional) in _judges(cast("Any", make)).items():
        if name in data:
            try:
                values[name] = judge(data[name])
            except RejectedError as error:
                raise RejectedError(f"{make.__name__}.{name}: {error}") from error
        elif not optional:
            raise RejectedError(f"{make.__name__} without {name}")
    return make(**values)


def row_judge(make: type[_Row]) -> Judge:
    """Return the judge of rows that are the NamedTuple `make`."""
    return row(make, list(_annotated(make).values()))


@cache
def _judges(make: Any) -> dict[str, tuple[Judge, bool]]:
    optional = {field.name: field.default is not MISSING for field in fields(make)}
    return {name: (judge, optional[name]) for name, judge in _annotated(make).items()}


def _annotated(make: type) -> dict[str, Judge]:
    hints = get_type_hints(make, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items() if name != "kind"}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if type(value) is tuple:
        return [_plain(item) for item in value]
    return value
