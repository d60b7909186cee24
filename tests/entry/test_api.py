"""`gh p2pcache api` and `git ghapi`: gh's own output, and what our flags ask the gateway for."""

import os
import signal
import subprocess

import pytest

from support.entry import Entry
from support.gh import GH
from support.wait import until


@pytest.mark.parametrize("version", sorted(GH))
def test_gh_is_answered_by_the_daemon_in_profile_ttl(warm: Entry, version: str) -> None:
    warm.use_gh(GH[version])

    said = warm.api("user")

    assert (said.code, said.err) == (0, "")
    assert said.answer["profile"] == "ttl"
    assert said.answer["token"] == "token gho_token"


def test_git_ghapi_is_the_same(warm: Entry) -> None:
    said = warm.run("git-ghapi", "user", "--ttl", "1h")

    assert said.answer["profile"] == "ttl"
    assert said.answer["ours"]["x-p2pcache-ttl"] == "3600"


def test_each_call_has_a_name_of_its_own_and_leaves_nothing(warm: Entry) -> None:
    names = {warm.api("user").answer["ours"]["x-p2pcache-call"] for _ in range(3)}

    assert len(names) == 3
    until(lambda: not list((warm.daemon.run / "calls").iterdir()))


@pytest.mark.parametrize(
    ("flags", "sent"),
    [
        (["--ttl", "90"], {"x-p2pcache-ttl": "90"}),
        (["--ttl=5m"], {"x-p2pcache-ttl": "300"}),
        (["--ttl", "2h30m"], {"x-p2pcache-ttl": "9000"}),
        (["--ttl", "1d"], {"x-p2pcache-ttl": "86400"}),
        (["--ttl", "08s"], {"x-p2pcache-ttl": "8"}),
        (["--ttl", "0"], {"x-p2pcache-ttl": "0"}),
        (["--refresh"], {"x-p2pcache-mode": "refresh"}),
        (["--offline"], {"x-p2pcache-mode": "offline"}),
        (["--refresh", "--refresh"], {"x-p2pcache-mode": "refresh"}),
        (["--offline", "--offline"], {"x-p2pcache-mode": "offline"}),
        (["--cache", "0s", "--cache=0s"], {"x-p2pcache-mode": "no-stale"}),
        (["--refresh", "--ttl", "1m"], {"x-p2pcache-mode": "refresh", "x-p2pcache-ttl": "60"}),
        (["--cache", "0s"], {"x-p2pcache-mode": "no-stale"}),
        (["--cache=0s", "--refresh"], {"x-p2pcache-mode": "no-stale", "x-p2pcache-ttl": "0"}),
        (["--method", "GET", "-f", "a=--offline"], {}),
        (["--method", "GET", "-f", "--refresh=1"], {}),
        (["-q", "--offline", "--jq", "."], {}),
        (["-iq", "--offline", "--jq", ".", "-i=false"], {}),
        (["--", "user"], {}),
    ],
)
def test_our_flags_become_header_fields_and_gh_s_values_stay(
    warm: Entry, flags: list[str], sent: dict[str, str]
) -> None:
    arguments = flags if "--" in flags else ["user", *flags]

    said = warm.api(*arguments)

    assert (said.code, said.err) == (0, "")
    assert {key: v for key, v in said.answer["ours"].items() if key != "x-p2pcache-call"} == sent


@pytest.mark.parametrize(
    "arguments",
    [
        ["a b", "", "*", "-f", "x=$HOME `id`", "new\nline"],
        ["--ttl", "1m", "-f", "--ttl", "-H", "--offline", "end"],
        ["--input", "-", "--", "--offline", "--ttl"],
    ],
)
def test_the_arguments_reach_gh_unchanged_bar_our_own(entry: Entry, arguments: list[str]) -> None:
    entry.script(entry.root / "gh", 'printf "%s\\0" "$@"')
    entry.use_gh(entry.root / "gh")

    said = entry.api(*arguments, CACHE_DISABLE="1")

    assert said.out.split("\0")[:-1] == ["api", *arguments[2 if arguments[0] == "--ttl" else 0 :]]


@pytest.mark.parametrize(
    "flags",
    [
        ["--ttl"],
        ["--ttl", ""],
        ["--ttl", "soon"],
        ["--ttl", "5mm"],
        ["--ttl", "m"],
        ["--ttl", "-5"],
        ["--ttl=1.5h"],
        ["--refresh", "--offline"],
        ["--offline", "--cache", "1h"],
    ],
)
def test_a_flag_that_cannot_be_is_refused(entry: Entry, flags: list[str]) -> None:
    said = entry.api("user", *flags)

    assert said.code == 2
    assert said.out == ""
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("left", "env", "shown"),
    [
        ("info ⚡ Cache miss: /user", {}, False),
        ("info ⚡ Cache miss: /user", {"CI": "true"}, True),
        ("info ⚡ Cache miss: /user", {"CI": "true", "CACHE_LOG": "warning"}, False),
        ("info ⚡ Cache miss: /user", {"CACHE_LOG": "info"}, True),
        ("warning 🔄 Stale cache: /user (9 s old)", {}, True),
        ("warning 🔄 Stale cache: /user (9 s old)", {"CACHE_LOG": "warning"}, True),
    ],
)
def test_what_the_cache_did_is_said_where_it_is_wanted(
    warm: Entry, left: str, env: dict[str, str], shown: bool
) -> None:
    said = warm.api("user", "-H", f"X-Test-Says: {left}", **env)

    assert said.code == 0
    assert said.err.lower() == (f"{left.partition(' ')[2]}\n".lower() if shown else "")


def test_what_is_absent_ends_with_exit_code_3(warm: Entry) -> None:
    said = warm.api("user", "--offline", "-H", "X-Test-Says: absent ❌ Not in the cache: /user")

    assert said.code == 3
    assert "❌ not in the cache" in said.err


def test_the_exit_code_is_gh_s(warm: Entry) -> None:
    assert warm.api("user", "--jq", ".[").code == 1
    said = warm.run("gh-p2pcache", "api", "user", without=("GH_TOKEN",))
    assert (said.code, said.out) == (4, "")


def test_stdin_reaches_gh(warm: Entry) -> None:
    warm.telling_gh("cat")

    assert warm.run("gh-p2pcache", "api", "user", "--input", "-", stdin="body").out.endswith("body")


def test_ctrl_c_ends_gh_and_then_us_by_the_signal(warm: Entry) -> None:
    ended = warm.root / "ended"
    warm.telling_gh(
        f"trap 'sleep 0.3; echo >{ended}; exit 130' INT; echo ready; while :; do sleep 0.05; done"
    )
    running = subprocess.Popen(
        [warm.extension / "gh-p2pcache", "api", "user"],
        env=warm.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert running.stdout
    assert b"ready\n" in running.stdout
    os.killpg(running.pid, signal.SIGINT)
    until(lambda: os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG))

    assert ended.exists(), "we went before gh had finished"
    running.communicate(timeout=10)
    assert running.returncode == -signal.SIGINT
    ended.unlink()


@pytest.mark.parametrize(
    ("value", "sent", "complaint"),
    [("10m", "600", ""), ("soon", None, "CACHE_DEFAULT_TTL"), ("", None, "")],
)
def test_the_default_ttl_of_the_environment_counts_for_this_call(
    warm: Entry, value: str, sent: str | None, complaint: str
) -> None:
    said = warm.api("user", CACHE_DEFAULT_TTL=value)

    assert said.answer["ours"].get("x-p2pcache-default-ttl") == sent
    assert complaint in said.err
    assert said.err.count("\n") == bool(complaint)


def test_the_profile_of_the_environment_counts(warm: Entry) -> None:
    assert warm.api("user", CACHE_PROFILE="exact").answer["profile"] == "exact"

    said = warm.api("user", CACHE_PROFILE="fast")
    assert said.answer["profile"] == "ttl"
    assert (
        said.err
        == "gh-p2pcache: CACHE_PROFILE takes ttl or exact ('fast' was given); ttl is used\n"
    )


def test_a_bad_log_level_is_named(warm: Entry) -> None:
    said = warm.api("user", CACHE_LOG="debug")

    assert said.answer["profile"] == "ttl"
    assert said.err == (
        "gh-p2pcache: CACHE_LOG takes warning or info ('debug' was given); warning is used\n"
    )


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_shows_our_flags_and_gh_s(entry: Entry, flag: str) -> None:
    said = entry.api(flag)

    assert said.code == 0
    assert "--offline" in said.out
    assert "--paginate" in said.out


HELPER = (
    '[credential]\n\thelper = "!f() { echo asked >>$HOME/asked;'
    ' test \\"$1\\" = get && echo username=x && echo password=tok=en; }; f"\n'
)


@pytest.mark.parametrize(
    ("host", "variable"), [("", "GH_TOKEN"), ("ghe.example.com", "GH_ENTERPRISE_TOKEN")]
)
def test_without_a_login_of_gh_the_token_is_git_s(entry: Entry, host: str, variable: str) -> None:
    (entry.home / ".gitconfig").write_text(HELPER)
    entry.telling_gh()
    where = ["--hostname", host] if host else []

    said = entry.run("gh-p2pcache", "api", "user", *where, CACHE_DISABLE="1", without=("GH_TOKEN",))

    assert said.told[variable] == "tok=en"
    assert "tok" not in said.told["args"]


def test_a_token_of_git_reaches_the_daemon_too(warm: Entry) -> None:
    (warm.home / ".gitconfig").write_text(HELPER)

    said = warm.run("gh-p2pcache", "api", "user", without=("GH_TOKEN",))

    assert said.answer["profile"] == "ttl"
    assert said.answer["token"] == "token tok=en"


def test_git_is_not_asked_where_gh_has_a_login(entry: Entry) -> None:
    (entry.home / ".gitconfig").write_text(HELPER)
    entry.telling_gh()
    entry.api("user", CACHE_DISABLE="1")
    (entry.config / "hosts.yml").write_text("github.com:\n    oauth_token: gho_other\n")
    entry.run("gh-p2pcache", "api", "user", CACHE_DISABLE="1", without=("GH_TOKEN",))

    assert not (entry.home / "asked").exists()


def test_git_is_asked_for_a_host_that_hosts_yml_does_not_name(entry: Entry) -> None:
    (entry.home / ".gitconfig").write_text(HELPER)
    entry.telling_gh()
    (entry.config / "hosts.yml").write_text("ghe.example.com:\n    oauth_token: gho_other\n")
    said = entry.run(
        "gh-p2pcache",
        "api",
        "--hostname=github.com",
        "user",
        CACHE_DISABLE="1",
        without=("GH_TOKEN",),
    )

    assert said.told["GH_TOKEN"] == "tok=en"


def test_git_never_asks_the_user(entry: Entry) -> None:
    asking = entry.script(entry.root / "ask", f"echo asked >>{entry.home}/asked; echo x")
    entry.telling_gh()

    said = entry.run(
        "gh-p2pcache",
        "api",
        "user",
        without=("GH_TOKEN",),
        CACHE_DISABLE="1",
        GIT_ASKPASS=str(asking),
        SSH_ASKPASS=str(asking),
    )

    assert not (entry.home / "asked").exists()
    assert said.told["GH_TOKEN"] == "unset"
    assert said.err == ""
