"""Unsigned LEB128, as multiformats have it (https://github.com/multiformats/unsigned-varint)."""

from __future__ import annotations

from io import BytesIO
from typing import IO

_MOST = 10
"""Bytes: 70 bits are beyond what any field holds, and bound what a hostile peer may have read."""


def encode(number: int) -> bytes:
    """Return a number that is not negative as bytes, the low seven bits first."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def decode_stream(stream: IO[bytes]) -> int:
    """Read one number. Raises EOFError when it is cut off, ValueError when it does not end."""
    number = 0
    for place in range(_MOST):
        byte = stream.read(1)
        if not byte:
            raise EOFError("a varint is cut off")
        number |= (byte[0] & 0x7F) << 7 * place
        if byte[0] < 0x80:
            return number
    raise ValueError("a varint is too long")


def decode_bytes(data: bytes) -> int:
    """Return the number that `data` begins with. Raises as decode_stream does."""
    return decode_stream(BytesIO(data))
