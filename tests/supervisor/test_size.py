"""The supervisor stays as long as the user is logged in: what it costs is bounded."""

import re
import subprocess
import sys
from pathlib import Path

from support.daemon import PACKAGE, Daemon, get
from support.wait import until

RESIDENT_LIMIT = 12 * 1024
"""Kilobytes (the bar of the design)."""


def test_it_takes_less_than_twelve_megabytes(daemon: Daemon) -> None:
    subprocess.run(
        [daemon.python, "-I", "-m", "compileall", "-q", daemon.python.parents[1]], check=True
    )
    daemon.start()
    get(daemon.run / "ttl.sock")
    pid = daemon.status()["pid"]

    resident = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())

    assert resident
    assert int(resident[1]) < RESIDENT_LIMIT


def test_it_imports_nothing_heavy() -> None:
    script = (
        f"import sys; sys.path.append({str(PACKAGE.parent)!r});"
        "from gh_p2pcache.supervisor import commands, control, handover, watch; print(*sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True
    )
    heavy = {"pathlib", "typing", "subprocess", "hashlib", "dataclasses", "logging", "asyncio"}
    assert not heavy & set(said.stdout.split())


def test_an_idle_daemon_does_not_wake_up_for_nothing(daemon: Daemon) -> None:
    daemon.behave("idle")
    daemon.start()
    get(daemon.run / "ttl.sock")
    known = daemon.status()
    until(lambda: daemon.status()["gateway"] is None)

    def wakings() -> int:
        text = Path(f"/proc/{known['pid']}/status").read_text()
        found = re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", text)
        assert found
        return int(found[1])

    before = wakings()
    # Its own status is one more turn of the loop: the time in between holds no other.
    daemon.status()
    assert wakings() - before <= 4
