"""What long lists in messages hold: arrays, since their names would be most of the bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

from gh_p2pcache.peer import fields as f
from gh_p2pcache.peer.message import Message, row_judge


class Tombstone(NamedTuple):
    """A buried tag: records that carry it and are not newer than `date` are dead."""

    mark: f.Name16
    date: f.Date


class Undecided(NamedTuple):
    """A tag that a write without an answer may have changed; nobody keeps it for `left` seconds."""

    mark: f.Name16
    left: Annotated[int, f.whole(0, f.UNDECIDED_LIFE)]


class Proof(NamedTuple):
    """The token `who` has shown at GitHub's `date` that it may read `what`."""

    who: f.Name16
    what: f.Name16
    date: f.Date


class ValidationRow(NamedTuple):
    """A signed validation whose scope the context tells."""

    tag: f.RawTag
    digest: f.Digest
    date: f.Date
    ttl: f.Ttl
    size: f.Size
    signer: f.Key
    signature: f.Signature

    def within(self, scope: bytes) -> SignedValidation:
        """Return it as it is announced in `scope`."""
        return SignedValidation(scope, self.tag.hex(), *self[1:])


class Claim(NamedTuple):
    """`holder` announced `validation`, in what members tell each other of third ones."""

    holder: f.PeerId
    validation: Annotated[ValidationRow, row_judge(ValidationRow)]


Tombstones = Annotated[tuple[Tombstone, ...], f.many(row_judge(Tombstone))]
UndecidedOnes = Annotated[tuple[Undecided, ...], f.many(row_judge(Undecided))]
ProofRows = Annotated[tuple[Proof, ...], f.many(row_judge(Proof))]
ValidationRows = Annotated[tuple[ValidationRow, ...], f.many(row_judge(ValidationRow))]
Claims = Annotated[tuple[Claim, ...], f.many(row_judge(Claim))]
Marks = Annotated[tuple[bytes, ...], f.many(f.sized(16), least=1)]


@dataclass(frozen=True, slots=True)
class SignedValidation(Message):
    """`signer` had it from GitHub at `date` that the blob `digest` answers `tag`.

    As a message: the gateway, or the author of a gossip batch, holds that blob. `size` is the
    sealed blob's and not signed; it only says what a fetch will cost.
    """

    kind: ClassVar[str] = "announce"
    scope: f.Scope
    tag: f.Tag
    digest: f.Digest
    date: f.Date
    ttl: f.Ttl
    size: f.Size
    signer: f.Key
    signature: f.Signature

    def row(self) -> ValidationRow:
        """Return it without its scope."""
        return ValidationRow(
            bytes.fromhex(self.tag),
            self.digest,
            self.date,
            self.ttl,
            self.size,
            self.signer,
            self.signature,
        )
