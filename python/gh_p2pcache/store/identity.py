"""This machine's peer identity: the seed of an Ed25519 key, made at first use."""

from __future__ import annotations

from pathlib import Path

from gh_p2pcache.records.sign import SEED_SIZE, Signer
from gh_p2pcache.store.secret_file import secret_of


def seed_of(state_dir: Path) -> bytes:
    """Return the seed of this state directory's identity, 32 bytes; raises StoreError."""
    return secret_of(state_dir / "identity", SEED_SIZE)


def load_identity(state_dir: Path) -> Signer:
    """Return what signs for this state directory; raises StoreError."""
    return Signer(seed_of(state_dir))
