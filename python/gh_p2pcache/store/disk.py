"""The store on disk: one sealed file a record, shared by every process of the user."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.records.cid import digest
from gh_p2pcache.records.record import MAX_PACKED, Record, Validation, pack
from gh_p2pcache.records.seal import ScopeKeys
from gh_p2pcache.records.sign import Signer, sign_validation
from gh_p2pcache.store import head
from gh_p2pcache.store.entry import Entry, unpack_any, unpack_entry
from gh_p2pcache.store.files import Draft, disk_size, opened, read_file
from gh_p2pcache.store.housekeeping import Housekeeping
from gh_p2pcache.store.locks import Locks
from gh_p2pcache.store.quarantine import Quarantine
from gh_p2pcache.store.report import Reporter
from gh_p2pcache.store.shards import Shards
from gh_p2pcache.store.usage import Usage, UsageTable

T = TypeVar("T")
Failure = Literal["corrupt", "unreadable", "gone"]
Verdict = Literal["ok", "unknown key"] | Failure
Outcome = Literal["kept", "outdated", "too_large", "full"]

_MAX_FILE = MAX_PACKED + (1 << 20)
_TOUCH_AFTER = 600.0
"""Seconds: who is read again within ten minutes keeps its place in the queue for eviction."""
_BLOCK = 4096
"""Bytes that the last block of a file may take beyond its end."""
_QUARANTINE_PART = 32
"""One part in 32 of the bound is the quarantine's."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as found on disk, GitHub's last word on it, and the disk it takes in bytes."""

    record: Record
    validation: Validation
    size: int


class DiskStore:
    """Records under `root`, at most `max_size` bytes of disk blocks; the longest unused go first.

    Safe among threads and processes; readers take no lock. Nothing here raises for a bad file or a
    bad disk: that is a miss, or not kept, and `on_event` gets one of `quarantined`, `read_failed`,
    `write_failed`, `not_keepable`, `too_large`, `outdated`, `full`, `evicted` (once a record).
    """

    def __init__(self, root: Path, max_size: int, *, on_event: Callable[[str], None]) -> None:
        quarantine = max_size // _QUARANTINE_PART
        self._records = str(root / "records")
        self._report = Reporter(on_event)
        self._locks = Locks(root / "locks")
        self._table = UsageTable(root / "usage")
        self._shards = Shards(self._records, self._locks, self._table)
        self._quarantine = Quarantine(root / "quarantine", quarantine)
        self._housekeeping = Housekeeping(
            max_size - quarantine, self._shards, self._locks, self._table, self._report
        )

    def get(self, tag: str, keys: ScopeKeys, request_key: bytes) -> Kept | None:
        """Return the record of a request; None where there is no whole and rightful one."""

        def judge(data: bytes) -> Entry:
            record, validation = unpack_entry(tag, keys, data)
            if record.key != request_key:
                raise RejectedError("a record of another request")
            return record, validation

        found = self._look(tag, judge)
        if isinstance(found, str):
            return None
        (record, validation), status = found
        if abs(time.time() - status.st_mtime) > _TOUCH_AFTER:
            self.touch(tag)
        return Kept(record, validation, disk_size(status))

    def size(self, tag: str) -> int | None:
        """Return the bytes of a record's file, None where there is none."""
        try:
            return os.stat(self._path(tag)).st_size  # noqa: PTH116 - each miss comes here
        except OSError:
            return None

    def put(
        self,
        tag: str,
        keys: ScopeKeys,
        record: Record,
        *,
        validation_date: int,
        validated_at: float,
        ttl: float,
        signer: Signer | None = None,
    ) -> Kept | None:
        """Keep `record`; returns it as kept, or None where it is not.

        `validation_date` is GitHub's `Date` of the answer that says it is current (unix seconds): a
        record whose own is newer is not replaced. `validated_at` and `ttl` as in Validation, which
        `signer` signs for peers.
        """
        try:
            blob = keys.seal(pack(record))
        except RejectedError as error:
            self._report("not_keepable", error)
            return None
        validation = Validation(digest(blob), validation_date, validated_at, ttl)
        if signer is not None:
            validation = sign_validation(signer, keys.id, tag, validation)
        size = self.adopt(tag, keys, blob, validation)
        return None if size is None else Kept(record, validation, size)

    def adopt(self, tag: str, keys: ScopeKeys, blob: bytes, validation: Validation) -> int | None:
        """Keep a sealed blob that the caller has judged; returns its size in bytes if it is kept.

        One whose validation is newer by GitHub's date is not replaced.
        """
        try:
            data = head.pack_head(keys, tag, validation, len(blob)) + blob
        except RejectedError as error:
            self._report("not_keepable", error)
            return None
        try:
            outcome = self._publish(tag, keys, validation.github_date, data)
        except OSError as error:
            self._report("write_failed", error)
            return None
        if outcome != "kept":
            self._report.count(outcome)
            return None
        return len(blob)

    def refresh(self, tag: str, keys: ScopeKeys, validation: Validation) -> bool:
        """Write down that GitHub said 304; False where another or a newer answer is kept by now."""
        try:
            with self._locks.held(tag[:2]), opened(self._path(tag), os.O_RDWR) as (descriptor, _):
                current, size = head.unpack_head(keys, tag, os.pread(descriptor, head.SIZE, 0))
                if current.digest != validation.digest:
                    return False
                if current.github_date > validation.github_date:
                    return False
                # In place: a reader that sees half of it finds the MAC wrong and looks again under
                # the lock; a writer that is killed half-way leaves a miss.
                os.pwrite(descriptor, head.pack_head(keys, tag, validation, size), 0)
                return True
        except FileNotFoundError:
            return False
        except (RejectedError, OSError) as error:
            self._report("write_failed", error)
            return False

    def touch(self, tag: str) -> None:
        """Count a record as used now."""
        try:
            os.utime(self._path(tag))
        except FileNotFoundError:
            return
        except OSError as error:
            self._report("write_failed", error)

    def remove(self, tag: str) -> bool:
        """Remove a record; returns whether there was one that is gone now."""
        path = Path(self._path(tag))
        try:
            with self._locks.held(tag[:2]):
                size = disk_size(path.lstat())
                path.unlink()
                self._table.add(tag[:2], -1, -size)
        except FileNotFoundError:
            return False
        except OSError as error:
            self._report("write_failed", error)
            return False
        return True

    def tags(self) -> Iterator[str]:
        """Yield the tag of every record, in no order."""
        try:
            yield from self._shards.tags()
        except OSError as error:
            self._report("read_failed", error)

    def walk(self, ring: Sequence[ScopeKeys]) -> Iterator[tuple[str, Kept]]:
        """Yield tag and record of everything that one of the keys in `ring` opens."""
        for tag in self.tags():
            found = self._look(tag, partial(unpack_any, tag, ring))
            if not isinstance(found, str) and found[0]:
                record, validation = found[0]
                yield tag, Kept(record, validation, disk_size(found[1]))

    def check(self, tag: str, ring: Sequence[ScopeKeys]) -> Verdict:
        """Check a record's CID, seal and key; a corrupt one is quarantined.

        "unknown key": none in `ring` opens it, its blob is the one that its head names.
        """
        found = self._look(tag, partial(unpack_any, tag, ring))
        if isinstance(found, str):
            return found
        return "ok" if found[0] else "unknown key"

    def usage(self) -> Usage:
        """Return what is kept; counts file by file only where that was never done."""
        try:
            count = self._table.read()
            if not count.counted_at and Path(self._records).exists():
                self._shards.recount()
                count = self._table.read()
        except OSError as error:
            self._report("read_failed", error)
            return Usage(0, 0)
        return count.usage

    def clear(self) -> int:
        """Remove every record and what is in quarantine; returns how many records there were."""
        try:
            self._quarantine.clear()
            return self._shards.clear()
        except OSError as error:
            self._report("write_failed", error)
            return 0

    def _path(self, tag: str) -> str:
        return f"{self._records}/{tag[:2]}/{tag}"

    def _look(self, tag: str, judge: Callable[[bytes], T]) -> tuple[T, os.stat_result] | Failure:
        """Return what `judge` makes of a file's bytes and its status."""
        try:
            data, status = read_file(self._path(tag), _MAX_FILE)
            return judge(data), status
        except FileNotFoundError:
            return "gone"
        except RejectedError:
            return self._look_again(tag, judge)
        except OSError as error:
            self._report("read_failed", error)
            return "unreadable"

    def _look_again(
        self, tag: str, judge: Callable[[bytes], T]
    ) -> tuple[T, os.stat_result] | Failure:
        """Judge once more, with no writer half-way through a head; what fails then is set aside."""
        path = Path(self._path(tag))
        try:
            with self._locks.held(tag[:2]):
                try:
                    data, status = read_file(str(path), _MAX_FILE)
                    return judge(data), status
                except RejectedError as error:
                    status = path.lstat()
                    self._quarantine.take(path)
                    if stat.S_ISREG(status.st_mode):
                        self._table.add(tag[:2], -1, -disk_size(status))
                    self._report("quarantined", error)
                    return "corrupt"
        except FileNotFoundError:
            return "gone"
        except OSError as error:
            self._report("read_failed", error)
            return "unreadable"

    def _publish(self, tag: str, keys: ScopeKeys, github_date: int, data: bytes) -> Outcome:
        if not self._housekeeping.can_hold(len(data)):
            return "too_large"
        outcome = self._write(tag, keys, github_date, data)
        if outcome == "full":
            self._housekeeping.make_room(len(data) + _BLOCK)
            outcome = self._write(tag, keys, github_date, data)
        return outcome

    def _write(self, tag: str, keys: ScopeKeys, github_date: int, data: bytes) -> Outcome:
        """Publish a file: written beside its place, counted, then renamed.

        No fsync (0.25 ms here, 10 and more on other disks): a power cut may leave a torn file
        behind the name, but its digest tells, and what is lost is one answer that GitHub has too.
        A killed process loses nothing that it wrote.
        """
        shard = tag[:2]
        with self._locks.held(shard):
            old_files, old_size, old_date = self._standing(tag, keys)
            if old_date > github_date:
                return "outdated"
            with Draft(self._shards.directory(shard), data) as draft:
                files, more = 1 - old_files, draft.size - old_size
                count = self._table.add(shard, files, more)
                if count.usage.bytes > self._housekeeping.room:
                    self._table.add(shard, -files, -more)
                    return "full"
                draft.move(self._path(tag))
        self._housekeeping.look_at(count)
        return "kept"

    def _standing(self, tag: str, keys: ScopeKeys) -> tuple[int, int, int]:
        """Return what a new record would replace: how many files, their disk size, GitHub's date.

        0 files for what the count does not know (nothing, or a link); date -1 for a damaged one.
        """
        files = size = 0
        try:
            with opened(self._path(tag)) as (descriptor, status):
                files, size = 1, disk_size(status)
                validation, _ = head.unpack_head(keys, tag, os.read(descriptor, head.SIZE))
                return files, size, validation.github_date
        except (FileNotFoundError, RejectedError):
            return files, size, -1
