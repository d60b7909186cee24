"""What the system tells of a process: its name, its parent, how it was called."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

_ARGUMENTS = 4096
"""Bytes of a command line that are looked at."""

_STAT = 1024

_BSD_INFO, _BSD_SIZE = 3, 136
"""PROC_PIDTBSDINFO and the size of its struct proc_bsdinfo (sys/proc_info.h)."""


@dataclass(frozen=True, slots=True)
class Process:
    """`name` is the program's; `line` gives its command line, empty where there is none to read."""

    name: str
    parent: int
    line: Callable[[], tuple[str, ...]] = tuple


def look(pid: int) -> Process | None:
    """Return a process of this user, None where there is none (any more)."""
    try:
        return _by_libproc(pid) if sys.platform == "darwin" else _by_proc(pid)
    except (OSError, ValueError):
        return None


def _by_proc(pid: int) -> Process:
    stat = _start_of(f"/proc/{pid}/stat", _STAT)
    # The name is in brackets, and may have brackets and blanks of its own (man 5 proc_pid_stat).
    opening, closing = stat.index(b"("), stat.rindex(b")")
    name = stat[opening + 1 : closing].decode("utf-8", "replace")
    parent = int(stat[closing + 2 :].split(b" ", 2)[1])
    return Process(name, parent, partial(_command_line, pid))


def _command_line(pid: int) -> tuple[str, ...]:
    try:
        line = _start_of(f"/proc/{pid}/cmdline", _ARGUMENTS)
    except OSError:
        return ()
    return tuple(line.decode("utf-8", "replace").split("\0"))


def _start_of(path: str, size: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, size)
    finally:
        os.close(descriptor)


def _by_libproc(pid: int) -> Process:
    room = ctypes.create_string_buffer(_BSD_SIZE)
    taken = ctypes.CDLL(None).proc_pidinfo(pid, _BSD_INFO, ctypes.c_uint64(0), room, _BSD_SIZE)
    if taken != _BSD_SIZE:
        raise ProcessLookupError(pid)
    return of_bsd_info(room.raw)


def of_bsd_info(info: bytes) -> Process:
    """Return what a struct proc_bsdinfo tells: pbi_ppid, pbi_name (else pbi_comm)."""
    (parent,) = struct.unpack_from("I", info, 16)
    comm, name = (field.split(b"\0", 1)[0] for field in struct.unpack_from("16s32s", info, 48))
    return Process((name or comm).decode("utf-8", "replace"), int(parent))
