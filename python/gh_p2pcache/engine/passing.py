"""Handing on what GitHub said to who asked, whether or not it is kept."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, suppress

from gh_p2pcache.engine import answer
from gh_p2pcache.engine.answer import Answer, cache_fields
from gh_p2pcache.engine.call import Call
from gh_p2pcache.errors import OriginError
from gh_p2pcache.origin.etag import plain
from gh_p2pcache.origin.upstream import Streamed
from gh_p2pcache.policy.conditional import wants_gzip
from gh_p2pcache.policy.headers import kept_headers, merge_304
from gh_p2pcache.records.message import Response, header

_PIECE = 1 << 18
"""Most bytes that are unpacked at once of a body that passes through."""


async def read_whole(streamed: Streamed, limit: int) -> tuple[bytes, AsyncIterator[bytes] | None]:
    """Return the whole body, or its beginning and the rest when it is larger than `limit`."""
    body = bytearray()
    async for chunk in streamed.chunks:
        body += chunk
        if len(body) > limit:
            return bytes(body), streamed.chunks
    return bytes(body), None


def streaming(
    call: Call, response: Response, rest: AsyncIterator[bytes], stack: AsyncExitStack
) -> Answer:
    """Hand on a body that is larger than what is kept: its beginning, then `rest`, from `stack`."""

    async def chunks() -> AsyncGenerator[bytes, None]:
        async with stack:
            yield response.body
            async for chunk in rest:
                yield chunk

    why = "larger than is kept"
    headers = response.headers + cache_fields(answer.BYPASS, 0, detail=why)
    stream = chunks()
    if header(headers, b"content-encoding") == b"gzip" and not wants_gzip(call.request.headers):
        dropped = {b"content-encoding", b"content-length"}
        headers = tuple(field for field in headers if field[0] not in dropped)
        stream = _unpacked(stream)
    return Answer(response.status, headers, b"", answer.BYPASS, stream=stream, detail=why)


async def _unpacked(packed: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Undo gzip on the way, a bounded piece at a time. Raises OriginError where it is broken."""
    inflate = zlib.decompressobj(wbits=31)
    async with aclosing(packed):
        async for chunk in packed:
            left = chunk
            while left:
                try:
                    yield inflate.decompress(left, _PIECE)
                except zlib.error as error:
                    raise OriginError(f"GitHub sent broken gzip: {error}") from error
                left = inflate.unconsumed_tail


def own_fields(given: Answer, response: Response) -> Answer:
    """Return an answer with what GitHub just told this principal, which a shared record leaves out.

    Rate limits, scopes and the like: who asked GitHub is answered as GitHub did.
    """
    given.headers = merge_304(given.headers, kept_headers(response.headers, shared=False))
    return given


def passed_on(call: Call, response: Response, detail: str) -> Answer:
    """Hand GitHub's answer on as it is, without gzip for a client that did not ask for it."""
    headers, body = response.headers, response.body
    if header(headers, b"content-encoding") == b"gzip" and not wants_gzip(call.request.headers):
        with suppress(ValueError):  # broken gzip: as it is, for the client to judge
            body = plain(headers, body)
            headers = tuple(field for field in headers if field[0] != b"content-encoding")
    headers = tuple(field for field in headers if field[0] != b"content-length")
    if call.request.method != "HEAD" and response.status not in {204, 304}:
        headers += ((b"content-length", b"%d" % len(body)),)
    fields = cache_fields(answer.MISS, 0, detail=detail)
    return Answer(response.status, headers + fields, body, answer.MISS, detail=detail)
