"""stats --since: what was saved by day, route and caller, for people, programs and pages."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from gh_p2pcache.cli.main import commands
from gh_p2pcache.cli.since import markdown, summary, text
from support.machine import Machine
from support.small_daemon import small_daemon

USER = {"route": "GET /user", "caller": "make"}
DAYS: list[dict[str, Any]] = [
    {"day": "2026-03-03", "hours": {}, "rows": [USER | {"hit": 6, "miss": 2, "bytes": 2048}]},
    {"day": "2026-03-04", "hours": {}, "rows": []},
    {
        "day": "2026-03-05",
        "hours": {},
        "rows": [
            USER | {"hit": 1, "stale": 1, "bytes": 10},
            {"route": "a|b", "caller": "nightly.sh", "peer": 9, "revalidated": 1, "bypass": 20},
        ],
    },
]


def test_sums_by_day_route_and_caller() -> None:
    told = summary(DAYS)

    assert told["since"] == "2026-03-03"
    assert told["totals"]["answers"] == 40
    assert told["totals"]["saved"] == 18
    assert told["totals"]["bytes"] == 2058
    assert [(d["day"], d["answers"], d["saved"]) for d in told["days"]] == [
        ("2026-03-03", 8, 6),
        ("2026-03-04", 0, 0),
        ("2026-03-05", 32, 12),
    ]
    assert [(r["route"], r["saved"]) for r in told["routes"]] == [("a|b", 10), ("GET /user", 8)]
    assert [(c["caller"], c["saved"]) for c in told["callers"]] == [("nightly.sh", 10), ("make", 8)]
    assert told["routes"][1]["stale"] == 1


def test_for_people() -> None:
    said = text({"daemon": True} | summary(DAYS))
    lines = said.splitlines()

    assert lines[0] == "Since 2026-03-03: 18 of 40 calls saved (45 %), 2.0 KiB served."
    day = next(line for line in lines if line.startswith("2026-03-05"))
    assert day.split()[1:5] == ["32", "12", "38", "%"]
    assert any(line.split()[:2] == ["nightly.sh", "30"] for line in lines)


def test_as_markdown_for_a_summary_page() -> None:
    lines = markdown(summary(DAYS)).splitlines()

    assert lines[2].startswith("| day | answers | saved | of all |")
    assert lines[3].startswith("| --- | ---: |")
    assert any(line.startswith("| a\\|b | 30 | 10 | 33 % |") for line in lines)
    assert len({line.replace("\\|", "").count("|") for line in lines if line[:1] == "|"}) == 1


def test_many_rows_are_summed_up_for_people() -> None:
    rows = [{"route": f"r{n}", "caller": "make", "hit": 1} for n in range(30)]
    told = {"daemon": True} | summary([{"day": "2026-03-05", "hours": {}, "rows": rows}])

    assert "… and 10 more" in text(told)
    assert len(told["routes"]) == 30


@pytest.mark.parametrize("since", ["7", "0d", "1h", "99d", "-1d", ""])
def test_days_are_wanted(since: str) -> None:
    said = CliRunner().invoke(commands, ["stats", "--since", since])
    assert said.exit_code == 2
    assert "--since takes days" in said.stderr


def test_the_daemon_is_asked_for_so_many_days() -> None:
    with small_daemon() as daemon:
        daemon.told["/history?days=3"] = {"days": DAYS}
        said = CliRunner().invoke(
            commands, ["stats", "--since", "3d", "--format", "json"], env=dict(daemon.env)
        )
    assert json.loads(said.stdout) == {"daemon": True} | summary(DAYS)


def test_calls_are_told_by_day_route_and_caller(machine: Machine) -> None:
    """The real daemon and gh, this process as the caller; the same when the daemon is down."""
    assert machine.do("explain", "user").exit_code == 0
    for _ in range(3):
        machine.api("user")

    def since(days: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(machine.do("stats", "--since", days, "--json").stdout)
        return told

    told = since("1d")
    assert (told["daemon"], told["totals"]["answers"], told["totals"]["saved"]) == (True, 3, 2)
    (route,) = told["routes"]
    assert (route["route"], route["hit"], route["miss"]) == ("GET /user", 2, 1)
    (caller,) = told["callers"]
    assert caller["caller"] not in {"gh", "unknown"}
    assert len(since("7d")["days"]) == 7

    machine.do("stop")
    assert since("1d") == told | {"daemon": False}
    assert "no daemon answers" in machine.do("stats", "--since", "1d").stdout
    assert machine.do("stats", "--format", "markdown").stdout.startswith("| answers | calls |")
