"""Whose process is at the other end of a Unix socket."""

from __future__ import annotations

import socket
import struct
import sys


def peer_uid(connection: socket.socket) -> int:
    """Return the user id at the other end of a Unix socket (SO_PEERCRED, LOCAL_PEERCRED)."""
    if sys.platform == "darwin":
        data = connection.getsockopt(0, 1, 76)
        return int(struct.unpack_from("I", data, 4)[0])
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int(struct.unpack("3i", data)[1])


def peer_pid(connection: socket.socket) -> int:
    """Return the process at the other end (SO_PEERCRED, LOCAL_PEERPID), 0 where it can't be told.

    It is the one that connected, and may have ended since.
    """
    if sys.platform == "darwin":
        return connection.getsockopt(0, 2)
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int(struct.unpack("3i", data)[0])
