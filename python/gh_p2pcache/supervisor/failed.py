"""state/failed: a start that failed, so that the entry point tries none for a minute."""

from __future__ import annotations

import os
import time

from gh_p2pcache.supervisor import log


def remember(state: str, reason: str) -> None:
    """Write when and why, `EPOCH REASON`, for the entry point."""
    path = os.path.join(state, "failed")
    try:
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            file.write(f"{int(time.time())} {reason}\n")
        os.replace(f"{path}.new", path)
    except OSError as error:
        log.say(f"not remembered that the start failed: {error}")


def reason_since(state: str, then: float) -> str:
    """Return why a start failed after `then` (epoch seconds), "" if none did."""
    try:
        with open(os.path.join(state, "failed"), encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mtime < then:
                return ""
            return file.read().partition(" ")[2].strip()
    except OSError:
        return ""


def forget(state: str) -> None:
    """Let the next call try: a gateway came up."""
    try:
        os.unlink(os.path.join(state, "failed"))
    except FileNotFoundError:
        return
