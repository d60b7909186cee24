"""Small words for streams: within a time, say a message, drop a stream whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import trio

from gh_p2pcache.peer.messages import Message, frame
from gh_p2pcache.peer.wire import PeerError, Stream

STEP = 2.0
"""Seconds for one message, or one piece of a blob, to be read or written."""


@contextmanager
def within(seconds: float = STEP) -> Iterator[None]:
    """Give the block so many seconds; raises PeerError at their end."""
    try:
        with trio.fail_after(seconds):
            yield
    except trio.TooSlowError as error:
        raise PeerError("the peer is too slow") from error


async def say(stream: Stream, message: Message) -> None:
    """Write one message within a STEP; raises PeerError."""
    with within():
        await stream.write(frame(message))


async def drop(stream: Stream) -> None:
    """Reset a stream, also while we are being cancelled."""
    with trio.CancelScope(shield=True):
        await stream.reset()
