"""Node ids in GitHub's present format: a type prefix and base64url of msgpack [0, ids…]."""

from __future__ import annotations

import base64
import binascii

import msgpack  # type: ignore[import-untyped]


def node_id(prefix: str, *parts: int | str) -> str:
    """Return a node id such as `I_kwDOHrjtpM5OBUbl` (recorded: msgpack [0, repository, issue])."""
    packed = msgpack.packb([0, *parts])
    return f"{prefix}_{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def parse_node_id(text: str) -> tuple[str, tuple[int | str, ...]] | None:
    """Return (prefix, parts) of a node id, None if it is none of ours."""
    prefix, _, encoded = text.partition("_")
    try:
        value = msgpack.unpackb(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (binascii.Error, ValueError, msgpack.UnpackException):
        return None
    if not isinstance(value, list) or value[:1] != [0]:
        return None
    return prefix, tuple(value[1:])
