"""Blobs between members: served from the store's files, fetched by CID, handed on for others.

Nothing is read that was not announced in its size, and nothing is believed but its sha2-256 and who
signed for it (whether that was the truth, gateways judge). A member that accepts connections
fetches what it is asked for and does not hold from another that announced it, so that two members
that can only dial out share through it; such a request carries `via` and goes no further.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import trio

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.index import Holder, Index
from gh_p2pcache.peer.messages import (
    FETCH,
    BlobHeader,
    Fetch,
    Found,
    Keep,
    Nothing,
    SignedValidation,
    frame,
    read_message,
)
from gh_p2pcache.peer.quota import Quota
from gh_p2pcache.peer.speech import STEP, drop, say, within
from gh_p2pcache.peer.wire import Book, BrokenError, PeerError, Stream, Wire
from gh_p2pcache.records.record import Validation
from gh_p2pcache.records.sign import check_validation
from gh_p2pcache.store.shared import Shared, read_shared

_LOG = logging.getLogger("gh_p2pcache.peer")
PROTOCOL = "/gh-p2pcache/fetch/1"

SLOWEST = 256 << 10
"""Bytes a second below which a blob is given up; who waits for one has less patience."""
PIECE = 256 << 10
_HANDED_ON = 10.0
"""Seconds to fetch for another member, at most."""
_MOST_PULLS = 32
_READERS = 4
_FORGED = 50
"""Points for a wrong blob: what travels is authenticated and what is stored is checked before it
is sent, so this is no accident."""

Read = Callable[[bytes, str], Awaitable[Shared | None]]
"""(scope, tag) -> what our own store shares of it."""


def reader(records: Path) -> Read:
    """Return what reads the store's files under `records`, in a few threads of their own."""
    limiter = trio.CapacityLimiter(_READERS)

    async def read(scope: bytes, tag: str) -> Shared | None:
        return await trio.to_thread.run_sync(read_shared, records, scope, tag, limiter=limiter)

    return read


@dataclass(frozen=True, slots=True)
class Parcel:
    """A blob that matches its digest, what was signed about it, and the peer that gave it."""

    validation: Validation
    peer: str
    blob: bytes

    def found(self, n: int) -> Found:
        """Return it as the answer to the gateway's question `n`."""
        v = self.validation
        return Found(n, v.digest, v.github_date, v.ttl, v.signer, v.signature, self.peer, self.blob)

    def keep(self, scope: bytes, tag: str) -> Keep:
        """Return it as something for our gateway to keep."""
        v = self.validation
        return Keep(
            scope, tag, v.digest, v.github_date, v.ttl, v.signer, v.signature, self.peer, self.blob
        )


class Exchange:
    """Serves and fetches blobs."""

    def __init__(
        self,
        *,
        nursery: trio.Nursery,
        wire: Wire,
        book: Book,
        index: Index,
        read: Read,
        keep: Callable[[Keep], None],
        accepting: Callable[[], bool],
        may_serve: Callable[[bytes], bool],
        max_blob: int,
        now: Callable[[], float],
    ) -> None:
        """`read` returns what our store has; `now` is GitHub's time in unix seconds."""
        self._now = now
        self._nursery = nursery
        self._wire = wire
        self._book = book
        self._index = index
        self.held = read
        self._keep = keep
        self._accepting = accepting
        self._may_serve = may_serve
        self._max_blob = max_blob
        self._serving = Quota(total=64, each=16)
        self._outward = Quota(total=4 * max_blob, each=max_blob)
        self._inward = Quota(total=4 * max_blob, each=2 * max_blob)
        self._pulls: dict[Fetch, _Pull] = {}
        wire.handle(PROTOCOL, self._serve)

    # ---- fetching

    async def fetch(
        self,
        peer: str,
        announced: SignedValidation,
        *,
        via: bool = False,
        on_size: Callable[[int], None] = lambda _: None,
    ) -> Parcel | None:
        """Return what was announced from `peer`, None if that has it no more.

        `on_size` is told the blob's size once it is known to come. Raises PeerError, after at
        most 2 STEPs and the time that SLOWEST allows; a peer that breaks the rules is scored down.
        """
        request = Fetch(announced.scope, announced.tag, announced.digest, via)
        try:
            return await self._fetch(peer, request, announced, on_size)
        except RejectedError as error:
            self._book.misbehaved(peer, 10, f"fetch: {error}")
            raise PeerError(str(error)) from error

    async def _fetch(
        self,
        peer: str,
        request: Fetch,
        announced: SignedValidation,
        on_size: Callable[[int], None],
    ) -> Parcel | None:
        with within():
            stream = await self._wire.open_stream(peer, PROTOCOL)
        try:
            with within():
                await stream.write(frame(request))
                header = await read_message(stream, FETCH)
            if header is None:
                raise BrokenError("it left before it answered")
            if not isinstance(header, BlobHeader):
                self._index.gone(request.scope, request.tag, peer, request.digest)
                return None
            if header.size > self._max_blob:
                raise RejectedError(f"a blob of {header.size} bytes")
            validation = _newest(request, header, announced)
            on_size(header.size)
            async with self._inward.take(peer, header.size):
                blob = await self._receive(peer, stream, request.digest, header.size)
        finally:
            await drop(stream)
        self._book.note_records(peer, received=1)
        return Parcel(validation, peer, blob)

    async def _receive(self, peer: str, stream: Stream, digest: bytes, size: int) -> bytes:
        """Return a blob of `size` bytes; hashed as it comes, so that the loop is never held up."""
        blob, sha256 = bytearray(), hashlib.sha256()
        with within(STEP + size / SLOWEST):
            while len(blob) < size:
                with within():
                    piece = await stream.read(min(PIECE, size - len(blob)))
                if not piece:
                    raise BrokenError("the blob is cut off")
                sha256.update(piece)
                blob += piece
        if sha256.digest() != digest:
            self._book.misbehaved(peer, _FORGED, "sent another blob than it said")
            raise PeerError("another blob than was asked for")
        return bytes(blob)

    # ---- serving

    async def fresh(self, scope: bytes, tag: str) -> SignedValidation | None:
        """Return what our store has of a tag and may serve, if it has not expired."""
        shared = await self.held(scope, tag) if self._may_serve(scope) else None
        if shared is None:
            return None
        v, size = shared.validation, len(shared.blob)
        if v.github_date + v.ttl <= self._now():
            return None
        return SignedValidation(
            scope, tag, v.digest, v.github_date, v.ttl, size, v.signer, v.signature
        )

    async def _serve(self, peer: str, stream: Stream) -> None:
        request = None
        with trio.move_on_after(STEP):
            request = await read_message(stream, FETCH)
        if not isinstance(request, Fetch):
            return
        if not self._book.is_member(peer, request.scope):
            self._book.misbehaved(peer, 10, "fetched in a scope that it is no member of")
            return
        async with self._serving.take(peer):
            shared = None
            if self._book.allow(peer, "fetch") and self._may_serve(request.scope):
                shared = await self._look_up(peer, request)
            while shared is not None and not self._outward.has_room(peer, len(shared.blob)):
                size, shared = len(shared.blob), None  # it needs no memory while it waits
                await self._outward.room(peer, size)
                shared = await self._look_up(peer, request)
            if shared is None:
                await say(stream, Nothing())
                return
            with self._outward.hold(peer, len(shared.blob)):
                await self._send(stream, shared)
        self._book.note_records(peer, sent=1)

    async def _look_up(self, peer: str, request: Fetch) -> Shared | None:
        shared = await self.held(request.scope, request.tag)
        if shared is not None and shared.validation.digest == request.digest:
            return shared
        return await self._pulled(peer, request)

    async def _send(self, stream: Stream, shared: Shared) -> None:
        v, blob = shared.validation, shared.blob
        header = BlobHeader(len(blob), v.github_date, v.ttl, v.signer, v.signature)
        with within():
            await stream.write(frame(header) + blob[:PIECE])
        with within(STEP + len(blob) / SLOWEST):
            for start in range(PIECE, len(blob), PIECE):
                with within():
                    await stream.write(blob[start : start + PIECE])

    # ---- handing on

    async def _pulled(self, asker: str, request: Fetch) -> Shared | None:
        """Return the blob from another connected member that announced it; once for all askers."""
        if request.via or not self._accepting():
            return None
        pull = self._pulls.get(request)
        if pull is None:
            sources = [
                holder
                for holder in self._index.holders(request.scope, request.tag)
                if holder.validation.digest == request.digest
                and holder.peer != asker
                and self._book.is_member(holder.peer, request.scope)
            ]
            if not sources or len(self._pulls) >= _MOST_PULLS:
                return None
            pull = self._pulls[request] = _Pull()
            self._nursery.start_soon(self._pull, request, sources, pull)
        await pull.done.wait()
        return pull.shared

    async def _pull(self, request: Fetch, sources: list[Holder], pull: _Pull) -> None:
        with trio.move_on_after(_HANDED_ON):
            for holder in sources:
                try:
                    parcel = await self.fetch(holder.peer, holder.validation, via=True)
                except PeerError as error:
                    _LOG.debug("nothing to hand on from %s: %s", holder.peer, error)
                    continue
                if parcel is not None:
                    self._keep(parcel.keep(request.scope, request.tag))
                    pull.shared = Shared(parcel.validation, parcel.blob)
                    break
        del self._pulls[request]
        pull.done.set()


class _Pull:
    def __init__(self) -> None:
        self.done = trio.Event()
        self.shared: Shared | None = None


def is_signed(announced: SignedValidation) -> bool:
    """Tell whether an announcement is signed by whom it names."""
    try:
        check_validation(announced.scope, announced.tag, validation_of(announced.digest, announced))
    except RejectedError:
        return False
    return True


def validation_of(digest: bytes, signed: BlobHeader | SignedValidation) -> Validation:
    """Return what was signed of a blob."""
    return Validation(
        digest=digest,
        github_date=signed.date,
        validated_at=0.0,
        ttl=signed.ttl,
        signer=signed.signer,
        signature=signed.signature,
    )


def _newest(request: Fetch, sent: BlobHeader, announced: SignedValidation) -> Validation:
    """Return the later of two validations: the one sent with the blob, or the one announced.

    Raises RejectedError where the first is not signed: who hands a blob on has checked it, and who
    keeps one as well. What was announced may be a third one's word, which is held against nobody.
    """
    validation = validation_of(request.digest, sent)
    check_validation(request.scope, request.tag, validation)
    if announced.date > sent.date and is_signed(announced):
        return validation_of(announced.digest, announced)
    return validation
