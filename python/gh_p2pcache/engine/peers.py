"""What the engine asks of other machines: a port, behind which the peer process may be gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gh_p2pcache.records.record import Validation

EVERYTHING = bytes(16)
"""The mark that stands for all a scope shares: what more tombstones than are kept become."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a member handed us: a sealed blob (empty where we hold it) and what was signed of it.

    `peer` is the id of who handed it over, which need not be who signed it.
    """

    validation: Validation
    blob: bytes
    peer: str


@dataclass(frozen=True, slots=True)
class Found:
    """What asking the members gave.

    `yours`: it is for us to ask GitHub, and others may wait for it. `known` is a validation of a
    blob that nobody could hand over.
    """

    offer: Offer | None = None
    yours: bool = False
    known: Validation | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What is to be done with what members say unasked; each is called on the event loop.

    `caught_up` is given the scopes in which all is known by now that was written elsewhere before.
    """

    bury: Callable[[bytes, Sequence[bytes], int], None]
    proofs: Callable[[Sequence[tuple[bytes, bytes, int]]], None]
    keep: Callable[[bytes, str, Offer], None]
    caught_up: Callable[[Iterable[bytes]], None]


class Peers(Protocol):
    """Members of our scopes. Nothing here raises; nobody there is an empty answer at once."""

    @property
    def wanted(self) -> bool:
        """Whether this machine takes part at all."""
        ...

    @property
    def members(self) -> int:
        """How many members are connected."""
        ...

    async def find(self, scope: bytes, tag: str, *, have: bytes, after: int) -> Found:
        """Ask for a record with a GitHub date above `after`; `have` is the digest of what we hold.

        Takes CACHE_PEER_DEADLINE at most, longer only while another member reports that it is
        asking GitHub for this very key.
        """
        ...

    def announce(self, scope: bytes, tag: str, validation: Validation, size: int) -> None:
        """Tell the members that we hold a record (its sealed size in bytes)."""
        ...

    def release(self, scope: bytes, tag: str) -> None:
        """End what `yours` began, where nothing came of it that could be announced."""
        ...

    def bury(self, scope: bytes, marks: Sequence[bytes], date: int) -> None:
        """Tell of a write, at once; `date` 0: GitHub did not answer it."""
        ...

    def proofs(self, scope: bytes, items: Sequence[tuple[bytes, bytes, int]]) -> None:
        """Tell which tokens have shown access to what (pseudonyms, GitHub's date)."""
        ...

    def ban(self, signer: bytes, why: str) -> None:
        """Shut a member out, for good."""
        ...

    def know(self, scope: bytes, member_key: bytes, topic_key: bytes, name: str) -> None:
        """Take part in a scope from now on."""
        ...


class NoPeers:
    """A machine that takes no part."""

    wanted = False
    members = 0

    async def find(self, *_: object, **__: object) -> Found:
        """See Peers."""
        return Found()

    def announce(self, *_: object) -> None:
        """See Peers."""

    def release(self, *_: object) -> None:
        """See Peers."""

    def bury(self, *_: object) -> None:
        """See Peers."""

    def proofs(self, *_: object) -> None:
        """See Peers."""

    def ban(self, *_: object) -> None:
        """See Peers."""

    def know(self, *_: object) -> None:
        """See Peers."""
