"""Sizes, times and tables as people read them."""

import json
import re

import click
import pytest

from gh_p2pcache.cli import output


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (268435456, "256 MiB"),
        (3 << 40, "3.0 TiB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert output.size(count) == text


def test_counts() -> None:
    assert [output.counted(n, "record") for n in (0, 1, 1200)] == [
        "0 records",
        "1 record",
        "1,200 records",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (59.6, "1 min"),
        (300, "5 min"),
        (7505, "2 h 5 min"),
        (86400, "1 d"),
        (90061, "1 d 1 h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert output.duration(seconds) == text


def test_a_table_is_aligned_whatever_its_colours() -> None:
    rows = [output.heading("name", "n"), ["a", "1"], [click.style("longer", fg="red"), "22"]]

    lines = click.unstyle(output.table(rows, right=frozenset({1}))).splitlines()

    assert lines == ["name     n", "a        1", "longer  22"]


def test_pairs_leave_out_what_has_no_value() -> None:
    assert click.unstyle(output.pairs([("a", "1"), ("empty", ""), ("bc", "2")])) == "a   1\nbc  2"


def test_json_keeps_text_that_is_not_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    output.say_json({"name": "größe"})

    said = capsys.readouterr().out
    assert json.loads(said) == {"name": "größe"}
    assert "größe" in said


def test_a_moment_of_another_day_has_its_date() -> None:
    assert re.fullmatch(r"2001-09-0\d \d\d:\d\d", output.moment(1_000_000_000))
