"""Whatever breaks in the cache, gh answers, and one line says what broke and what to do."""

import os
import shutil
import signal
import time

import pytest

from support.entry import Entry, Said
from support.wait import until

WAYS = [("gh", "api", "user"), ("gh-p2pcache", "api", "user", "--ttl", "1h"), ("git-ghapi", "user")]

plain_ways = pytest.mark.parametrize("way", WAYS, ids=lambda way: way[0])


def fell_open(said: Said, *words: str) -> None:
    """Assert that gh answered by itself, with one line that has these words."""
    assert said.code == 0
    assert said.answer["github"]
    assert said.err.startswith("gh-p2pcache: ")
    assert said.err.endswith("; gh asks GitHub itself\n")
    assert said.err.count("\n") == 1
    for word in words:
        assert word in said.err


@plain_ways
def test_no_engine(entry: Entry, way: tuple[str, ...]) -> None:
    fell_open(
        entry.run(*way, without=("GH_P2PCACHE_ENGINE",)),
        "the engine is being set up in the background",
        "gh p2pcache setup",
    )
    until(lambda: entry.installed == ["--background-setup"])

    fell_open(entry.run(*way, without=("GH_P2PCACHE_ENGINE",)), "the engine is not set up yet")
    assert entry.installed == ["--background-setup"], "once is enough"


def test_a_set_up_in_the_background_holds_nothing_of_the_caller_s(entry: Entry) -> None:
    lock, fds = entry.root / "lock", entry.root / "fds"
    entry.script(
        entry.extension / "install.sh", f"ls -l /proc/$$/fd >{fds}.new; mv {fds}.new {fds}"
    )
    inner = entry.script(entry.root / "cron", f"exec 9>{lock}; {entry.shim} api user")

    assert entry.run(inner, without=("GH_P2PCACHE_ENGINE",)).answer["github"]

    until(fds.exists)
    assert str(lock) not in fds.read_text()


def test_an_engine_whose_python_is_gone(entry: Entry) -> None:
    (entry.data / "engine/bin").mkdir(parents=True)
    (entry.data / "engine/bin/python").symlink_to("/usr/bin/python9")

    fell_open(entry.run("gh", "api", "user", without=("GH_P2PCACHE_ENGINE",)), "set up")


def test_an_engine_that_does_not_run(entry: Entry) -> None:
    fell_open(entry.run("gh", "api", "user", GH_P2PCACHE_ENGINE="/bin/false"), "does not run")


def test_a_gateway_that_crashes_at_every_start_is_tried_once_a_minute(entry: Entry) -> None:
    way = ("gh", "api", "user")
    entry.daemon.behave("crash")
    entry.run(*way)
    until((entry.daemon.state / "failed").exists)
    tried = entry.daemon.log().count("started: pid")

    fell_open(entry.run(*way), "the gateway does not come up", "the next try is in ")
    assert entry.daemon.log().count("started: pid") == tried

    (entry.daemon.state / "failed").write_text(f"{int(time.time()) - 61} old\n")
    entry.run(*way)
    assert entry.daemon.log().count("started: pid") == tried + 1


@pytest.mark.parametrize("text", ["", "soon never", "99999999999 in the future", "08 octal"])
def test_a_damaged_memory_of_a_failure_does_not_stop_a_start(entry: Entry, text: str) -> None:
    entry.daemon.state.mkdir()
    (entry.daemon.state / "failed").write_text(f"{text}\n")

    entry.run("gh", "api", "user")

    until(entry.daemon.is_alive)


@plain_ways
def test_a_state_directory_that_cannot_be_made(entry: Entry, way: tuple[str, ...]) -> None:
    fell_open(
        entry.run(*way, CACHE_STATE_DIR="/dev/null/state"), "/dev/null/state: Not a directory"
    )


def test_no_home(entry: Entry) -> None:
    said = entry.run("gh", "api", "user", without=("HOME",), GH_CONFIG_DIR=str(entry.config))

    fell_open(said, "HOME is not set")


@pytest.mark.parametrize("value", ["1", "true", "YES", "On"])
@plain_ways
def test_cache_disable_says_nothing(entry: Entry, way: tuple[str, ...], value: str) -> None:
    said = entry.run(*way, CACHE_DISABLE=value)

    assert (said.code, said.err) == (0, "")
    assert said.answer["github"]
    assert not entry.daemon.state.exists()


@pytest.mark.parametrize("value", ["0", "false", "No", "off", ""])
def test_cache_disable_can_be_no(warm: Entry, value: str) -> None:
    said = warm.run("gh", "api", "user", CACHE_DISABLE=value)

    assert (said.answer["profile"], said.err) == ("exact", "")


def test_a_cache_disable_that_is_neither_is_named(warm: Entry) -> None:
    said = warm.run("gh", "api", "user", CACHE_DISABLE="perhaps")

    assert said.answer["profile"] == "exact"
    assert "CACHE_DISABLE takes true or false ('perhaps' was given)" in said.err


def test_the_first_call_starts_the_daemon_and_a_killed_one_is_replaced(entry: Entry) -> None:
    entry.run("gh", "api", "user")
    until(entry.daemon.is_alive)
    until(lambda: entry.run("gh", "api", "user").answer.get("profile") == "exact")

    os.kill(entry.daemon.status()["pid"], signal.SIGKILL)
    until(lambda: not entry.daemon.is_alive())
    said = entry.run("gh", "api", "user")

    assert said.code == 0
    until(lambda: entry.run("gh", "api", "user").answer.get("profile") == "exact")


def test_a_hung_gateway_costs_a_call_that_needs_its_overlay_no_more_than_a_moment(
    entry: Entry,
) -> None:
    entry.warm()
    other = entry.home / "other"
    entry.configure(other)
    gateway = entry.daemon.status()["gateway"]
    os.kill(gateway, signal.SIGSTOP)

    said = entry.run("gh", "api", "user", GH_CONFIG_DIR=str(other))

    fell_open(said, "the daemon does not answer")
    assert entry.daemon.status()["gateway"] == gateway, "the call waited for the watchdog"


def test_the_shell_part_that_is_missing(entry: Entry) -> None:
    shutil.rmtree(entry.extension / "python/gh_p2pcache/entry")

    fell_open(entry.run("gh", "api", "user"), "entry/start.sh is missing")


def test_a_configuration_that_is_refused_is_not_asked_about_again(warm: Entry) -> None:
    own = warm.home / "refused"
    warm.configure(own, plain_to=warm.github)
    (own / "config.yml").write_text((own / "config.yml").read_text() + "aliases: [\n")
    warm.telling_gh()
    said = warm.run("gh", "pr", "list", GH_CONFIG_DIR=str(own))
    assert "is not valid YAML; gh asks GitHub itself" in said.err
    assert said.told["GH_CONFIG_DIR"] == str(own)

    again = warm.run("gh", "pr", "list", GH_CONFIG_DIR=str(own), GH_P2PCACHE_ENGINE="/bin/false")
    assert again.err == said.err, "the engine was asked"

    warm.configure(own)
    assert "overlay" in warm.run("gh", "pr", "list", GH_CONFIG_DIR=str(own)).told["GH_CONFIG_DIR"]


@pytest.mark.parametrize(
    ("env", "word"),
    [
        ({"CACHE_DISABLE": "1"}, "CACHE_DISABLE is set"),
        ({"CACHE_STATE_DIR": "/dev/null/state"}, "Not a directory"),
        ({"GH_P2PCACHE_ENGINE": "/bin/false"}, "does not run"),
    ],
)
def test_offline_never_falls_back(entry: Entry, env: dict[str, str], word: str) -> None:
    said = entry.api("user", "--offline", **env)

    assert said.code == 3
    assert said.out == ""
    assert word in said.err
    assert said.err.endswith(": nothing is answered --offline\n")


def test_the_engine_s_own_commands_say_how_to_get_it(entry: Entry) -> None:
    said = entry.run("gh-p2pcache", "status", without=("GH_P2PCACHE_ENGINE",))

    assert said.code == 6
    assert "gh p2pcache setup" in said.err


def test_setup_runs_in_the_foreground(entry: Entry) -> None:
    assert entry.run("gh-p2pcache", "setup").code == 0
    assert entry.installed == ["--setup"]


def test_everything_else_is_the_engine_s(entry: Entry) -> None:
    engine = entry.script(entry.root / "python", 'printf "%s\\n" "$@" "$GH_P2PCACHE_ENTRY"')

    said = entry.run("gh-p2pcache", "explain", "a b", GH_P2PCACHE_ENGINE=str(engine))
    nothing = entry.run("gh-p2pcache", GH_P2PCACHE_ENGINE=str(engine))

    script = str(entry.extension / "gh-p2pcache")
    assert said.out.splitlines() == ["-I", "-m", "gh_p2pcache", "explain", "a b", script]
    assert nothing.out.splitlines() == ["-I", "-m", "gh_p2pcache", script]
