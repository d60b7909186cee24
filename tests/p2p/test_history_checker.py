"""The checker of histories refuses what breaks a promise, or the random run proves nothing."""

from dataclasses import replace

import pytest

from support.history import Failure, History, Read, Write

KEY = "/repos/acme/widgets/issues/1"
BODIES = (b"zero", b"one", b"two")


def read(began: float, version: int, **more: object) -> Read:
    """Return an answer that took a tenth of a second, GitHub's date being ten times the version."""
    it = Read("a", "alice", KEY, began, began + 0.1, version, 10 * version, BODIES[version])
    return replace(it, **more)  # type: ignore[arg-type]


def write(ended: float, version: int, machine: str = "a") -> Write:
    return Write(machine, "widgets", ended - 0.1, ended, version)


def history(*happened: Read | Write | Failure) -> History:
    made = History(
        sent={KEY: set(BODIES)},
        may={("alice", KEY), ("bob", KEY)},
        subject={KEY: "widgets"},
        killed=[("b", 5.0, 6.0)],
    )
    for one in happened:
        match one:
            case Read():
                made.reads.append(one)
            case Write():
                made.writes.append(one)
            case Failure():
                made.failures.append(one)
    return made


@pytest.mark.parametrize(
    "happened",
    [
        (),
        (read(1, 0), write(2, 1), read(3, 1)),
        # Overlapping: either may be first.
        (read(1, 1), read(1.05, 0)),
        # Another token's, another machine's.
        (read(1, 1), read(2, 0, token="bob")),
        (read(1, 1), read(2, 0, machine="b")),
        # A write elsewhere may take a while to be seen here.
        (write(1, 1, machine="b"), read(2, 0)),
        # GitHub's own refusal.
        (read(1, 0, token="mallory", body=b"Not Found"),),
        # In flight as the gateway was killed.
        (Failure("b", 4.9, 5.1, "reset"),),
        (Failure("b", 5.2, 6.1, "reset"),),
    ],
)
def test_what_keeps_the_promises_passes(happened: tuple[Read | Write | Failure, ...]) -> None:
    assert history(*happened).wrong() == []


@pytest.mark.parametrize(
    ("promise", "happened"),
    [
        ("1", (read(1, 0, body=b"neither"),)),
        ("1", (read(1, 0, body=BODIES[0][:2]),)),
        ("1", (read(1, 0, token="mallory"),)),
        ("2", (read(1, 1), read(2, 0))),
        ("2", (read(1, 0), read(2, 2), read(3, 2), read(4, 1))),
        ("2", (read(1, 1, date=11), read(2, 1, date=10))),
        # Among others that are in order.
        ("2", (read(1, 2), read(1.05, 1), read(2, 1))),
        ("3", (write(1, 1), read(2, 0))),
        ("3", (write(1, 1), write(2, 2), read(3, 1, token="bob"))),
        ("5", (Failure("b", 3.0, 4.9, "reset"),)),
        ("5", (Failure("a", 5.0, 5.1, "reset"),)),
    ],
)
def test_what_breaks_one_is_refused(
    promise: str, happened: tuple[Read | Write | Failure, ...]
) -> None:
    wrong = history(*happened).wrong()
    assert wrong
    assert {line[0] for line in wrong} == {promise}
