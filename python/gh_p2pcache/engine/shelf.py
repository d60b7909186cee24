"""Records where the flow can reach them: memory in front of disk, opened and ready to answer."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from functools import lru_cache, partial
from math import inf

from gh_p2pcache.engine.writer import SMALL, Writer
from gh_p2pcache.records.message import Headers, header
from gh_p2pcache.records.record import Record, Validation
from gh_p2pcache.records.seal import ScopeKeys
from gh_p2pcache.records.sign import Signer, sign_validation
from gh_p2pcache.store.disk import DiskStore
from gh_p2pcache.store.memory import MemoryLRU

MEMORY_BYTES = 24 << 20
_OVERHEAD = 1500
_TAG_OVERHEAD = 200
_UNWRITABLE_REMEMBERED = 10_000


@dataclass(slots=True, eq=False)
class Entry:
    """An opened record with what the flow keeps asking about it.

    `marks` are its tags' pseudonyms; `alive_at` is the generation of the tombstones at which none
    of them covered it; `own` and `etags` tell, by a token's `auth`, whether it fetched the record,
    and else which ETag it would be told. `digest` is the sealed blob's, empty until it is written;
    `head` is for whoever writes answers to keep `base` in, ready to send. `bound` is the longest it
    may be fresh whatever its validation says, `judged` whether that is known of another machine's
    record, `peer` the id of the member that handed it over.
    """

    record: Record
    validation: Validation
    keys: ScopeKeys
    marks: tuple[bytes, ...]
    base: Headers
    gzip: bool
    digest: bytes = b""
    alive_at: int = -1
    own: dict[bytes, bool] = field(default_factory=dict)
    etags: dict[bytes, bytes | None] = field(default_factory=dict)
    head: bytes = b""
    bound: float = inf
    judged: bool = False
    peer: str = ""
    _body_digest: bytes = b""

    @property
    def body_digest(self) -> bytes:
        """The SHA-256 of the body: what an `itself` proof is about."""
        if not self._body_digest:
            self._body_digest = hashlib.sha256(self.record.body).digest()
        return self._body_digest

    @property
    def tag(self) -> str:
        """The record's lookup tag."""
        return _tag(self.keys, self.record.key)


@lru_cache(1024)  # a miss asks thrice
def _tag(keys: ScopeKeys, key: bytes) -> str:
    return keys.tag(key)


def base_headers(record: Record, validation: Validation) -> Headers:
    """Return the header fields every answer from this record starts with (no ETag, no Date)."""
    kept = [f for f in record.headers if f[0] not in (b"etag", b"date", b"content-length")]
    return (*kept, (b"date", _date_of(validation.github_date)))


@lru_cache(64)
def _date_of(seconds: int) -> bytes:
    return formatdate(seconds, usegmt=True).encode()


class Shelf:
    """Looks records up by (scope, request key) and keeps them, newest GitHub date first."""

    def __init__(
        self, disk: DiskStore, marks: Callable[[Record, ScopeKeys], tuple[bytes, ...]]
    ) -> None:
        self.disk = disk
        self.signer: Signer | None = None
        self.kept: Callable[[Entry], object] | None = None
        self.unkept: Callable[[Entry], object] | None = None
        self._marks = marks
        self._memory: MemoryLRU[tuple[bytes, bytes], Entry] = MemoryLRU(MEMORY_BYTES)
        self._writer = Writer()
        self._unwritable: OrderedDict[tuple[bytes, bytes], int] = OrderedDict()

    def hot(self, keys: ScopeKeys, key: bytes) -> Entry | None:
        """Return the entry if it is in memory."""
        return self._memory.get((keys.id, key))

    async def find(self, keys: ScopeKeys, key: bytes) -> Entry | None:
        """Return the entry from memory or disk."""
        place = (keys.id, key)
        entry = self._memory.get(place)
        if entry is not None:
            return entry
        tag = _tag(keys, key)
        size = self.disk.size(tag)
        if size is None:
            kept = None
        elif size > SMALL:
            kept = await asyncio.to_thread(self.disk.get, tag, keys, key)
        else:
            kept = self.disk.get(tag, keys, key)
        # Another call may have put a newer one into memory while this one read the disk.
        newer = self._memory.get(place)
        if newer is not None or kept is None:
            return newer
        if kept.validation.github_date < self._unwritable.get(place, 0):
            return None
        return self._shelve(kept.record, kept.validation, keys)

    async def keep(self, record: Record, keys: ScopeKeys, validated_at: float, ttl: float) -> Entry:
        """Keep a record; what it replaces on disk is gone before this returns.

        A crash right after an answer must not bring the older record back (promise 2); a record
        that replaces nothing may as well be written behind the answer.
        """
        replaces = self._memory.get((keys.id, record.key)) is not None
        entry = self._shelve(record, Validation(b"", record.github_date, validated_at, ttl), keys)
        await self._writer.do(lambda: self._write(entry), size=len(record.body), wait=replaces)
        return entry

    def _write(self, entry: Entry) -> None:
        record, validation = entry.record, entry.validation
        written = self.disk.put(
            entry.tag,
            entry.keys,
            record,
            validation_date=validation.github_date,
            validated_at=validation.validated_at,
            ttl=validation.ttl,
            signer=self.signer if record.signature else None,
        )
        place = (entry.keys.id, record.key)
        if written is None:
            self.disk.remove(entry.tag)
            self._unwritable[place] = record.github_date
            while len(self._unwritable) > _UNWRITABLE_REMEMBERED:
                self._unwritable.popitem(last=False)
            if self.unkept is not None and record.signature:
                self.unkept(entry)
            return
        self._unwritable.pop(place, None)
        entry.validation = written.validation
        entry.digest = written.validation.digest
        self._tell(entry)

    def _rewrite_head(self, entry: Entry) -> None:
        validation = replace(entry.validation, digest=entry.digest)
        if self.signer is not None and entry.record.signature and not validation.signature:
            validation = sign_validation(self.signer, entry.keys.id, entry.tag, validation)
        self.disk.refresh(entry.tag, entry.keys, validation)
        entry.validation = validation
        self._tell(entry)

    def _tell(self, entry: Entry) -> None:
        if self.kept is not None and entry.record.signature:
            self.kept(entry)

    async def adopt(
        self, record: Record, validation: Validation, keys: ScopeKeys, blob: bytes
    ) -> Entry:
        """Keep what another machine fetched and signed, as it was sealed there; see `keep`."""
        replaces = self._memory.get((keys.id, record.key)) is not None
        entry = self._shelve(record, validation, keys)
        work = partial(self.disk.adopt, entry.tag, keys, blob, validation)
        await self._writer.do(work, size=len(blob), wait=replaces)
        return entry

    def adopt_for_others(
        self, record: Record, validation: Validation, keys: ScopeKeys, blob: bytes
    ) -> None:
        """Keep it on disk only: who asks for it here is to judge it first."""
        entry = self._memory.get((keys.id, record.key))
        if entry is not None and entry.validation.github_date < validation.github_date:
            self._memory.pop((keys.id, record.key))
        self._writer.later(partial(self.disk.adopt, keys.tag(record.key), keys, blob, validation))

    async def revalidated(self, entry: Entry, validation: Validation, headers: Headers) -> None:
        """Replace an entry's validation, the record staying as it is but for `headers`.

        On disk those stay: what moves with each answer (rate limits, request id) is not worth it.
        An entry that another has replaced meanwhile, of an older date, takes its place again.
        """
        if validation.github_date < entry.validation.github_date:
            return
        entry.record = replace(entry.record, headers=headers)
        entry.validation = validation
        entry.base = base_headers(entry.record, validation)
        entry.head = b""
        entry.alive_at = -1
        place = (entry.keys.id, entry.record.key)
        current = self._memory.get(place)
        if current in (None, entry):
            await self._writer.do(lambda: self._rewrite_head(entry), size=0, wait=False)
        elif current.validation.github_date <= validation.github_date:
            self._remember(entry)
            await self._writer.do(
                lambda: self._write(entry), size=len(entry.record.body), wait=True
            )

    async def drop(self, keys: ScopeKeys, key: bytes) -> None:
        """Forget a record, on disk before this returns."""
        self._memory.pop((keys.id, key))
        await self._writer.do(lambda: self.disk.remove(keys.tag(key)), size=0, wait=True)

    def forget_all(self) -> None:
        """Empty the memory: what is on disk is judged anew."""
        self._memory.clear()

    def close(self) -> None:
        """Wait for what is still to be written."""
        self._writer.close()

    def _shelve(self, record: Record, validation: Validation, keys: ScopeKeys) -> Entry:
        entry = Entry(
            record=record,
            validation=validation,
            keys=keys,
            marks=self._marks(record, keys),
            base=base_headers(record, validation),
            gzip=header(record.headers, b"content-encoding") == b"gzip",
            digest=validation.digest,
        )
        self._remember(entry)
        return entry

    def _remember(self, entry: Entry) -> None:
        record = entry.record
        size = len(record.body) + _OVERHEAD + _TAG_OVERHEAD * len(record.tags)
        self._memory.put((entry.keys.id, record.key), entry, size)
