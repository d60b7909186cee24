"""An append-only log of small rows that processes share: tombstones and access proofs.

A file is a header (magic and a random id, new at each compaction) and frames: length and CRC-32 of
a msgpack array, then the array. What follows the first frame that is not whole is a torn tail.
"""

from __future__ import annotations

import os
import secrets
import struct
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.store.files import Draft, open_private, opened, write_all
from gh_p2pcache.store.locks import Locks
from gh_p2pcache.store.report import Reporter

Row = tuple[Any, ...]
"""What a row is: str, bytes, int, float, bool, None and tuples of these."""

Position = tuple[bytes, int]
"""Which file (its header) and how far into it, in bytes."""

_START: Position = (b"", 0)
_MAGIC = b"ghpjnl\x00\x01"
_HEADER_SIZE = len(_MAGIC) + 8
_FRAME = struct.Struct(">II")


class Journal:
    """Rows in `path`, at most `max_bytes` of file; safe among threads and processes.

    Never raises OSError: `on_event` gets `journal_failed`, `journal_full` or `journal_torn`. No
    fsync: a killed process loses nothing, a power cut the rows of the last seconds.
    """

    def __init__(self, path: Path, max_bytes: int, *, on_event: Callable[[str], None]) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._report = Reporter(on_event)
        self._locks = Locks(path.parent)
        self._whole = _START
        self._read_to = _START
        self._seen: tuple[int, ...] = ()
        self._polling = threading.Lock()

    def append(self, row: Row) -> bool:
        """Add a row; False where it is not written (`rewrite` makes room when it is full)."""
        frame = _frame(row)
        try:
            with self._locks.held(self._path.name):
                return self._append(frame)
        except OSError as error:
            self._report("journal_failed", error)
            return False

    def load(self) -> list[Row]:
        """Return all rows, oldest first; `poll` goes on from there."""
        with self._polling:
            self._seen, self._read_to = (), _START
        return self.poll()

    def poll(self) -> list[Row]:
        """Return the rows that this object has not returned yet, whichever process wrote them.

        After a compaction these are all rows again. Costs one stat where nothing happened.
        """
        with self._polling:
            try:
                status = self._path.stat()
                seen = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
                if seen == self._seen:
                    return []
                with opened(str(self._path)) as (descriptor, _):
                    rows, self._read_to = _read(descriptor, self._read_to, self._max_bytes)
            except FileNotFoundError:
                return []
            except (OSError, RejectedError) as error:
                self._report("journal_failed", error)
                return []
            self._seen = seen
            return rows

    def rewrite(self, keep: Callable[[list[Row]], Iterable[Row]]) -> bool:
        """Replace all rows by what `keep` makes of them; other processes wait meanwhile."""
        try:
            with self._locks.held(self._path.name):
                return self._replace(keep(self._all_rows()))
        except OSError as error:
            self._report("journal_failed", error)
            return False

    def _append(self, frame: bytes) -> bool:
        descriptor = open_private(self._path, os.O_RDWR)
        try:
            _, (header, end) = _read(descriptor, self._whole, self._max_bytes)
            data = frame if header else _new_header() + frame
            if end + len(data) > self._max_bytes:
                self._report("journal_full", self._path)
                return False
            if os.fstat(descriptor).st_size > end:
                self._report("journal_torn", self._path)
            _write_at(descriptor, end, data)
            self._whole = (header or data[:_HEADER_SIZE], end + len(data))
            return True
        finally:
            os.close(descriptor)

    def _all_rows(self) -> list[Row]:
        try:
            with opened(str(self._path)) as (descriptor, _):
                return _read(descriptor, _START, self._max_bytes)[0]
        except FileNotFoundError:
            return []
        except RejectedError as error:
            self._report("journal_torn", error)
            return []

    def _replace(self, rows: Iterable[Row]) -> bool:
        data = _new_header() + b"".join(map(_frame, rows))
        if len(data) > self._max_bytes:
            self._report("journal_full", self._path)
            return False
        with Draft(str(self._path.parent), data) as draft:
            draft.move(str(self._path))
        return True


def _new_header() -> bytes:
    return _MAGIC + secrets.token_bytes(_HEADER_SIZE - len(_MAGIC))


def _frame(row: Row) -> bytes:
    payload: bytes = msgpack.packb(row)
    return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def _write_at(descriptor: int, offset: int, data: bytes) -> None:
    """Write `data` as the end of a file, or leave the file ending at `offset`."""
    os.ftruncate(descriptor, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)
    try:
        write_all(descriptor, data)
    except OSError:
        os.ftruncate(descriptor, offset)
        raise


def _read(descriptor: int, since: Position, limit: int) -> tuple[list[Row], Position]:
    """Return the whole rows behind `since` and where they end; from the start in another file."""
    header = os.pread(descriptor, _HEADER_SIZE, 0)
    if len(header) < _HEADER_SIZE or not header.startswith(_MAGIC):
        return [], _START
    offset = since[1] if since[0] == header else _HEADER_SIZE
    data = os.pread(descriptor, limit, offset)
    rows = list(_rows(data))
    length = sum(size for _, size in rows)
    return [row for row, _ in rows], (header, offset + length)


def _rows(data: bytes) -> Iterator[tuple[Row, int]]:
    """Yield each row and its length in bytes, up to the first that is not whole."""
    position = 0
    while position + _FRAME.size <= len(data):
        length, checksum = _FRAME.unpack_from(data, position)
        start = position + _FRAME.size
        payload = data[start : start + length]
        if len(payload) != length or zlib.crc32(payload) != checksum:
            return
        row = _parse(payload)
        if row is None:
            return
        yield row, _FRAME.size + length
        position = start + length


def _parse(payload: bytes) -> Row | None:
    try:
        row = msgpack.unpackb(payload, use_list=False)
    except (ValueError, msgpack.UnpackException):
        return None
    return row if isinstance(row, tuple) else None
