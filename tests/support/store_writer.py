"""A process that writes to a store and says so: `python -m support.store_writer ROOT WHO COUNT`.

After each write it prints what it wrote, `NAME VERSION`, and at the end `events {…}` as JSON. Half
of the names are its own, half are shared with the other writers.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gh_p2pcache.records.record import Record
from gh_p2pcache.store.disk import Kept
from gh_p2pcache.store.journal import Journal
from support.store import DATE, KEYS, Shop, a_record

NAMES = 20
TESTS = Path(__file__).parent.parent


def versioned(name: str, version: int) -> Record:
    """Return a record whose every part tells which version it is of."""
    line = f"{name} {version}\n".encode()
    return a_record(name, body=line * (50 + version % 100), github_date=DATE + version)


def is_whole(kept: Kept) -> bool:
    """Tell whether a record is one that a writer wrote, in all its parts."""
    name, version = kept.record.body.split(b"\n")[0].decode().split()
    newest = kept.validation.github_date - DATE
    return kept.record == versioned(name, int(version)) and newest >= int(version)


def say(line: str) -> None:
    # By writev, so that a test that breaks `write` breaks the store's alone.
    os.writev(1, [f"{line}\n".encode()])


def name_of(who: str, turn: int) -> str:
    return f"{who if turn % 2 else 'shared'}-{turn % NAMES}"


def write(root: Path, who: str, count: int, max_size: int) -> None:
    shop = Shop(root, max_size)
    journal = Journal(root / "journal", 1 << 20, on_event=lambda event: shop.events.update([event]))
    for turn in range(count):
        name = name_of(who, turn)
        validation = shop.put(versioned(name, turn), date=DATE + turn)
        if validation and turn % 3 == 0:
            newer = replace(validation, github_date=DATE + turn + 1)
            shop.store.refresh(KEYS.tag(name.encode()), KEYS, newer)
        if turn % 5 == 0:
            journal.append((who, turn))
        if turn % 7 == 0:
            shop.store.remove(KEYS.tag(f"shared-{turn % NAMES}".encode()))
            shop.get(name)
        say(f"{name} {turn}")
    say(f"events {json.dumps(shop.events)}")


class Writers:
    """Starts writers on one store; whoever is left at the end is killed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._started: list[subprocess.Popen[str]] = []

    def start(
        self, who: str, count: int, *, under: Sequence[str] = (), max_size: int = 64 << 20
    ) -> "subprocess.Popen[str]":
        """Start a writer; `under` is the command it runs under (strace and its options)."""
        path = os.pathsep.join([str(TESTS), str(TESTS.parent / "python")])
        module = ("-m", "support.store_writer", str(self.root), who, str(count), str(max_size))
        writer = subprocess.Popen(
            [*under, sys.executable, *module],
            env=os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(writer)
        return writer

    def finish(self) -> list[dict[str, int]]:
        """Wait for all of them; returns the events that each one told."""
        events = []
        for writer in self._started:
            output, errors = writer.communicate()
            assert (writer.returncode, errors) == (0, "")
            events.append(json.loads(output.splitlines()[-1].removeprefix("events ")))
        return events

    def end(self) -> None:
        for writer in self._started:
            if writer.poll() is None:
                writer.kill()
            if not writer.stdout.closed:
                writer.communicate()


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
