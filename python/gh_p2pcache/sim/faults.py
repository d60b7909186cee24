"""What can go wrong on purpose, once, a few times or until it is taken back."""

from __future__ import annotations

from dataclasses import dataclass, field

KINDS = frozenset({"status", "down", "timeout", "die", "delay"})


@dataclass(slots=True)
class Fault:
    """A fault: `times` None is for good; `match` is a part of "METHOD target".

    `status` answers with that status, `down` closes the connection, `timeout` never answers,
    `die` breaks off in the middle of the body, `delay` waits `seconds` first. With `late` the
    request takes effect before it fails.
    """

    kind: str
    status: int = 502
    times: int | None = None
    match: str = ""
    seconds: float = 0.0
    late: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"fault kind {self.kind!r} is none of {', '.join(sorted(KINDS))}")


@dataclass(slots=True)
class Faults:
    """The faults that are set, the oldest first."""

    waiting: list[Fault] = field(default_factory=list)

    def take(self, line: str) -> list[Fault]:
        """Return the faults for a request ("METHOD target"): every delay and one other."""
        taken: list[Fault] = []
        for fault in list(self.waiting):
            if fault.match not in line:
                continue
            if fault.kind != "delay" and any(other.kind != "delay" for other in taken):
                continue
            taken.append(fault)
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
        return taken
