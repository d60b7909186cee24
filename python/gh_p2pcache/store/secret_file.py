"""A random secret in a file of its own (mode 0600), made by whoever needs it first."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from secrets import token_bytes

from gh_p2pcache.errors import StoreError


def secret_of(path: Path, size: int) -> bytes:
    """Return the `size` random bytes of `path`; raises StoreError when it cannot be used.

    Whoever links the file first wins, so that two processes that start at once agree.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            with tempfile.NamedTemporaryFile(dir=path.parent) as fresh:
                fresh.write(token_bytes(size))
                fresh.flush()
                with contextlib.suppress(FileExistsError):
                    os.link(fresh.name, path)
        secret = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be used: {error.strerror}") from error
    if len(secret) != size:
        raise StoreError(f"{path} is damaged: remove it, and a new one is made")
    return secret
