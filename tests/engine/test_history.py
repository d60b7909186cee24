"""History: by day, hour, route and caller; bounded; no address in it; never in the way."""

import json
import stat
from datetime import datetime
from pathlib import Path

import pytest

from gh_p2pcache.engine.history import KEPT_DAYS, OTHER, History
from gh_p2pcache.engine.stats import Stats

USER = "GET /user"
DAY = 86400.0


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 4, 10, 30).astimezone().timestamp()

    def __call__(self) -> float:
        return self.now


def kept(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_day_tells_hours_routes_and_callers(tmp_path: Path) -> None:
    clock = Clock()
    stats = Stats(tmp_path / "stats.json", tmp_path / "history", now=clock)
    for _ in range(3):
        stats.answered("hit", USER, 100, "make")
    stats.answered("miss", USER, 50, "nightly.sh")
    stats.fold()
    clock.now += 3600
    stats.answered("hit", USER, 100, "make")

    (today,) = stats.days(1)

    assert today["day"] == "2026-03-04"
    assert today["hours"] == {"10": {"hit": 3, "miss": 1}, "11": {"hit": 1}}
    assert today["rows"] == [
        {"route": USER, "caller": "make", "hit": 4, "bytes": 400},
        {"route": USER, "caller": "nightly.sh", "miss": 1, "bytes": 50},
    ]
    assert stats.totals["hit"] == 4
    assert stats.totals["bytes_served"] == 450


def test_it_survives_and_is_its_owners_alone(tmp_path: Path) -> None:
    clock, directory = Clock(), tmp_path / "history"
    first = Stats(tmp_path / "stats.json", directory, now=clock)
    first.answered("hit", USER, 100, "make")
    first.fold()
    first.save()

    assert kept(directory) == ["2026-03-04.json"]
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "2026-03-04.json").stat().st_mode) == 0o600

    second = Stats(tmp_path / "stats.json", directory, now=clock)
    second.answered("hit", USER, 1, "make")
    clock.now += DAY
    yesterday, today = second.days(2)
    assert yesterday["rows"] == [{"route": USER, "caller": "make", "hit": 1, "bytes": 100}]
    assert today["rows"] == [{"route": USER, "caller": "make", "hit": 1, "bytes": 1}]


def test_a_new_day_begins_at_zero_and_old_ones_go(tmp_path: Path) -> None:
    clock, directory = Clock(), tmp_path / "history"
    history = History(directory, now=clock)
    for _ in range(KEPT_DAYS + 5):
        history.add((USER, "make"), "hit", 1, 0)
        clock.now += DAY
    (directory / "notes.json").touch()
    history.add((USER, "make"), "hit", 1, 0)

    days = [name for name in kept(directory) if name != "notes.json"]
    assert len(days) == KEPT_DAYS - 1
    assert (directory / "notes.json").exists()
    told = history.days(KEPT_DAYS + 100)
    assert len(told) == KEPT_DAYS
    assert all(day["rows"][0]["hit"] == 1 for day in told)


def test_a_day_has_room_for_so_many(tmp_path: Path) -> None:
    history = History(tmp_path, now=Clock())
    for number in range(2000):
        history.add((USER, f"script-{number}"), "hit", 1, 10)

    (today,) = history.days(1)

    assert len(today["rows"]) == 501
    other = next(row for row in today["rows"] if row["route"] == OTHER)
    assert (other["caller"], other["hit"], other["bytes"]) == (OTHER, 1500, 15000)
    assert sum(row["hit"] for row in today["rows"]) == 2000


@pytest.mark.parametrize("text", ["{", "[]", '{"hours": 1}', '{"hours": {"a": {}}, "rows": []}'])
def test_what_is_not_ours_is_left_out_and_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "2026-03-04.json").write_text(text)
    events: list[str] = []

    history = History(tmp_path, now=Clock(), on_event=events.append)

    assert history.days(1)[0]["rows"] == []
    assert events == ["history_read_failed"]


def test_a_disk_that_refuses_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "history").write_text("a file where the directory should be")
    stats = Stats(tmp_path / "stats.json", tmp_path / "history", now=Clock())
    stats.answered("hit", USER, 1, "make")
    stats.fold()
    stats.save()

    assert stats.totals["history_write_failed"] == 1
    assert stats.days(1)[0]["rows"][0]["hit"] == 1
    assert json.loads((tmp_path / "stats.json").read_text())["calls_saved"] == 1
