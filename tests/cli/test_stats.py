"""stats: from the daemon, from the file, for people."""

import json

from gh_p2pcache.cli.stats import text
from support.machine import Machine

TOLD = {
    "daemon": True,
    "totals": {
        "hit": 1500,
        "revalidated": 200,
        "miss": 299,
        "stale": 1,
        "error": 3,
        "upstream": 499,
        "bytes_served": 3 << 20,
    },
    "calls_saved": 1701,
    "routes": {
        "GET /user": {"hit": 1, "miss": 1},
        "GET /repos/{owner}/{repo}": {"hit": 1499, "miss": 298, "revalidated": 200, "stale": 1},
    },
    "store": {"records": 1234, "bytes": 5 << 20},
}


def rows(said: str) -> dict[str, list[str]]:
    return {line.split("  ")[0]: line.split() for line in said.splitlines() if line}


def test_for_people() -> None:
    said = rows(text(TOLD))

    assert said["answers"] == ["answers", "2,000"]
    assert said["hit"][:4] == ["hit", "1,500", "75", "%"]
    assert said["bypass"][:4] == ["bypass", "0", "0", "%"]
    assert said["calls saved"][2] == "1,701"
    assert said["errors"][1] == "3"
    assert said["served"][1:3] == ["3.0", "MiB"]
    assert said["kept"][1:4] == ["5.0", "MiB", "1,234"]
    assert said["GET /user"][2:] == ["1", "·", "·", "·", "·", "1", "·"]


def test_routes_come_in_the_order_of_their_calls() -> None:
    lines = text(TOLD).splitlines()

    assert [line.split("  ")[0] for line in lines[-2:]] == [
        "GET /repos/{owner}/{repo}",
        "GET /user",
    ]


def test_figures_of_a_daemon_that_is_down_say_so() -> None:
    assert "no daemon answers" in text(TOLD | {"daemon": False})


def test_before_the_first_call(machine: Machine) -> None:
    said = machine.do("stats")

    assert (said.exit_code, said.stderr) == (0, "")
    assert "No call has come through the cache yet" in said.stdout
    assert json.loads(machine.do("stats", "--json").stdout) == {
        "daemon": False,
        "totals": {},
        "calls_saved": 0,
        "routes": {},
    }


def test_calls_are_counted_and_survive_the_daemon(machine: Machine) -> None:
    assert machine.do("explain", "user").exit_code == 0
    for _ in range(3):
        machine.api("user")

    alive = json.loads(machine.do("stats", "--json").stdout)
    assert alive["daemon"] is True
    assert alive["routes"]["GET /user"] == {"miss": 1, "hit": 2}
    assert alive["calls_saved"] == 2
    assert alive["store"]["records"] == 1

    machine.do("stop")
    down = json.loads(machine.do("stats", "--json").stdout)
    assert down["daemon"] is False
    assert down["totals"] == alive["totals"]
    assert down["routes"] == alive["routes"]


def test_a_file_that_is_not_ours_is_named(machine: Machine) -> None:
    machine.state.mkdir(parents=True)
    (machine.state / "stats.json").write_text("{")

    said = machine.do("stats")

    assert said.exit_code == 6
    assert said.stderr.startswith(f"gh-p2pcache: {machine.state}/stats.json is not readable")


def test_two_forms_at_once_are_refused(machine: Machine) -> None:
    said = machine.do("stats", "--json", "--format", "markdown")

    assert (said.exit_code, said.stdout) == (2, "")
    assert "--json and --format markdown exclude each other" in said.stderr
    assert machine.do("stats", "--json", "--format", "json").exit_code == 0
