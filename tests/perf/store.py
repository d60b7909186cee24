"""What the store costs: `python tests/perf/store.py [--records 100000]`.

Fills a store of 1,000 records of 2 kB and a large one, looks records up in both in turn, and prints
the ratio (to be at most 1.3), the disk a record takes (at most 4.5 kB) and the time of each step:
CPU time, so that busy neighbours matter less.
"""

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests")]

from gh_p2pcache.records.record import pack, unpack  # noqa: E402
from gh_p2pcache.records.seal import derive  # noqa: E402
from gh_p2pcache.store.disk import DiskStore  # noqa: E402
from gh_p2pcache.store.journal import Journal  # noqa: E402
from support.store import DATE, KEYS, a_record  # noqa: E402

BODY = 2048
SMALL = 1000
LOOKS = 1000
ROUNDS = 15


def a_body() -> bytes:
    """Return 2 kB as GitHub sends them: gzip, which nothing makes smaller."""
    return os.urandom(BODY)


def fill(root: Path, records: int) -> tuple[DiskStore, float]:
    """Return a store of so many records and the microseconds each took to put."""
    store = DiskStore(root, 16 << 30, on_event=lambda event: sys.exit(f"store: {event}"))
    gzipped = ((b"content-encoding", b"gzip"), (b"content-type", b"application/json"))
    record = a_record(body=a_body(), headers=gzipped)
    start = time.process_time()
    for number in range(records):
        one = replace(record, key=str(number).encode())
        tag = KEYS.tag(one.key)
        store.put(tag, KEYS, one, validation_date=DATE, validated_at=time.time(), ttl=300.0)
    return store, (time.process_time() - start) / records * 1e6


def look_up(store: DiskStore, keys: list[bytes]) -> float:
    """Return the microseconds of one look-up."""
    start = time.process_time()
    for key in keys:
        if store.get(KEYS.tag(key), KEYS, key) is None:
            sys.exit("a record is missing")
    return (time.process_time() - start) / len(keys) * 1e6


def compare(stores: dict[int, DiskStore]) -> dict[int, float]:
    """Return the median look-up of each store, in microseconds; the rounds take turns."""
    chance = random.Random(1)
    keys = {
        count: [str(n).encode() for n in chance.sample(range(count), min(count, LOOKS))]
        for count in stores
    }
    times: dict[int, list[float]] = {count: [] for count in stores}
    for _ in range(ROUNDS + 1):
        for count, store in stores.items():
            times[count].append(look_up(store, keys[count]))
    return {count: statistics.median(taken[1:]) for count, taken in times.items()}


def disk(root: Path) -> int:
    """Return what everything under `root` takes, directories and locks too, in bytes."""
    os.sync()
    return sum(path.lstat().st_blocks * 512 for path in [root, *root.rglob("*")])


def timed(work: Callable[[], object], turns: int = 2000) -> float:
    """Return the microseconds of `work`, the best of five."""
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        for _ in range(turns):
            work()
        best = min(best, (time.process_time() - start) / turns)
    return best * 1e6


def steps(store: DiskStore, journal: Journal) -> dict[str, float]:
    """Return the microseconds of what a look-up and a write are made of."""
    kept = store.get(KEYS.tag(b"0"), KEYS, b"0")
    if kept is None:
        sys.exit("a record is missing")
    packed = pack(kept.record)
    blob = KEYS.seal(packed)
    text = replace(kept.record, headers=(), body=b'{"a": 12345}' * (BODY // 12))
    return {
        "pack": timed(lambda: pack(kept.record)),
        "pack and deflate": timed(lambda: pack(text)),
        "unpack": timed(lambda: unpack(packed)),
        "seal": timed(lambda: KEYS.seal(packed)),
        "open": timed(lambda: KEYS.open(blob)),
        "tag": timed(lambda: KEYS.tag(b"0")),
        "refresh (304)": timed(lambda: store.refresh(KEYS.tag(b"0"), KEYS, kept.validation)),
        "usage": timed(store.usage),
        "journal append": timed(lambda: journal.append(("row", 1))),
        "journal poll": timed(journal.poll),
        "derive (token)": timed(lambda: derive(b"ghp_example", "token"), turns=2),
    }


def first_answer(root: Path) -> float:
    """Return the milliseconds from a new DiskStore to its first answer."""
    start = time.process_time()
    store = DiskStore(root, 16 << 30, on_event=sys.exit)
    store.get(KEYS.tag(b"7"), KEYS, b"7")
    return (time.process_time() - start) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="how many the large store has")
    large = parser.parse_args().records
    with tempfile.TemporaryDirectory() as directory:
        roots = {count: Path(directory) / str(count) for count in (SMALL, large)}
        filled = {count: fill(root, count) for count, root in roots.items()}
        stores = {count: store for count, (store, _) in filled.items()}
        looks = compare(stores)
        for count, root in roots.items():
            print(
                f"{count:>8} records: look-up {looks[count]:5.1f} us,"
                f" put {filled[count][1]:5.1f} us,"
                f" disk {disk(root) / count / 1000:4.2f} kB a record,"
                f" first answer {first_answer(root):4.2f} ms"
            )
        print(f"look-up ratio {looks[large] / looks[SMALL]:.2f}")
        journal = Journal(Path(directory) / "journal", 64 << 20, on_event=sys.exit)
        for name, taken in steps(stores[SMALL], journal).items():
            print(f"{name:>18} {taken:8.1f} us")


if __name__ == "__main__":
    main()
