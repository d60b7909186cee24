"""Many processes on one store: nothing is lost, nothing is torn, every bound holds."""

import os
import signal
from functools import partial

import pytest

from gh_p2pcache.store.journal import Journal
from support.store import DATE, KEYS, Shop
from support.store_writer import is_whole, name_of
from support.wait import until


def _goes_on(usage, seen, running) -> bool:
    return usage.stat().st_mtime_ns != seen or any(writer.poll() is not None for writer in running)


def test_8_processes_write_500_times_each(writers):
    root, count = writers.root, 500
    everyone = [f"w{n}" for n in range(8)]
    for who in everyone:
        writers.start(who, count)
    events = writers.finish()

    assert all(set(told) <= {"outdated"} for told in events)
    shop = Shop(root)
    kept = {k.record.key.decode(): k for _, k in shop.store.walk([KEYS])}
    assert all(map(is_whole, kept.values()))
    assert {shop.store.check(tag, [KEYS]) for tag in shop.store.tags()} == {"ok"}
    for who in everyone:
        last = {name_of(who, turn): turn for turn in range(count)}
        for name, turn in last.items():
            if name.startswith(who):
                assert kept[name].record.github_date == DATE + turn
    assert shop.store.usage() == type(shop.store.usage())(*shop.on_disk())
    rows = Journal(root / "journal", 1 << 20, on_event=lambda _: None).load()
    assert sorted(rows) == sorted((who, turn) for who in everyone for turn in range(0, count, 5))
    assert not [path for path in shop.files() if path.name.startswith(".")]


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="there is no waitid")
def test_the_bound_holds_while_4_processes_write(writers):
    bound = 40 * 4096
    started = [writers.start(f"w{n}", 400, max_size=bound) for n in range(4)]
    shop = Shop(writers.root, bound)
    usage = writers.root / "usage"
    until(usage.exists)
    looks = 0
    while running := [writer for writer in started if writer.poll() is None]:
        # Only while all stand still does a look at each file add up.
        for writer in running:
            os.kill(writer.pid, signal.SIGSTOP)
        for writer in running:
            os.waitid(os.P_PID, writer.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        assert shop.on_disk()[1] <= bound
        looks += 1
        seen = usage.stat().st_mtime_ns
        for writer in running:
            os.kill(writer.pid, signal.SIGCONT)
        until(partial(_goes_on, usage, seen, running))
    events = writers.finish()
    assert looks > 10
    assert any(told.get("evicted") for told in events)
    assert all(is_whole(kept) for _, kept in shop.store.walk([KEYS]))
