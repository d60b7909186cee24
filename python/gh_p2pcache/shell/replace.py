"""Replacing a file of the user's: at once, through a link, with the mode it had."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path


def replace(path: Path, text: str) -> None:
    """Write `text` (as `profile.read` gave it) in place of what `path` holds. Raises OSError.

    A link stays one, and what it leads to keeps its mode; a crash leaves the old file or the new.
    """
    real = Path(os.path.realpath(path))
    real.parent.mkdir(parents=True, exist_ok=True)
    new = real.with_name(f"{real.name}.{secrets.token_hex(4)}")
    try:
        # A profile may hold tokens: until it has its mode, nobody else may read it.
        new.touch(0o600 if real.exists() else 0o666, exist_ok=False)
        with new.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text)
        with suppress(FileNotFoundError):
            new.chmod(stat.S_IMODE(real.stat().st_mode))
        new.replace(real)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
