"""What members say to each other, protocol by protocol, over libp2p."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from gh_p2pcache.peer import fields as f
from gh_p2pcache.peer.local_messages import MOST_SCOPES
from gh_p2pcache.peer.message import Message, build, kinds, row_judge
from gh_p2pcache.peer.rows import (
    Claim,
    Claims,
    ProofRows,
    Tombstones,
    UndecidedOnes,
    ValidationRows,
)

BUCKETS = 64
"""Into how many parts anti-entropy divides what a member knows of one kind."""
PRINT_SIZE = 8
MOST_PRINTS = 4096
"""Fingerprints in one list: 32 kB."""

Prints = Annotated[bytes, f.multiple(PRINT_SIZE, MOST_PRINTS)]


# ---- /gh-p2pcache/member/1


@dataclass(frozen=True, slots=True)
class Challenge(Message):
    """What the other side's proofs must be made over."""

    kind: ClassVar[str] = "nonce"
    nonce: f.Nonce


@dataclass(frozen=True, slots=True)
class Membership(Message):
    """An HMAC for each scope, which only who has the scope's membership key can tell apart."""

    kind: ClassVar[str] = "member"
    proofs: Annotated[tuple[bytes, ...], f.many(f.sized(32), MOST_SCOPES)]


@dataclass(frozen=True, slots=True)
class Whereabouts(Message):
    """What members tell each other of themselves; `addrs` only where it accepts connections."""

    kind: ClassVar[str] = "here"
    accepting: f.Flag
    keeper: f.Flag
    port: f.Port
    addrs: f.Addresses = ()


@dataclass(frozen=True, slots=True)
class Reachable(Message):
    """The sender has reached you at this address: others may."""

    kind: ClassVar[str] = "reached"
    addr: Annotated[str, f.matching("/[!-~]+", 256)]


@dataclass(frozen=True, slots=True)
class PeerAddresses:
    """Where an accepting member can be dialled."""

    id: f.PeerId
    addrs: f.Addresses


def _peer_addresses(value: object) -> PeerAddresses:
    return build(PeerAddresses, value)


@dataclass(frozen=True, slots=True)
class PeerExchange(Message):
    """Accepting members that the sender knows."""

    kind: ClassVar[str] = "peers"
    peers: Annotated[tuple[PeerAddresses, ...], f.many(_peer_addresses, 128)]


# ---- /gh-p2pcache/fetch/1


@dataclass(frozen=True, slots=True)
class Fetch(Message):
    """Give me this blob; `via`: you are asked for another member, so ask nobody else for it."""

    kind: ClassVar[str] = "fetch"
    scope: f.Scope
    tag: f.Tag
    digest: f.Digest
    via: f.Flag = False


@dataclass(frozen=True, slots=True)
class BlobHeader(Message):
    """`size` bytes follow raw; the validation is the newest that the sender has of them."""

    kind: ClassVar[str] = "blob"
    size: f.Size
    date: f.Date
    ttl: f.Ttl
    signer: f.Key
    signature: f.Signature


@dataclass(frozen=True, slots=True)
class Nothing(Message):
    """There is no such record here; in an ask: and nobody to wait for."""

    kind: ClassVar[str] = "none"


# ---- /gh-p2pcache/ask/1


@dataclass(frozen=True, slots=True)
class Ask(Message):
    """Tell me, as the tag's owner, who holds this newer than `after`, or fetches it."""

    kind: ClassVar[str] = "ask"
    scope: f.Scope
    tag: f.Tag
    after: f.DateOrNone


@dataclass(frozen=True, slots=True)
class Held(Message):
    """These peers hold it; from who has the lease: it has announced it itself."""

    kind: ClassVar[str] = "held"
    claims: Annotated[tuple[Claim, ...], f.many(row_judge(Claim), 16, least=1)]


@dataclass(frozen=True, slots=True)
class Fetching(Message):
    """It is being fetched, by another member or, from who has the lease, by the sender."""

    kind: ClassVar[str] = "fetching"


@dataclass(frozen=True, slots=True)
class Yours(Message):
    """Fetch it: others wait for you as long as this stream is open."""

    kind: ClassVar[str] = "yours"


# ---- /gh-p2pcache/sync/1 and gossip


@dataclass(frozen=True, slots=True)
class Compare(Message):
    """What the sender knows of a scope, as BUCKETS fingerprints for each kind of knowledge.

    Kinds, here and below, in this order: tombstones, proofs, claims. Undecided ones are few and
    short-lived, so they are told outright.
    """

    kind: ClassVar[str] = "compare"
    scope: f.Scope
    digests: Annotated[tuple[bytes, ...], f.many(f.sized(BUCKETS * PRINT_SIZE), 3, 3)]
    undecided: UndecidedOnes = ()


@dataclass(frozen=True, slots=True)
class Differ(Message):
    """`prints` are the fingerprints of all that the sender holds in `buckets` (a bit each).

    `more` says of each kind whether other buckets differ too, but did not fit.
    """

    kind: ClassVar[str] = "differ"
    buckets: Annotated[tuple[bytes, ...], f.many(f.sized(BUCKETS // 8), 3, 3)]
    prints: Annotated[tuple[bytes, ...], f.many(f.multiple(PRINT_SIZE, MOST_PRINTS), 3, 3)]
    undecided: UndecidedOnes = ()
    more: Annotated[tuple[bool, ...], f.many(f.flag, 3, 3)] = (False, False, False)


@dataclass(frozen=True, slots=True)
class Give(Message):
    """Here is what you lack; give me what has these fingerprints."""

    kind: ClassVar[str] = "give"
    scope: f.Scope
    want: Prints = b""
    tombstones: Tombstones = ()
    proofs: ProofRows = ()
    claims: Claims = ()


@dataclass(frozen=True, slots=True)
class Given(Message):
    """The answer to a Give, as far as it is still known."""

    kind: ClassVar[str] = "given"
    tombstones: Tombstones = ()
    proofs: ProofRows = ()
    claims: Claims = ()


@dataclass(frozen=True, slots=True)
class Batch(Message):
    """What its author announces, has buried and has proved, sealed in the scope's topic."""

    kind: ClassVar[str] = "batch"
    announcements: ValidationRows = ()
    tombstones: Tombstones = ()
    undecided: Annotated[tuple[bytes, ...], f.many(f.sized(16))] = ()
    proofs: ProofRows = ()


MEMBER = kinds(Challenge, Membership)
CONTROL = kinds(Whereabouts, Reachable, PeerExchange)
"""What follows on the stream of MEMBER for as long as the connection lives."""

FETCH = kinds(Fetch, BlobHeader, Nothing)
ASK = kinds(Ask, Held, Fetching, Yours, Nothing)
SYNC = kinds(Compare, Differ, Give, Given)
GOSSIP = kinds(Batch)
