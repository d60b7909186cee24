"""How much one peer may ask of us: token buckets, without a clock of their own."""

from __future__ import annotations

from dataclasses import dataclass, field

_RATES = {
    # what: (a second, at once)
    "gossip": (200.0, 1000.0),  # messages, those handed on for others included
    "announce": (200.0, 5000.0),  # items in them
    "ask": (200.0, 500.0),
    "fetch": (100.0, 300.0),
    "sync": (5000.0, 50000.0),  # items
    "control": (2.0, 30.0),
}
"""Ten times what a busy member needs; a flood of 10,000 a second is cut off within a second."""
_OTHER = (100.0, 300.0)


@dataclass(slots=True)
class Budget:
    """What a peer has left of everything."""

    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def take(self, what: str, amount: int, now: float) -> bool:
        """Take `amount` of `what` at `now` (seconds); False when not so much is left."""
        rate, most = _RATES.get(what, _OTHER)
        left, at = self._left.get(what, (most, now))
        left = min(most, left + (now - at) * rate)
        granted = left >= amount
        self._left[what] = (left - amount if granted else left, now)
        return granted
