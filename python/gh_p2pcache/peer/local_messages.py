"""What gateway and peer process say to each other over the private socket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from gh_p2pcache.peer import fields as f
from gh_p2pcache.peer.message import Message, build, kinds
from gh_p2pcache.peer.rows import Marks, ProofRows, SignedValidation, Tombstones

MOST_SCOPES = 64


@dataclass(frozen=True, slots=True)
class Bury(Message):
    """What carries one of `marks` and is not newer than `date` is dead; 0: see UNDECIDED_LIFE."""

    kind: ClassVar[str] = "bury"
    scope: f.Scope
    marks: Marks
    date: f.DateOrNone


@dataclass(frozen=True, slots=True)
class Buried(Message):
    """Writes of members: many a message, for a member can name thousands, each of its own date."""

    kind: ClassVar[str] = "buried"
    scope: f.Scope
    tombstones: Tombstones


@dataclass(frozen=True, slots=True)
class Proofs(Message):
    """Tokens that have shown what they may read."""

    kind: ClassVar[str] = "proofs"
    scope: f.Scope
    items: ProofRows


@dataclass(frozen=True, slots=True)
class ScopeGrant:
    """What the peer process gets of a scope: enough to find members, not to open a record."""

    id: f.Scope
    member: f.Secret
    topic: f.Secret
    team: f.Text


def _grant(value: object) -> ScopeGrant:
    return build(ScopeGrant, value)


@dataclass(frozen=True, slots=True)
class Hello(Message):
    """The first message: who to be, for whom."""

    kind: ClassVar[str] = "hello"
    scopes: Annotated[tuple[ScopeGrant, ...], f.many(_grant, MOST_SCOPES)]
    port: f.Port
    bootstrap: Annotated[tuple[str, ...], f.many(f.matching("/[!-~]+", 256), 64)]
    mdns: f.Flag
    keeper: f.Flag
    max_blob: f.Size
    banned: Annotated[tuple[bytes, ...], f.many(f.sized(32))] = ()


@dataclass(frozen=True, slots=True)
class Find(Message):
    """Give me what members hold of this that GitHub dates later than `after`."""

    kind: ClassVar[str] = "find"
    n: f.Number
    scope: f.Scope
    tag: f.Tag
    have: Annotated[bytes, f.sized(0, 32)]
    after: f.DateOrNone
    deadline: f.Deadline


@dataclass(frozen=True, slots=True)
class Release(Message):
    """The fill for which the answer was "yours" is over without a record to share."""

    kind: ClassVar[str] = "release"
    scope: f.Scope
    tag: f.Tag


@dataclass(frozen=True, slots=True)
class Ban(Message):
    """Drop what `signer` published, and the peer of that identity."""

    kind: ClassVar[str] = "ban"
    signer: f.Key
    why: f.Text


@dataclass(frozen=True, slots=True)
class Lift(Message):
    """Take `signer` back: its ban was wrong, or is over by its user's word."""

    kind: ClassVar[str] = "lift"
    signer: f.Key


@dataclass(frozen=True, slots=True)
class Dial(Message):
    """Try this address now."""

    kind: ClassVar[str] = "dial"
    n: f.Number
    addr: f.Address


@dataclass(frozen=True, slots=True)
class StatusRequest(Message):
    """Tell me who is there."""

    kind: ClassVar[str] = "status"
    n: f.Number


@dataclass(frozen=True, slots=True)
class Members(Message):
    """How many members are connected, how many of them others can dial, and where we listen.

    `caught_up` are the scopes in which a member has told us what was written before.
    """

    kind: ClassVar[str] = "members"
    count: f.Count
    accepting: f.Count
    port: f.Port = 0
    caught_up: Annotated[tuple[bytes, ...], f.many(f.sized(f.ID_SIZE), MOST_SCOPES)] = ()


@dataclass(frozen=True, slots=True)
class Waiting(Message):
    """Another member is fetching what `n` asked for."""

    kind: ClassVar[str] = "waiting"
    n: f.Number


@dataclass(frozen=True, slots=True)
class Found(Message):
    """The answer to `n`, from `peer`; `blob` is empty where `digest` is what the gateway has."""

    kind: ClassVar[str] = "found"
    n: f.Number
    digest: f.Digest
    date: f.Date
    ttl: f.Ttl
    signer: f.Key
    signature: f.Signature
    peer: f.PeerId
    blob: f.Blob


def _known(value: object) -> SignedValidation | None:
    return None if value is None else build(SignedValidation, value)


@dataclass(frozen=True, slots=True)
class Nobody(Message):
    """Nobody handed over what `n` asked for; `yours`: others wait until you announce or release it.

    `known` is the newest of what members announced and may be had elsewhere.
    """

    kind: ClassVar[str] = "none"
    n: f.Number
    yours: f.Flag
    known: Annotated[SignedValidation | None, _known] = None


@dataclass(frozen=True, slots=True)
class Keep(Message):
    """A record that this machine keeps for others."""

    kind: ClassVar[str] = "keep"
    scope: f.Scope
    tag: f.Tag
    digest: f.Digest
    date: f.Date
    ttl: f.Ttl
    signer: f.Key
    signature: f.Signature
    peer: f.PeerId
    blob: f.Blob


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """One peer, as `gh p2pcache peers` shows it; `since` is unix seconds, `rtt` seconds."""

    id: f.PeerId
    addrs: f.Addresses
    since: f.Seconds
    scopes: Annotated[tuple[str, ...], f.many(f.words, MOST_SCOPES)]
    rtt: f.Seconds
    records_in: f.Count
    records_out: f.Count
    bytes_in: f.Count
    bytes_out: f.Count
    score: f.Score
    banned: f.Flag
    why: f.Text
    accepting: f.Flag


def _peer_status(value: object) -> PeerStatus:
    return build(PeerStatus, value)


@dataclass(frozen=True, slots=True)
class StatusReport(Message):
    """The answer to a StatusRequest; `problems` are lines a user can act on."""

    kind: ClassVar[str] = "status"
    n: f.Number
    peers: Annotated[tuple[PeerStatus, ...], f.many(_peer_status)]
    addrs: f.Addresses
    port: f.Port
    id: f.PeerId
    mdns: f.Flag
    problems: Annotated[tuple[str, ...], f.many(f.words, 64)] = ()
    nat: f.Text = ""


@dataclass(frozen=True, slots=True)
class Dialed(Message):
    """How the dial `n` went."""

    kind: ClassVar[str] = "dialed"
    n: f.Number
    ok: f.Flag
    why: f.Text


TO_PEER = kinds(
    Hello, Find, Release, SignedValidation, Bury, Proofs, Ban, Lift, Dial, StatusRequest
)
TO_GATEWAY = kinds(
    Members, Waiting, Found, Nobody, Keep, Bury, Buried, Proofs, StatusReport, Dialed
)
