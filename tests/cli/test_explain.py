"""explain: what the daemon says of a call, while GitHub hears nothing of it."""

import json
import re
from pathlib import Path

import click
import pytest

from gh_p2pcache.cli.explain import text
from support.machine import Machine
from support.sim import SimProcess
from support.wait import until

REPO = "repos/acme/widgets"
DIFFERS = "differs from the running daemon's"
TOLD = {
    "request": "GET https://api.github.com/user",
    "route": "GET /user",
    "profile": "ttl",
    "kept": True,
    "why": "",
    "scope": "team",
    "access": "github.com/acme/widgets: issues",
    "access_proven": None,
    "rule": "default",
    "fresh_for": 300.0,
    "stale_for": 86400.0,
    "resource": "core",
    "held": None,
    "next": "is asked of GitHub",
}


def explained(machine: Machine, *arguments: str, **env: str) -> dict[str, object]:
    said = machine.do("explain", "--json", *arguments, env=env)
    assert said.exit_code == 0, said.stderr
    told: dict[str, object] = json.loads(said.stdout)
    return told


@pytest.fixture
def quiet(running: Machine, sim: SimProcess) -> Machine:
    """A machine without records, before a small GitHub that has not been asked anything."""
    running.do("purge", "--all", "--yes")
    sim.control(reset="counters")
    return running


def test_a_record_comes_into_being(quiet: Machine, sim: SimProcess) -> None:
    before = explained(quiet, REPO)
    assert (before["kept"], before["held"]) == (True, None)
    assert before["next"] == "is asked of GitHub"
    assert sim.calls() == 0

    quiet.api(REPO)
    after = explained(quiet, REPO)

    held = after["held"]
    assert isinstance(held, dict)
    assert held["status"] == 200
    assert held["fetched_by"] == "this token"
    assert str(held["cid"]).startswith("bafkrei")
    assert str(after["next"]).startswith("is answered from the cache")
    assert sim.calls() == 1


def test_what_was_just_written_to_is_asked_for_whatever_its_age(quiet: Machine) -> None:
    quiet.api(f"{REPO}/issues", "-f", "title=Just written")

    def held() -> dict[str, object] | None:
        quiet.api(f"{REPO}/issues?state=closed")
        told = explained(quiet, f"{REPO}/issues?state=closed")
        return told if told["held"] else None

    told = until(held, what="what is read in the second after the write is kept")
    assert str(told["next"]).startswith("is asked of GitHub (written to less than 10 s ago)")


def test_a_write_that_is_explained_is_not_done(quiet: Machine, sim: SimProcess) -> None:
    told = explained(quiet, f"{REPO}/issues", "-f", "title=Never")

    assert (told["kept"], told["why"]) == (False, "write")
    assert sim.calls() == 0


def test_nor_is_it_without_a_daemon(machine: Machine, sim: SimProcess) -> None:
    machine.state.parent.mkdir(parents=True)
    machine.state.touch()

    said = machine.do("explain", f"{REPO}/issues", "-f", "title=Never")

    assert said.exit_code == 7
    assert said.stderr.startswith("gh-p2pcache: ")
    assert sim.calls() == 0


@pytest.mark.parametrize(
    "flags",
    [
        ["-q", ".login"],
        ["-t", "{{.login}}"],
        ["--silent"],
        ["-i"],
        ["--paginate", "--slurp"],
        ["--verbose"],
        ["--cache", "1h"],
        ["--silent", "--"],
    ],
    ids=" ".join,
)
def test_flags_for_the_output_of_the_call_do_not_matter(quiet: Machine, flags: list[str]) -> None:
    assert explained(quiet, *flags, "user")["route"] == "GET /user"


def test_gh_keeps_no_explanation_for_an_answer(quiet: Machine) -> None:
    explained(quiet, "user", "--cache", "1h")

    assert json.loads(quiet.api("user", "--cache", "1h"))["login"] == "alice"


def test_the_profile_and_the_default_ttl_of_the_caller_count(quiet: Machine) -> None:
    assert explained(quiet, "user")["fresh_for"] == 300
    assert explained(quiet, "user", CACHE_DEFAULT_TTL="7m")["fresh_for"] == 420
    assert explained(quiet, "user", CACHE_PROFILE="exact")["profile"] == "exact"


def test_graphql_is_read_from_the_body(quiet: Machine) -> None:
    told = explained(quiet, "graphql", "-f", "query={viewer{login}}")

    assert (told["route"], told["kept"], told["scope"]) == ("graphql query", True, "this token")


def test_what_gh_refuses_is_one_line_of_its_own(quiet: Machine) -> None:
    said = quiet.do("explain", "user", "--nonsense")

    assert said.exit_code == 1
    assert said.stderr == "gh-p2pcache: unknown flag: --nonsense\n"


def test_a_refused_overlay_is_the_reason(machine: Machine, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.yml").write_text('version: "1"\nhttp_unix_socket: /somewhere/else.sock\n')
    assert machine.do("start").exit_code == 0

    said = machine.do("explain", "user", env={"GH_CONFIG_DIR": str(other)})

    assert said.exit_code == 6
    assert "gh goes past the cache" in said.stderr
    assert "http_unix_socket" in said.stderr


def _plain(told: dict[str, object]) -> str:
    return click.unstyle(text(told))


def test_for_people_nothing_held() -> None:
    said = _plain(TOLD)

    assert "fresh for  5 min" in said
    assert "up to 1 d old" in said
    assert "every token of the team" in said
    assert "github.com/acme/widgets: issues (not proven by this token yet)" in said
    assert "held       nothing" in said
    assert said.splitlines()[-1] == "next call  is asked of GitHub"


def test_for_people_something_held() -> None:
    held = {
        "status": 200,
        "cid": "bafkrei",
        "age": 61.0,
        "bytes": 2048,
        "fetched": "2026-01-01T00:00:00+00:00",
        "fetched_by": "another token of the team",
        "confirmed": "2026-01-01T00:01:00+00:00",
        "alive": False,
        "readable": False,
        "tags": ["repo:github.com/acme/widgets"],
    }
    said = _plain(TOLD | {"held": held, "fresh_for": 0})

    assert "HTTP 200, 2.0 KiB (outdated by a write; not for this token before" in said
    assert "1 min 1 s" in said
    assert "by another token of the team" in said
    assert "bafkrei" in said
    assert "asked of GitHub every time" in said


def test_for_people_never_kept() -> None:
    said = _plain(TOLD | {"kept": False, "why": "write", "next": "goes to GitHub as it is"})

    assert "no: write" in said
    assert "rule" not in said


@pytest.mark.parametrize(
    ("peer", "said"),
    [
        ({"access": "proven", "at": 0.0}, "12D3one (signature verified, access proven)"),
        (
            {"access": "proven", "at": 1_000_000_000.0},
            "12D3one (signature verified, access proven at 2001-09-09",
        ),
        ({"access": "not proven", "at": None}, "12D3one (signature verified, access not proven)"),
        (
            {"access": "not proven", "at": None, "banned": "signed what GitHub never said"},
            "12D3one (signature verified, access not proven, banned: it signed what GitHub never",
        ),
    ],
)
def test_who_vouches_for_what_a_peer_gave(peer: dict[str, object], said: str) -> None:
    told = TOLD | {"peer": {"id": "12D3one", "signature": "verified"} | peer}
    assert re.search(rf"^peer +{re.escape(said)}", _plain(told), re.MULTILINE)


def test_a_call_that_goes_past_the_cache_is_not_said_to_be_answered_from_it(
    quiet: Machine, sim: SimProcess
) -> None:
    for name, value, why in (
        ("CACHE_DISABLE", "1", "CACHE_DISABLE is set"),
        (
            "CACHE_UPSTREAM",
            "https://proxy.example",
            f"CACHE_UPSTREAM {DIFFERS} (gh p2pcache restart, or put it in config.toml)",
        ),
        (
            "CACHE_P2P_SHARED_SECRET",
            "another secret of this team",
            f"CACHE_P2P_SHARED_SECRET {DIFFERS} (gh p2pcache restart, or put it in config.toml)",
        ),
        (
            "https_proxy",
            "http://someone:else@proxy.example",
            f"https_proxy {DIFFERS} (gh p2pcache restart)",
        ),
    ):
        said = quiet.do("explain", "user", env={name: value})

        assert (said.exit_code, said.stdout) == (6, "")
        assert said.stderr == f"gh-p2pcache: gh goes past the cache: {why}\n"
    assert sim.calls() == 0


def test_what_keeps_no_call_from_the_cache_keeps_no_explanation(quiet: Machine) -> None:
    env = {"CACHE_MAX_SIZE": "1GiB", "CACHE_DISABLE": "0"}
    assert quiet.do("explain", "user", env=env).exit_code == 0


def test_what_the_daemon_was_started_with_is_no_difference(machine: Machine) -> None:
    env = {
        "CACHE_P2P_SHARED_SECRET": "a secret of this very team",
        "CACHE_ENABLE_P2P": "0",
        "NO_PROXY": "a@b",
    }
    for _ in range(2):  # the first starts the daemon
        said = machine.do("explain", "user", env=env)
        assert said.exit_code == 0, said.stderr

    said = machine.do("explain", "user")

    assert DIFFERS in said.stderr


def test_the_flags_of_api_count(quiet: Machine, sim: SimProcess) -> None:
    quiet.api("user")

    assert explained(quiet, "user", "--ttl", "1h")["fresh_for"] == 3600
    assert explained(quiet, "--ttl=2m", "user")["rule"] == "this request"
    assert str(explained(quiet, "user", "--refresh")["next"]).startswith("is asked of GitHub")
    assert str(explained(quiet, "user", "--offline")["next"]).startswith("is answered from what")
    nothing = explained(quiet, "--offline", f"{REPO}/issues/1")
    assert str(nothing["next"]).startswith("ends with exit code 3")
    assert sim.calls() == 1


@pytest.mark.parametrize("flags", [["--ttl", "soon"], ["--refresh", "--offline"]], ids=" ".join)
def test_flags_that_api_refuses_are_refused(quiet: Machine, flags: list[str]) -> None:
    said = quiet.do("explain", "user", *flags)
    assert said.exit_code == 2
    assert said.stderr.startswith(f"gh-p2pcache: {flags[0]} ")
