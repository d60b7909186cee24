"""Rows and clocks for tests of what members tell each other."""

from gh_p2pcache.peer.rows import Claim, Proof, SignedValidation, Tombstone

NOW = 1_790_000_000
SCOPE = b"scope id"
PEERS = tuple(f"12D3KooW{letter * 44}" for letter in "ABCDEF")


class Clock:
    """GitHub's time, as the test sets it."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def tag(number: int) -> str:
    return f"{number:032x}"


def validation(
    number: int = 1, date: int = NOW, *, signer: int = 1, content: int = 0, scope: bytes = SCOPE
) -> SignedValidation:
    """Return an announcement of record `number`; its signature is for peers' eyes only."""
    digest = (number * 1000 + content).to_bytes(32, "big")
    key = signer.to_bytes(32, "big")
    return SignedValidation(scope, tag(number), digest, date, 60.0, 2000, key, b"s" * 64)


def claim(number: int = 1, date: int = NOW, *, holder: str = PEERS[0], content: int = 0) -> Claim:
    return Claim(holder, validation(number, date, content=content).row())


def tombstone(number: int = 1, date: int = NOW) -> Tombstone:
    return Tombstone(number.to_bytes(16, "big"), date)


def proof(number: int = 1, date: int = NOW) -> Proof:
    return Proof(number.to_bytes(16, "big"), b"r" * 16, date)
