"""The gossip topic of a scope: its name, and the seal on what is said there."""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gh_p2pcache.peer.frames import GOSSIP_LIMIT, pack, unpack
from gh_p2pcache.peer.message import as_fields, parse
from gh_p2pcache.peer.messages import GOSSIP, Batch, Message
from gh_p2pcache.records.fernet import RawFernet

_SEAL = b"gh-p2pcache/1/gossip"


def topic_name(key: bytes) -> str:
    """Return the topic of a scope's gossip: who has no key learns nothing of it."""
    return hmac.digest(key, b"topic", "sha256").hex()


class Topic:
    """What one scope's topic key (32 bytes) opens."""

    def __init__(self, scope: bytes, key: bytes) -> None:
        self.scope = scope
        self.name = topic_name(key)
        self._fernet = RawFernet(HKDF(SHA256(), 32, salt=None, info=_SEAL).derive(key))

    def seal(self, batch: Batch) -> bytes:
        """Return a message of the topic; a Batch of half a page (`Outbox`) is below 128 kB."""
        return self._fernet.encrypt(pack(as_fields(batch)))

    def open(self, data: bytes) -> Message:
        """Return what is inside a message (a Batch or Unknown); raises RejectedError."""
        return parse(unpack(self._fernet.decrypt(data[:GOSSIP_LIMIT])), GOSSIP)
