"""doctor: all is well, and every single thing that may not be."""

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import click
import pytest

from gh_p2pcache import __version__
from gh_p2pcache.cli import doctor
from gh_p2pcache.cli.checkup import configuration, daemon, github, places, tools
from gh_p2pcache.cli.checkup.finding import Finding, broken, note, ok
from support.machine import Machine
from support.sim import ROOT, SECRETS, SimProcess

NOT_ROOT = pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")


def found(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """Return (verdict, what) rows; each that is not ok says what to do."""
    rows = list(findings)
    assert all(row.do for row in rows if row.verdict != "ok")
    return [(row.verdict, row.what) for row in rows]


def script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def set_up(machine: Machine, commit: str | None = None) -> None:
    """Lay out what install.sh leaves: the engine's mark and the shim."""
    git = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    there = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    data = machine.root / "data/gh-p2pcache"
    (data / "engine").mkdir(parents=True)
    (data / "engine/BUILD").write_text(f"{__version__} {commit or there}\n")
    (data / "shim").mkdir()
    (data / "shim/gh").symlink_to(ROOT / "gh-p2pcache")
    del machine.env["GH_P2PCACHE_ENGINE"]


# --- As a whole


def test_all_is_well(machine: Machine, sim: SimProcess) -> None:
    set_up(machine)

    said = machine.do("doctor", "--json")

    findings = json.loads(said.stdout)
    assert [row for row in findings if row["verdict"] != "ok"] == []
    assert said.exit_code == 0
    whole = "\n".join(row["what"] for row in findings)
    for wanted in (
        "git version", "gh 2.", "gh has a token", f"engine {__version__}", "cache directory",
        "free for the cache", "the daemon answers (was started for this)",
        "github.com is reached through the daemon", "clock agrees", "core limit of gh's token",
        f"gh's configuration in {machine.gh_config} is overlaid",
    ):  # fmt: skip
        assert wanted in whole
    assert [r["method"] for r in sim.state()["requests"]] == ["GET"]


def test_something_broken_is_exit_code_1_and_says_what_to_do(machine: Machine) -> None:
    machine.state.parent.mkdir()
    machine.state.touch()

    said = machine.do("doctor")

    assert said.exit_code == 1
    assert said.stdout.endswith(
        f"✘ the state directory {machine.state} can't be made: File exists:"
        " the daemon does not start\n"
        f"    → move {machine.state} away, or set CACHE_STATE_DIR to another place\n"
        f"{said.stdout.splitlines()[-1]}\n"
    )
    assert "free for the cache" in said.stdout.splitlines()[-1]


def test_a_line_for_each_verdict() -> None:
    lines = [click.unstyle(doctor.line(f)) for f in (ok("a"), note("b", "c"), broken("d", "e"))]

    assert lines == ["✔ a", "! b\n    → c", "✘ d\n    → e"]


# --- Programs


def test_programs_that_are_missing(machine: Machine) -> None:
    nothing = {"PATH": str(machine.root)}

    assert found(tools.git(nothing)) == [("broken", "git is not found")]
    assert found(tools.gh(nothing)) == [("broken", "gh is not found in PATH")]


@pytest.mark.parametrize(
    ("version", "verdict"), [("2.22.1", "broken"), ("2.23.0", "ok"), ("10.0.0", "ok")]
)
def test_the_oldest_gh(tmp_path: Path, version: str, verdict: str) -> None:
    script(tmp_path / "gh", f"[ $1 = --version ] && echo 'gh version {version} (2023-02-27)'")

    assert found(tools.gh({"PATH": str(tmp_path)}))[0][0] == verdict


def test_a_gh_without_a_token(machine: Machine) -> None:
    env = {**machine.env, "GH_TOKEN": ""}

    assert found(tools.gh(env))[1] == ("note", "gh has no token")


def test_the_shim_is_not_taken_for_gh(machine: Machine) -> None:
    set_up(machine)
    shim = machine.root / "data/gh-p2pcache/shim"

    said = found(tools.gh({**machine.env, "PATH": f"{shim}:{machine.env['PATH']}"}))

    assert said[0][0] == "ok"
    assert str(shim) not in said[0][1]


def test_engines(machine: Machine) -> None:
    assert found(tools.engine(machine.env))[0][0] == "note"  # a development engine
    bare = {**machine.env, "GH_P2PCACHE_ENGINE": ""}
    assert found(tools.engine(bare))[0][0] == "broken"

    set_up(machine, commit="0123456789")
    [(verdict, what)] = found(tools.engine(machine.env))
    assert (verdict, "(012345678), but " in what) == ("note", True)


def test_where_the_shim_is_in_path(machine: Machine) -> None:
    assert found(tools.shim(machine.env))[0][0] == "note"

    set_up(machine)
    shim = machine.root / "data/gh-p2pcache/shim"
    path = machine.env["PATH"]
    said = [
        found(tools.shim({**machine.env, "PATH": order}))[0]
        for order in (path, f"{shim}:{path}", f"{path}:{shim}")
    ]
    assert [verdict for verdict, _ in said] == ["ok", "ok", "note"]
    assert "goes to GitHub itself" in said[0][1]
    assert "first in PATH" in said[1][1]


# --- Settings and places


def test_settings_that_cannot_be_used(machine: Machine) -> None:
    machine.config.parent.mkdir(parents=True)
    machine.config.write_text("p2p_shared_secret = 'horse'\nmax_size = 'much'\n")
    machine.config.chmod(0o644)
    env = {**machine.env, "CACHE_TRUST": "all", "CACHE_DISABLE": "1"}

    said = found(configuration.problems(env))

    assert [verdict for verdict, _ in said] == ["note"] * 5
    whole = "\n".join(what for _, what in said)
    assert "CACHE_TRUST takes one of proof, team" in whole
    assert "config.toml: max_size takes a size" in whole
    assert "others can read it" in whole
    assert "the team secret has 5 characters" in whole
    assert "CACHE_DISABLE is set" in whole
    assert "horse" not in whole


@pytest.mark.parametrize(("word", "is_said"), [("1", True), ("0", False), ("maybe", False)])
def test_the_cache_is_off_only_where_it_is_said_so(
    machine: Machine, word: str, *, is_said: bool
) -> None:
    said = found(configuration.problems({**machine.env, "CACHE_DISABLE": word}))
    assert any("CACHE_DISABLE is set" in what for _, what in said) is is_said


def test_a_file_that_is_not_toml(machine: Machine) -> None:
    machine.config.parent.mkdir(parents=True)
    machine.config.write_text("= =")

    [(verdict, what)] = found(configuration.problems(machine.env))
    assert (verdict, what.startswith(f"{machine.config}: ")) == ("broken", True)


def test_places(machine: Machine) -> None:
    fresh = found(places.directories(machine.env))
    assert [verdict for verdict, _ in fresh] == ["ok", "ok"]

    machine.cache.chmod(0o755)
    machine.state.rmdir()
    machine.state.touch()
    said = found(places.directories(machine.env))
    assert [verdict for verdict, _ in said] == ["note", "broken"]
    assert "open to others (drwxr-xr-x)" in said[0][1]


def test_a_cache_directory_that_cannot_be_made_is_no_full_disk(machine: Machine) -> None:
    nowhere = {**machine.env, "CACHE_DIR": "/proc/gh-p2pcache"}

    cache, _ = places.directories(nowhere)

    assert cache == broken(
        "the cache directory /proc/gh-p2pcache can't be made: No such file or directory:"
        " nothing is kept",
        "set CACHE_DIR to another place",
    )
    assert found(places.disk(nowhere)) == []


def test_a_place_on_a_read_only_file_system(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = os.statvfs(machine.root)
    read_only = os.statvfs_result([*there[:8], there.f_flag | os.ST_RDONLY, there.f_namemax])
    monkeypatch.setattr(os, "statvfs", lambda _path: read_only)
    cache, _ = places.directories(machine.env)
    assert "is on a read-only file system: nothing is kept" in cache.what
    assert cache.do == "set CACHE_DIR to another place"


@NOT_ROOT
def test_a_place_that_is_not_writable(machine: Machine) -> None:
    machine.cache.mkdir(parents=True)
    machine.cache.chmod(0o500)

    assert "not writable" in found(places.directories(machine.env))[0][1]


def test_a_disk_with_little_room(machine: Machine) -> None:
    assert found(places.disk(machine.env))[0][0] == "ok"
    large = {**machine.env, "CACHE_MAX_SIZE": "9000TiB"}
    assert found(places.disk(large))[0][0] == "note"
    # /proc has no room at all.
    full = {**machine.env, "CACHE_DIR": "/proc"}
    assert found(places.disk(full))[0][0] == "broken"


# --- The daemon


def test_what_the_settings_and_places_say_is_not_said_again(machine: Machine) -> None:
    env = {"CACHE_TRUST": "all", "CACHE_DIR": str(machine.root / "file")}
    (machine.root / "file").touch()
    assert machine.do("start", env=env).exit_code == 0

    said = found(daemon.running({**machine.env, **env}))
    assert [verdict for verdict, _ in said] == ["ok"]

    later = found(daemon.running(machine.env))[1:]
    assert {verdict for verdict, _ in later} == {"note"}
    assert [what.partition(" (")[0] for _, what in later] == [
        "the daemon says: CACHE_TRUST takes one of proof, team",
        f"the daemon says: the cache directory {machine.root}/file can't be made: File exists",
    ]


def test_settings_that_the_daemon_does_not_have(running: Machine) -> None:
    env = {
        **running.env,
        "CACHE_MAX_SIZE": "1GiB",
        "CACHE_P2P_SHARED_SECRET": "horse",
        "HTTPS_PROXY": "http://me:horse@proxy.example:3128",
    }

    said = dict(map(reversed, found(daemon.settings_differ(env))))  # type: ignore[arg-type]

    assert set(said.values()) == {"note"}
    assert "CACHE_MAX_SIZE is '1GiB' here, '256MiB' in the daemon" in said
    assert "CACHE_P2P_SHARED_SECRET is not what the daemon has" in said
    assert "HTTPS_PROXY is not what the daemon has" in said
    assert found(daemon.settings_differ(running.env)) == [
        ("ok", "the daemon works with the settings of this shell")
    ]


def test_secrets_that_are_the_same_are_no_difference(machine: Machine) -> None:
    secrets = {
        "CACHE_P2P_SHARED_SECRET": "correct horse battery staple",
        "HTTPS_PROXY": "http://me:horse@127.0.0.1:9",
    }
    assert machine.do("start", env=secrets).exit_code == 0

    said = found(daemon.settings_differ({**machine.env, **secrets}))

    assert said == [("ok", "the daemon works with the settings of this shell")]
    assert len(found(daemon.settings_differ(machine.env))) == 2


def test_an_overlay_that_is_refused(running: Machine, tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text("http_unix_socket: /elsewhere.sock\n")

    [(verdict, what)] = found(daemon.overlay({**running.env, "GH_CONFIG_DIR": str(tmp_path)}))

    assert verdict == "broken"
    assert what.startswith(f"no overlay of {tmp_path}: ")


# --- GitHub


def test_proxies_and_certificates(machine: Machine) -> None:
    env = {
        "HTTPS_PROXY": "http://me:horse@proxy.example:3128",
        "NO_PROXY": "localhost",
        "SSL_CERT_FILE": str(machine.root / "nothing.pem"),
        "SSL_CERT_DIR": str(machine.root),
    }

    assert found(github.way_out(env)) == [
        ("ok", "HTTPS_PROXY=http://***@proxy.example:3128"),
        ("ok", "NO_PROXY=localhost"),
        ("broken", f"SSL_CERT_FILE={machine.root}/nothing.pem cannot be read: TLS will fail"),
        ("ok", f"SSL_CERT_DIR={machine.root}"),
    ]


def test_a_token_that_github_does_not_accept(running: Machine, sim: SimProcess) -> None:
    del sim

    said = found(github.reached({**running.env, "GH_TOKEN": "ghp_nobody"}))

    assert ("note", "github.com does not accept gh's token") in said


def test_a_limit_that_is_spent(running: Machine, sim: SimProcess) -> None:
    sim.control(limits=[{"token": "alice", "remaining": 0}])

    said = found(github.reached({**running.env, "GH_TOKEN": SECRETS["alice"]}))

    spent = [(verdict, what) for verdict, what in said if what.startswith("core limit")]
    assert spent[0][0] == "note"
    assert "of gh's token is spent until" in spent[0][1]


def test_a_clock_that_is_off(running: Machine, sim: SimProcess) -> None:
    sim.control(clock_shift=3700)

    said = found(github.reached(running.env))

    assert ("note", "this machine's clock is 1 h 1 min behind GitHub's") in said


def test_a_github_that_is_not_reached(machine: Machine) -> None:
    env = {"CACHE_UPSTREAM": "http://127.0.0.1:1"}
    assert machine.do("start", env=env).exit_code == 0

    [(verdict, what)] = found(github.reached({**machine.env, **env}))

    assert verdict == "broken"
    assert (
        what == "github.com is not reached: api.github.com could not be reached: Connection refused"
    )


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("github.com", ("api.github.com", "/rate_limit")),
        ("acme.ghe.com", ("api.acme.ghe.com", "/rate_limit")),
        ("ghe.example", ("ghe.example", "/api/v3/rate_limit")),
    ],
)
def test_the_host_that_gh_would_ask(
    running: Machine, sim: SimProcess, host: str, asked: tuple[str, str]
) -> None:
    list(github.reached({**running.env, "GH_HOST": host}))

    last = sim.state()["requests"][-1]
    assert (last["host"], last["target"]) == asked
