"""HTTP requests and responses as plain values, shared by every room of the house."""

from __future__ import annotations

from dataclasses import dataclass

Headers = tuple[tuple[bytes, bytes], ...]
"""Header fields in the order they came; names in lower case, values without outer white space."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a client sent it.

    `host` is lower case and carries a port only if it is not 443; `target` is the origin-form
    target, verbatim (a trailing empty `?` included); `body` is complete.
    """

    method: str
    host: str
    target: str
    headers: Headers = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """A response as GitHub sent it: `body` still carries its content coding (gzip or none)."""

    status: int
    headers: Headers
    body: bytes


def header(headers: Headers, name: bytes) -> bytes | None:
    """Return the first value of header field `name` (lower case), or None."""
    for field, value in headers:
        if field == name:
            return value
    return None
