"""Who asks: tokens, known by what can be derived from them and never kept."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gh_p2pcache.records.message import Headers, header
from gh_p2pcache.records.seal import ScopeKeys, derive
from gh_p2pcache.store.secret_file import secret_of

_KINDS = ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_")
_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Principal:
    """A token, or this machine for requests without one.

    `id` is a pseudonym under the token's own key; `kind` is the token's prefix; `auth` is a digest
    of the whole Authorization value, since GitHub's ETags depend on it.
    """

    id: bytes
    kind: str
    auth: bytes
    keys: ScopeKeys


class Principals:
    """Derives a principal from a request once and remembers it in memory; `met` is told of it."""

    def __init__(self, machine_secret: bytes) -> None:
        self.met: Callable[[Principal], None] = lambda _principal: None
        self._machine_secret = machine_secret
        self._known: OrderedDict[bytes, Principal] = OrderedDict()
        self._deriving: dict[bytes, asyncio.Task[Principal]] = {}

    def known(self, headers: Headers) -> Principal | None:
        """Return the principal of a request if it was derived before."""
        return self._known.get(header(headers, b"authorization") or b"")

    def all(self) -> list[Principal]:
        """Return every principal that asked lately."""
        return list(self._known.values())

    async def of(self, headers: Headers) -> Principal:
        """Return the principal of a request; the first time takes ~20 ms in a thread."""
        value = header(headers, b"authorization") or b""
        if value in self._known:
            self._known.move_to_end(value)
            return self._known[value]
        if value not in self._deriving:
            self._deriving[value] = asyncio.create_task(self._derive(value))
        try:
            return await asyncio.shield(self._deriving[value])
        finally:
            self._deriving.pop(value, None)

    def forget(self, principal: Principal) -> None:
        """Drop a token's keys from memory, whatever scheme it came with."""
        for value in [v for v, known in self._known.items() if known.id == principal.id]:
            del self._known[value]

    async def _derive(self, value: bytes) -> Principal:
        token = _token(value)
        if token:
            keys = await asyncio.to_thread(derive, token, "token")
        else:
            keys = await asyncio.to_thread(derive, self._machine_secret, "machine")
        principal = Principal(
            id=keys.pseudonym(b"principal"),
            kind=_kind(token),
            auth=hashlib.sha256(value).digest(),
            keys=keys,
        )
        self._known[value] = principal
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        self.met(principal)
        return principal


def _token(value: bytes) -> bytes:
    """Return the token of `token X` and `Bearer X`, else the whole value (`Basic …`)."""
    scheme, _, token = value.partition(b" ")
    return token.strip() if scheme.lower() in {b"token", b"bearer"} else value


def _kind(token: bytes) -> str:
    text = token.decode("latin-1")
    return next((kind for kind in _KINDS if text.startswith(kind)), "other" if text else "none")


def machine_secret(state_dir: Path) -> bytes:
    """Return the random secret of this state directory, made at first use; raises StoreError."""
    return secret_of(state_dir / "machine.key", 32)
