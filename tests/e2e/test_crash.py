"""Killed at any moment, on disks that fail: the promises of one machine hold all the same.

1: what is given is what GitHub said, whole. 2: never older than what this token had already got.
3: never from before a write that was answered.
"""

import http.client
import itertools
import json
import os
import random
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.gateway import Gateway, GatewayFactory, Reply
from support.sim import SimProcess
from support.wait import until

ISSUE = "/repos/acme/widgets/issues/1"
OURS = "/repos/octo/hello/issues/1"
LISTS = "/repos/acme/widgets/issues?per_page=100"
KILLS = 12
BROKEN = (http.client.HTTPException, OSError)

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace")


# --- SIGKILL ---


@dataclass
class Numbers:
    """The titles of two issues count up, one written elsewhere (ISSUE), one through us (OURS).

    `seen` has the highest that each (target, token) was given: no later answer may be lower.
    """

    gateway: Gateway
    sim: SimProcess
    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    written: int = 0
    wrong: list[str] = field(default_factory=list)
    reads: Counter[str] = field(default_factory=Counter)
    _stop: threading.Event = field(default_factory=threading.Event)

    def write_elsewhere(self) -> None:
        for number in itertools.count(1):
            self.sim.request("PATCH", ISSUE, token="bob", body={"title": str(number)})
            if self._stop.wait(0.03):
                return

    def write_through_us(self) -> None:
        for number in itertools.count(1):
            body = json.dumps({"title": str(number)}).encode()
            with suppress(*BROKEN):
                if self.gateway.ask(OURS, method="PATCH", body=body).status == 200:
                    self.written = number
            if self._stop.wait(0.05):
                return

    def read(self, target: str, token: str, door: str) -> None:
        while not self._stop.is_set():
            at_least = max(self.seen.get((target, token), 0), self.written if target == OURS else 0)
            with suppress(*BROKEN):
                reply = self.gateway.ask(target, token=token, door=door)
                self._judge(reply, target, token, at_least)

    def _judge(self, reply: Reply, target: str, token: str, at_least: int) -> None:
        self.reads[reply.source] += 1
        number = int(reply.json["title"]) if reply.status == 200 else -1
        if number < at_least:
            self.wrong.append(
                f"{target} {token}: {number} after {at_least} ({reply.status} {reply.source},"
                f" {reply.field('date')}, age {reply.field('age')})"
            )
        self.seen[target, token] = max(number, self.seen.get((target, token), 0))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Write and read until the block ends, however often the gateway dies in it."""
        threads = [
            threading.Thread(target=self.write_elsewhere),
            threading.Thread(target=self.write_through_us),
        ]
        threads += [
            threading.Thread(target=self.read, args=(target, token, door))
            for target in (ISSUE, OURS)
            for token, door in (("alice", "ttl"), ("alice", "exact"), ("bob", "exact"))
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()


def test_killed_at_any_moment_it_never_goes_back_in_time(gateway: Gateway, sim: SimProcess) -> None:
    """alice reads in both profiles: what `exact` has shown her, `ttl` may not take back."""
    for target in (ISSUE, OURS):
        sim.request("PATCH", target, token="alice", body={"title": "0"})
    numbers = Numbers(gateway, sim)
    moment = random.Random(3)
    with numbers.running():
        for _ in range(KILLS):
            enough = numbers.reads.total() + 30
            until(lambda enough=enough: numbers.reads.total() > enough, 60)  # type: ignore[misc]
            threading.Event().wait(moment.uniform(0, 0.1))
            gateway.kill()
            gateway.start()
    assert numbers.wrong == []
    assert numbers.written > KILLS
    assert {"HIT", "MISS"} <= numbers.reads.keys()
    found = gateway.ask("/verify", method="POST", door="control", token="alice")
    assert "corrupt" not in json.loads(found.body)
    assert not list((gateway.cache / "quarantine").glob("*"))


def test_a_write_that_was_in_flight_when_it_died_counts_as_done(
    gateway: Gateway, sim: SimProcess
) -> None:
    """Nobody knows what became of it: nothing from before is given, not even stale."""
    gateway.ask(ISSUE)
    sim.control(faults=[{"kind": "timeout", "match": "PATCH", "late": True}])
    with gateway.connect() as connection:
        body = b'{"title":"Done in secret"}'
        connection.sendall(
            b"PATCH %b HTTP/1.1\r\nHost: api.github.com\r\nAuthorization: token ghp_alice-not-a-"
            b"secret\r\nContent-Length: %d\r\n\r\n%b" % (ISSUE.encode(), len(body), body)
        )
        until(lambda: any(r["method"] == "PATCH" for r in sim.state()["requests"]))
        gateway.kill()
    sim.control(faults=[{"kind": "status", "status": 502, "times": 1}])
    gateway.start()
    assert gateway.ask(ISSUE).status == 502
    assert gateway.ask(ISSUE).json["title"] == "Done in secret"


def test_what_was_answered_lasts_when_it_dies_right_after(gateway: Gateway) -> None:
    """A record that replaced an older one, an hour later nobody may get the older again."""
    for number in range(5):
        body = json.dumps({"title": str(number)}).encode()
        assert gateway.ask(ISSUE, method="PATCH", body=body).status == 200
        gateway.kill()
        gateway.start()
        assert gateway.ask(ISSUE).json["title"] == str(number)


def test_killed_in_the_middle_of_a_stream_it_leaves_nothing(
    gateway: Gateway, sim: SimProcess
) -> None:
    assets = gateway.ask("/repos/acme/widgets/releases/tags/v1.1.0").json["assets"]
    number = next(asset["id"] for asset in assets if asset["name"] == "big.bin")
    kept = gateway.records()
    with gateway.connect() as connection:
        connection.sendall(
            b"GET /asset/%d?sig=sim HTTP/1.1\r\n"
            b"Host: release-assets.githubusercontent.com\r\n\r\n" % number
        )
        assert connection.recv(65536)
        gateway.kill()
        until(lambda: not connection.recv(1 << 20), what="the connection to end")
    gateway.start()
    assert gateway.records() == kept
    assert sim.process.poll() is None


# --- Disks ---


def answers_right(gateway: Gateway, sim: SimProcess) -> None:
    """Assert that every kind of call is answered as GitHub answers it."""
    title = f"At {time.monotonic()}"
    body = json.dumps({"title": title}).encode()
    gateway.ask(ISSUE)
    assert gateway.ask(ISSUE, method="PATCH", body=body).status == 200
    for door in ("ttl", "exact", "ttl"):
        assert gateway.ask(ISSUE, door=door).json["title"] == title
    for target in ("/user", "/repos/acme/widgets/labels", "/repos/acme/many/issues?per_page=100"):
        _, _, wanted = sim.request("GET", target, token="alice", headers={"Accept": "*/*"})
        for door in ("ttl", "exact"):
            assert gateway.ask(target, door=door).plain == wanted
    assert gateway.graphql("{ viewer { login } }").json["data"]["viewer"]["login"] == "alice"
    assert gateway.is_alive()
    assert "Traceback" not in gateway.log


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 300 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=300k,mode=0700", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mounting, check=False).returncode != 0:
        pytest.skip("only root mounts a small disk; strace stands for it below")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_means_working_without_keeping(
    gateways: GatewayFactory, sim: SimProcess, small_disk: Path
) -> None:
    gateway = gateways(f"unix://{sim.unix}", CACHE_DIR=str(small_disk / "cache"))
    targets = [f"/repos/acme/many/issues/{number}" for number in range(1, 96)]
    bodies = [gateway.ask(target).plain for target in targets]
    until(lambda: gateway.stats().get("write_failed"))
    answers_right(gateway, sim)
    assert [gateway.ask(target).plain for target in targets] == bodies
    gateway.restart()
    assert [gateway.ask(target).plain for target in targets] == bodies
    answers_right(gateway, sim)


def test_a_full_disk_hides_no_write(
    gateways: GatewayFactory, sim: SimProcess, small_disk: Path
) -> None:
    """The burial cannot be written down; after a kill the older record must not be there."""
    gateway = gateways(f"unix://{sim.unix}", CACHE_DIR=str(small_disk / "cache"))
    gateway.ask(ISSUE)
    until(lambda: gateway.records() == 1)
    with pytest.raises(OSError, match="No space"):
        (small_disk / "filler").write_bytes(bytes(1 << 20))
    gateway.ask(ISSUE, method="PATCH", body=b'{"title":"Written on a full disk"}')
    gateway.kill()
    gateway.start()
    assert gateway.ask(ISSUE).json["title"] == "Written on a full disk"
    (small_disk / "filler").unlink()
    answers_right(gateway, sim)


@contextmanager
def read_only(directory: Path) -> Iterator[None]:
    """Take the right to write away: by the mount for root, whom modes do not stop."""
    if os.geteuid() != 0:
        paths = [directory, *directory.rglob("*")]
        for path in reversed(paths):
            path.chmod(0o500 if path.is_dir() else 0o400)
        yield
        for path in paths:
            path.chmod(0o700)
        return
    if subprocess.run(["mount", "--bind", directory, directory], check=False).returncode:
        pytest.skip("a mount is needed")
    subprocess.run(["mount", "-o", "remount,bind,ro", directory], check=True)
    yield
    subprocess.run(["umount", "--lazy", directory], check=True)


@pytest.mark.parametrize("when", ["while it runs", "before it starts"])
def test_a_read_only_cache_is_read(gateway: Gateway, sim: SimProcess, when: str) -> None:
    kept = gateway.ask("/repos/octo/hello/languages")
    until(lambda: gateway.records() == 1)
    gateway.restart()
    if when == "before it starts":
        gateway.stop()
    with read_only(gateway.cache):
        if when == "before it starts":
            gateway.start()
        assert gateway.ask("/repos/octo/hello/languages").body == kept.body
        answers_right(gateway, sim)
        gateway.kill()
        gateway.start()
        answers_right(gateway, sim)
    answers_right(gateway, sim)


@pytest.mark.parametrize("what", ["the cache", "its records", "its journal"])
def test_a_cache_deleted_under_it_begins_anew(gateway: Gateway, sim: SimProcess, what: str) -> None:
    places = {"the cache": ".", "its records": "records", "its journal": "tombstones"}
    for _ in range(2):
        answers_right(gateway, sim)
        place = gateway.cache / places[what]
        # Under another name: the gateway may be writing into what is being emptied.
        gone = place.rename(gateway.cache.with_name("gone"))
        shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
        answers_right(gateway, sim)
        gateway.kill()
        gateway.start()
        answers_right(gateway, sim)
    until(lambda: gateway.records() > 0)


def test_a_deleted_state_directory_is_survived(gateway: Gateway, sim: SimProcess) -> None:
    shutil.rmtree(gateway.state)
    answers_right(gateway, sim)
    gateway.restart()
    answers_right(gateway, sim)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "a flipped bit in the head": lambda blob: bytes([blob[0] ^ 1]) + blob[1:],
    "a flipped bit at the end": lambda blob: blob[:-1] + bytes([blob[-1] ^ 1]),
    "cut in half": lambda blob: blob[: len(blob) // 2],
    "empty": lambda _: b"",
    "zeros": lambda blob: bytes(len(blob)),
    "more of it": lambda blob: blob + blob,
    "something else": lambda _: b"#!/bin/sh\necho hello\n",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_record_is_a_miss_and_is_set_aside(
    gateway: Gateway, sim: SimProcess, damage: Callable[[bytes], bytes]
) -> None:
    bodies = {t: gateway.ask(t).body for t in ("/user", ISSUE, LISTS)}
    gateway.stop()
    for path in (p for p in (gateway.cache / "records").glob("??/*") if p.is_file()):
        path.write_bytes(damage(path.read_bytes()))
    gateway.start()
    sim.control(reset="counters")
    for target, body in bodies.items():
        assert gateway.ask(target).body == body
    assert sim.calls() == len(bodies)
    assert gateway.stats()["quarantined"] == len(bodies)
    assert {gateway.ask(target).source for target in bodies} == {"HIT"}


def test_records_of_one_key_in_anothers_place_are_refused(gateway: Gateway) -> None:
    """Somebody swaps two files: each is whole, sealed with the right key, and not what it says."""
    first, second = gateway.ask("/user").body, gateway.ask(ISSUE).body
    gateway.stop()
    one, other = (p for p in (gateway.cache / "records").glob("??/*") if p.is_file())
    swapped = one.read_bytes(), other.read_bytes()
    other.write_bytes(swapped[0])
    one.write_bytes(swapped[1])
    gateway.start()
    assert (gateway.ask("/user").body, gateway.ask(ISSUE).body) == (first, second)
    assert gateway.stats()["quarantined"] == 2


@needs_strace
@pytest.mark.parametrize(
    ("calls", "error"),
    [
        ("openat", "EIO"),
        ("openat", "EMFILE"),
        ("?rename,?renameat,?renameat2,?unlink,?unlinkat", "EIO"),
        ("pread64,pwrite64,ftruncate,fchmod,flock", "EIO"),
        ("?mkdir,?mkdirat,?rename,?renameat,?renameat2,pwrite64,ftruncate", "ENOSPC"),
    ],
)
def test_errors_of_the_disk_fail_no_call(
    gateway: Gateway, sim: SimProcess, calls: str, error: str
) -> None:
    answers_right(gateway, sim)
    command = ["strace", "-f", "-qqq", "-o", "/dev/null", "-e", f"trace={calls}"]
    command += ["-e", f"inject={calls}:error={error}:when=1+2", "-p", str(gateway.pid)]
    with subprocess.Popen(command) as tracer:
        traced = Path(f"/proc/{gateway.pid}/status")
        until(lambda: f"TracerPid:\t{tracer.pid}" in traced.read_text())
        for _ in range(3):
            answers_right(gateway, sim)
        tracer.terminate()
    answers_right(gateway, sim)
