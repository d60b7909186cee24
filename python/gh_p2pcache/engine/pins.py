"""Which sealed blobs this machine has pinned on its IPFS node, remembered over restarts."""

from __future__ import annotations

from gh_p2pcache.store.journal import Journal, Row

MOST = 20_000
"""Pins; 60 bytes of journal and 250 of memory each."""
_SPARE_ROWS = 1_000


class Pins:
    """Digest and lookup tag of each pinned blob. Does IO, but for `in`, `len` and `some`."""

    def __init__(self, journal: Journal, most: int = MOST) -> None:
        self._journal = journal
        self._most = most
        self._tags: dict[bytes, bytes] = {}
        self._rows = 0
        self._round: list[bytes] = []

    def __len__(self) -> int:
        return len(self._tags)

    def __contains__(self, sha256: bytes) -> bool:
        return sha256 in self._tags

    def load(self) -> None:
        """Read what earlier processes pinned: rows of (digest, tag), of (digest,) once removed."""
        for row in self._journal.load():
            self._rows += 1
            match row:
                case (bytes(sha256), bytes(tag)):
                    self._tags[sha256] = tag
                case (bytes(sha256),):
                    self._tags.pop(sha256, None)

    def add(self, sha256: bytes, tag: str) -> None:
        """Remember a pin, before it is made: one too many is found out, one too few is not."""
        self._tags[sha256] = bytes.fromhex(tag)
        self._write((sha256, self._tags[sha256]))

    def remove(self, sha256: bytes) -> None:
        """Forget a pin."""
        if self._tags.pop(sha256, None) is not None:
            self._write((sha256,))

    def excess(self) -> list[bytes]:
        """Return what was pinned longest ago, where there are too many."""
        return list(self._tags)[: max(0, len(self._tags) - self._most)]

    def some(self, count: int) -> list[tuple[bytes, str]]:
        """Return the next `count` pins, round and round."""
        if not self._round:
            self._round = list(self._tags)
        batch, self._round = self._round[:count], self._round[count:]
        return [(sha256, self._tags[sha256].hex()) for sha256 in batch if sha256 in self._tags]

    def _write(self, row: Row) -> None:
        self._rows += 1
        if self._rows > 2 * len(self._tags) + _SPARE_ROWS or not self._journal.append(row):
            self._rows = len(self._tags)
            self._journal.rewrite(lambda _: self._tags.items())
