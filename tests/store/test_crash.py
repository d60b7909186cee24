"""Kill writers at every step of a publication and at any moment: what can be read is whole."""

import random
import re
import shutil
import signal

import pytest

from gh_p2pcache.store.journal import Journal
from support.store import DATE, KEYS, Shop, a_record
from support.store_writer import is_whole

RENAME = "?rename,?renameat,?renameat2"

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace")


def _said(output: str) -> dict[str, int]:
    """Return the last version of each name that a writer said it had written."""
    return {
        name: int(turn) for name, turn in re.findall(r"^(\S+-\d+) (\d+)$", output, re.MULTILINE)
    }


def _judge(root, said: dict[str, int]) -> None:
    """Hold a store against what killed writers had said before."""
    shop = Shop(root)
    for _, kept in shop.store.walk([KEYS]):
        assert is_whole(kept)
    for name, version in said.items():
        if not name.startswith("shared"):
            assert shop.get(name).validation.github_date - DATE >= version, "a write said done"
    assert {shop.store.check(tag, [KEYS]) for tag in shop.store.tags()} <= {"ok"}
    assert shop.put(a_record("after")), "no lock is left behind"
    assert not shop.events, "no file is torn: names are given to whole files only"
    (root / "usage").unlink()
    assert shop.store.usage().records == shop.on_disk()[0]


@needs_strace
@pytest.mark.parametrize(
    "step",
    [
        pytest.param("flock", id="at a lock, or published"),
        pytest.param("fchmod", id="new file empty"),
        pytest.param("write", id="before its bytes"),
        pytest.param("pwrite64", id="written, not counted; or at a head"),
        pytest.param(RENAME, id="counted, without its name"),
        pytest.param("ftruncate", id="journal"),
    ],
)
def test_killed_at_a_step(writers, step):
    said: dict[str, int] = {}
    for count in (1, 2, 3, 11):
        under = ("strace", "-f", "-qqq", "-o", "/dev/null", "-e", f"trace={step}")
        inject = ("-e", f"inject={step}:signal=KILL:when={count}")
        writer = writers.start(f"w{count}", 60, under=(*under, *inject))
        output, errors = writer.communicate()
        assert writer.returncode in {-signal.SIGKILL, 128 + signal.SIGKILL}, errors
        said |= _said(output)
    _judge(writers.root, said)


def test_killed_at_any_moment(writers):
    chance = random.Random(3)
    said: dict[str, int] = {}
    for round_ in range(4):
        running = [writers.start(f"{round_}w{n}", 100_000) for n in range(4)]
        for writer in running:
            heard = [writer.stdout.readline() for _ in range(chance.randrange(1, 60))]
            writer.kill()
            rest, errors = writer.communicate()
            assert not errors
            said |= _said("".join(heard) + rest)
    assert len(said) > 50
    _judge(writers.root, said)

    events: list[str] = []
    rows = Journal(writers.root / "journal", 1 << 20, on_event=events.append).load()
    for who in {who for who, _ in rows}:
        turns = [turn for w, turn in rows if w == who]
        assert turns == list(range(0, 5 * len(turns), 5)), "in order, none missing"
    assert not events
