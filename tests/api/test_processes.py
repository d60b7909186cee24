"""Many threads, many processes, forks and kills on one store."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gh_p2pcache.api import Cache
from support.caches import environment, new_cache
from support.wait import until

PYTHON_PATH = str(Path(__file__).parents[2] / "python")
PROCESSES, THREADS, ROUNDS = 8, 4, 15

WORKER = """
import hashlib, os, sys, threading
from gh_p2pcache.api import get_global_cache

cache, me = get_global_cache(), sys.argv[1]
failures = []

def value(writer):
    noise = os.urandom(3000)
    return {"writer": writer, "noise": noise, "sum": hashlib.sha256(noise).digest()}

def whole(found):
    return found is None or hashlib.sha256(found["noise"]).digest() == found["sum"]

def work(number):
    for turn in range(int(sys.argv[2])):
        place = f"{me}.{number}.{turn}"
        if not cache.put("own", place, 600, place):
            failures.append(f"not kept: {place}")
        if cache.get("own", place) != place:
            failures.append(f"own entry lost: {place}")
        cache.put("shared", value(place), 600, turn % 3)
        if not whole(cache.get("shared", turn % 3)):
            failures.append(f"torn: {turn % 3}")
        if turn % 5 == 4:
            cache.invalidate("shared", turn % 3)

threads = [threading.Thread(target=work, args=(n,)) for n in range(int(sys.argv[3]))]
for thread in threads: thread.start()
for thread in threads: thread.join()
if failures or cache.hits < len(threads) * int(sys.argv[2]):
    sys.exit(f"{failures[:3]} {cache.get_stats()}")
"""

FLOOD = """
from gh_p2pcache.api import get_global_cache
cache = get_global_cache()
print("ready", flush=True)
while True:
    for number in range(20):
        cache.put("flood", {"number": number, "fill": b"x" * 20_000}, 600, number)
"""


@contextmanager
def started(code: str, root: Path, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run Python with its cache below `root`; ended by its pid when the test leaves."""
    env = environment(root, PATH=os.environ["PATH"], PYTHONPATH=PYTHON_PATH)
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_eight_processes_of_four_threads(tmp_path: Path) -> None:
    with ExitStack() as stack:
        workers = [
            stack.enter_context(started(WORKER, tmp_path, number, ROUNDS, THREADS))
            for number in range(PROCESSES)
        ]
        for worker in workers:
            _, said = worker.communicate(timeout=60)
            assert worker.returncode == 0, said
            assert said == ""
    cache = new_cache(tmp_path)
    for number in range(PROCESSES):
        for thread in range(THREADS):
            for turn in range(ROUNDS):
                place = f"{number}.{thread}.{turn}"
                assert cache.get("own", place) == place
    assert cache.invalidate_pattern("own:3.") == THREADS * ROUNDS
    assert cache.clear() >= (PROCESSES - 1) * THREADS * ROUNDS
    assert cache.get_stats()["events"] == {}


def test_threads_share_one_cache(cache: Cache) -> None:
    def work(number: int) -> None:
        for turn in range(50):
            cache.put("op", [number, turn], 60, number)
            assert cache.get("op", number) == [number, turn]
            cache.get("none", number, turn)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    assert (cache.hits, cache.misses) == (16 * 50, 16 * 50)
    assert cache.get_stats()["kept"] == 16 * 50


def test_what_one_process_drops_no_other_gives(tmp_path: Path) -> None:
    """There is no copy in memory that an invalidation could miss."""
    one, other = new_cache(tmp_path), new_cache(tmp_path)
    one.put("list_runs", 1, 60, "acme/site")
    assert other.get("list_runs", "acme/site") == 1
    assert other.invalidate_pattern("list_runs") == 1
    assert one.get("list_runs", "acme/site") is None
    assert one.get_stale("list_runs", "acme/site") is None


def test_a_killed_writer_leaves_whole_entries(tmp_path: Path) -> None:
    cache = new_cache(tmp_path)
    for _ in range(4):
        with started(FLOOD, tmp_path) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            until(lambda: cache.get("flood", 3))
            writer.kill()
        for number in range(20):
            found = cache.get("flood", number)
            assert found is None or found == {"number": number, "fill": b"x" * 20_000}
        assert cache.put("flood", "mine", 600, 3)
        assert cache.get("flood", 3) == "mine"
        cache.clear()
    assert cache.get_stats()["events"] == {}


FORKER = """
import os, sys, threading
from gh_p2pcache.api import get_global_cache

cache = get_global_cache()
cache.put("op", "before", 600)
cache.get("op")
leave = threading.Event()

def busy():
    while not leave.is_set():
        cache.put("busy", b"x" * 5000, 600)
        cache.get("busy")

threads = [threading.Thread(target=busy) for _ in range(3)]
for thread in threads: thread.start()
children = []
for number in range(20):
    pid = os.fork()
    if pid == 0:
        stats = cache.get_stats()
        good = (
            cache is get_global_cache()
            and stats["hits"] == stats["kept"] == 0
            and cache.get("op") == "before"
            and cache.put("child", number, 600, number)
            and cache.get("child", number) == number
        )
        os._exit(0 if good else 1)
    children.append(pid)
codes = [os.waitpid(pid, 0)[1] for pid in children]
leave.set()
for thread in threads: thread.join()
sys.exit(f"{codes}" if any(codes) else 0)
"""


def test_a_forked_child_goes_on_by_itself(tmp_path: Path) -> None:
    """Locks that threads of the parent held at the fork are held for ever in the child."""
    with started(FORKER, tmp_path) as process:
        _, said = process.communicate(timeout=60)
        # Python warns of forks with threads since 3.12: they are what this is about.
        assert process.returncode == 0, said


def test_all_threads_get_the_same_global_cache(tmp_path: Path) -> None:
    code = """
import threading
from concurrent.futures import ThreadPoolExecutor
from gh_p2pcache.api import get_global_cache
gate = threading.Barrier(16)
def get(_):
    gate.wait()
    return get_global_cache()
with ThreadPoolExecutor(16) as pool:
    print(len(set(pool.map(get, range(16)))))
"""
    with started(code, tmp_path) as process:
        told, said = process.communicate(timeout=30)
    assert (told, said) == ("1\n", "")


def test_the_global_cache_is_where_the_settings_say(tmp_path: Path) -> None:
    config = tmp_path / ".config/gh-p2pcache/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('max_entry = "100"\nunheard_of = 1\n')
    code = """
from gh_p2pcache.api import get_global_cache
print(get_global_cache().put("op", b"x" * 101, 60), get_global_cache().put("op", b"x", 60))
"""
    with started(code, tmp_path) as process:
        told, said = process.communicate(timeout=30)
    assert told == "False True\n"
    assert "unheard_of" in said
    assert new_cache(tmp_path).get("op") == b"x"


def test_a_broken_config_file_is_said_and_left_out(tmp_path: Path) -> None:
    config = tmp_path / ".config/gh-p2pcache/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("max_entry = = 1\n")
    code = "from gh_p2pcache.api import *; print(get_global_cache().put('op', 1, 60))"
    with started(code, tmp_path) as process:
        told, said = process.communicate(timeout=30)
    assert told == "True\n"
    assert str(config) in said
