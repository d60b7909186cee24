"""What is pinned is known over restarts, and the file that says so stays small."""

from pathlib import Path

from gh_p2pcache.engine.pins import Pins
from gh_p2pcache.store.journal import Journal


def pins(path: Path, most: int = 100) -> Pins:
    def unexpected(event: str) -> None:
        raise AssertionError(event)

    loaded = Pins(Journal(path / "pins", 1 << 20, on_event=unexpected), most)
    loaded.load()
    return loaded


def digest(number: int) -> bytes:
    return number.to_bytes(32, "big")


def tag(number: int) -> str:
    return f"{number:032x}"


def test_pins_outlive_the_process(tmp_path: Path) -> None:
    first = pins(tmp_path)
    for number in range(5):
        first.add(digest(number), tag(number))
    first.remove(digest(3))
    first.remove(digest(3))
    later = pins(tmp_path)
    assert sorted(later.some(10)) == [(digest(n), tag(n)) for n in (0, 1, 2, 4)]
    assert digest(4) in later
    assert digest(3) not in later


def test_all_come_round(tmp_path: Path) -> None:
    all_of = pins(tmp_path)
    for number in range(7):
        all_of.add(digest(number), tag(number))
    seen = [sha256 for _ in range(4) for sha256, _ in all_of.some(2)]
    assert sorted(seen) == [digest(number) for number in range(7)]
    assert all_of.some(2)


def test_the_longest_pinned_are_too_many(tmp_path: Path) -> None:
    bounded = pins(tmp_path, most=3)
    for number in range(5):
        bounded.add(digest(number), tag(number))
    assert bounded.excess() == [digest(0), digest(1)]
    for sha256 in bounded.excess():
        bounded.remove(sha256)
    assert not bounded.excess()
    assert len(bounded) == 3


def test_the_file_does_not_grow_with_what_came_and_went(tmp_path: Path) -> None:
    busy = pins(tmp_path)
    sizes = []
    for number in range(6_000):
        busy.add(digest(number + 1000), tag(number))
        busy.remove(digest(number + 990))
        sizes.append((tmp_path / "pins").stat().st_size)
    assert max(sizes) < 100_000
    assert len(pins(tmp_path)) == 10


def test_a_full_file_makes_room_for_itself(tmp_path: Path) -> None:
    small = Pins(Journal(tmp_path / "pins", 2_000, on_event=lambda _: None))
    for number in range(200):
        small.add(digest(number + 1000), tag(number))
        small.remove(digest(number + 995))
    assert len(pins(tmp_path)) == 5
