"""Life signs to the supervisor, and the end of the process: told to, abandoned, or not needed."""

from __future__ import annotations

import os
import signal

import trio

_BEAT_SECONDS = 0.5


async def beat(heartbeat: int, stop: trio.CancelScope) -> None:
    """Write `+`, then `.` each half second; when nobody reads any more, stop."""
    os.set_blocking(heartbeat, False)
    sign = b"+"
    while True:
        try:
            os.write(heartbeat, sign)
        except BlockingIOError:
            pass  # the supervisor is late; the pipe holds enough signs of life
        except OSError:
            stop.cancel()
            return
        sign = b"."
        await trio.sleep(_BEAT_SECONDS)


async def obey(stop: trio.CancelScope) -> None:
    """Stop on SIGTERM and SIGINT."""
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            stop.cancel()
