"""The shim: every gh in profile `exact`, and the user's own configuration where gh writes it."""

import os
import subprocess
from pathlib import Path

import pytest

from support.entry import Entry
from support.gh import GH


@pytest.mark.parametrize("version", sorted(GH))
def test_gh_is_answered_by_the_daemon_in_profile_exact(warm: Entry, version: str) -> None:
    warm.use_gh(GH[version])

    said = warm.run("gh", "api", "user")

    assert (said.code, said.err) == (0, "")
    assert said.answer["profile"] == "exact"
    assert said.answer["ours"] == {}


def test_the_profile_of_the_environment_counts(warm: Entry) -> None:
    assert warm.run("gh", "api", "user", CACHE_PROFILE="ttl").answer["profile"] == "ttl"


@pytest.mark.parametrize("version", sorted(GH))
@pytest.mark.parametrize("before", [[], ["-f", "a=b", "--method", "GET"]])
def test_what_gh_would_pin_is_asked_for_without_stale_answers(
    warm: Entry, version: str, before: list[str]
) -> None:
    warm.use_gh(GH[version])

    said = warm.run("gh", *before, "api", "user", "--cache", "0s")

    assert said.answer["ours"] == {"x-p2pcache-mode": "no-stale"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["auth", "status"],
        ["config", "set", "editor", "vim"],
        ["alias", "list"],
        ["extension", "list"],
        ["extensions", "list"],
        ["ext", "list"],
        ["completion", "-s", "bash"],
        ["version"],
        ["help", "api"],
        ["--version"],
        ["--help"],
        ["-h"],
        [],
        ["--hostname", "api", "auth", "status"],
        ["-R", "api", "config", "list"],
        ["--repo=api", "alias", "list"],
    ],
)
def test_what_concerns_gh_s_configuration_goes_to_the_real_one(
    warm: Entry, arguments: list[str]
) -> None:
    warm.telling_gh()

    told = warm.run("gh", *arguments, GH_PATH="/users/own/gh").told

    assert told["args"] == " ".join(arguments)
    assert told["GH_CONFIG_DIR"] == "unset"
    assert told["GH_PATH"] == "/users/own/gh"


@pytest.mark.parametrize(
    "arguments",
    [
        ["pr", "list"],
        ["-R", "auth", "pr", "list"],
        ["--repo", "config", "issue", "view", "1"],
        ["api", "auth"],
        ["authors"],
    ],
)
def test_everything_else_goes_through_the_overlay(warm: Entry, arguments: list[str]) -> None:
    warm.telling_gh()

    told = warm.run("gh", *arguments).told

    assert told["args"] == " ".join(arguments)
    assert told["GH_CONFIG_DIR"] == f"{warm.daemon.state}/overlay/exact{warm.config}/@"
    assert told["GH_PATH"] == str(warm.shim)


def test_an_extension_that_asks_gh_path_comes_back_to_the_shim_and_auth_gets_the_user_s_own(
    warm: Entry,
) -> None:
    warm.telling_gh('[ "$1" = auth ] || exec "$GH_PATH" auth setup-git')

    lines = warm.run("gh", "some-extension", GH_PATH="/users/own/gh").out.splitlines()

    assert lines[0] == "args: some-extension"
    assert f"GH_PATH={warm.shim}" in lines
    second = lines[lines.index("args: auth setup-git") :]
    assert f"GH_CONFIG_DIR={warm.config}" in second
    assert "GH_PATH=/users/own/gh" in second


def test_a_nested_gh_is_cached_and_finds_the_real_configuration(warm: Entry) -> None:
    warm.telling_gh(f'[ "$1" = auth ] || {{ {warm.shim} auth status; exec {warm.shim} auth x; }}')

    lines = warm.run("gh", "outer", GH_CONFIG_DIR=str(warm.config)).out.splitlines()

    assert lines.count(f"GH_CONFIG_DIR={warm.config}") == 2
    assert lines.count("GH_PATH=unset") == 2


def test_a_nested_gh_p2pcache_api_is_not_lost_in_the_outer_overlay(warm: Entry) -> None:
    script = warm.script(
        warm.root / "nested", f"GH_CONFIG_DIR={warm.config} {warm.extension}/gh-p2pcache api user"
    )
    warm.telling_gh(f'[ "$1" = api ] || {script}')

    lines = warm.run("gh", "outer").out.splitlines()

    assert f"GH_CONFIG_DIR={warm.daemon.state}/overlay/ttl{warm.config}/@" in lines


def test_another_state_directory_inside_maps_back_too(warm: Entry, tmp_path: Path) -> None:
    warm.telling_gh(f'[ "$1" = auth ] || CACHE_STATE_DIR={tmp_path} exec {warm.shim} auth status')

    lines = warm.run("gh", "outer").out.splitlines()

    assert lines.count(f"GH_CONFIG_DIR={warm.config}") == 1


def test_gh_p2pcache_needs_no_extension_where_the_shim_is(warm: Entry) -> None:
    # Of two jobs that one user runs side by side, neither may take the other's extension away.
    warm.telling_gh()

    told = warm.run("gh", "p2pcache", "api", "user").told

    assert told["args"].startswith("api ")
    assert told["GH_CONFIG_DIR"] == f"{warm.daemon.state}/overlay/ttl{warm.config}/@"


def test_several_configurations_stay_apart(warm: Entry) -> None:
    work, home = warm.home / "work", warm.config
    warm.configure(work)
    (work / "hosts.yml").write_text("github.com:\n    oauth_token: gho_work\n")
    (home / "hosts.yml").write_text("github.com:\n    oauth_token: gho_home\n")
    without = ("GH_TOKEN",)

    for _ in range(2):
        at_work = warm.run("gh", "api", "user", GH_CONFIG_DIR=str(work), without=without)
        at_home = warm.run("gh", "api", "user", without=without)
        assert (at_work.answer["profile"], at_work.answer["token"]) == ("exact", "token gho_work")
        assert (at_home.answer["profile"], at_home.answer["token"]) == ("exact", "token gho_home")


@pytest.mark.parametrize("spelling", ["../home/.config/gh", "./.config//gh/", ".config/x/../gh/."])
def test_odd_spellings_of_a_configuration_are_one(warm: Entry, spelling: str) -> None:
    warm.telling_gh()

    told = warm.run("gh", "pr", "list", GH_CONFIG_DIR=spelling).told

    assert told["GH_CONFIG_DIR"] == f"{warm.daemon.state}/overlay/exact{warm.config}/@"


def test_a_changed_configuration_is_seen_by_the_next_call(warm: Entry) -> None:
    (warm.home / "other.sock").unlink(missing_ok=True)
    own = warm.home / "changing"
    warm.configure(own)
    warm.run("gh", "api", "user", GH_CONFIG_DIR=str(own))
    overlay = warm.daemon.state / "overlay/exact" / str(own).lstrip("/") / "@/config.yml"
    assert "git_protocol" not in overlay.read_text()

    warm.configure(own, "git_protocol: ssh\n")
    warm.run("gh", "api", "user", GH_CONFIG_DIR=str(own))
    assert "git_protocol: ssh" in overlay.read_text()

    # As a restored backup does: other content, an older time.
    warm.configure(own, "git_protocol: https\n")
    os.utime(own / "config.yml", (1, 1))
    warm.run("gh", "api", "user", GH_CONFIG_DIR=str(own))
    assert "git_protocol: https" in overlay.read_text()


def test_an_alias_for_a_command_that_writes_the_configuration_writes_the_real_one(
    warm: Entry,
) -> None:
    own = warm.home / "aliased"
    warm.configure(own, "aliases:\n    ed: config set editor\n    mine: api user\n")
    assert warm.run("gh", "mine", GH_CONFIG_DIR=str(own)).answer["profile"] == "exact"

    assert warm.run("gh", "ed", "vim", GH_CONFIG_DIR=str(own)).code == 0

    assert "editor: vim" in (own / "config.yml").read_text()


def test_the_standing_notice_is_printed_while_there_is_one(warm: Entry) -> None:
    notice = warm.daemon.run / "notice"
    notice.write_text("GitHub could not be reached at 12:40\n")
    try:
        said = warm.run("gh", "api", "user")
    finally:
        notice.unlink()

    assert said.answer["profile"] == "exact"
    assert said.err == "gh-p2pcache: GitHub could not be reached at 12:40\n"
    assert warm.run("gh", "api", "user").err == ""


def test_the_shim_passes_other_shims_and_itself_in_path(warm: Entry, tmp_path: Path) -> None:
    other = tmp_path / "gh-p2pcache/shim"
    other.mkdir(parents=True)
    (other / "gh").symlink_to(warm.extension / "gh-p2pcache")
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "gh").symlink_to(warm.shim)
    (tmp_path / "folder/gh").mkdir(parents=True)
    before = f"{warm.shim.parent}:{other}:{linked}:{tmp_path}/folder:{tmp_path}/nowhere::"

    said = warm.run("gh", "api", "user", PATH=before + warm.env["PATH"])

    assert said.answer["profile"] == "exact"


def test_no_gh_at_all_is_said(entry: Entry) -> None:
    said = entry.run("gh", "api", "user", PATH=str(entry.shim.parent))

    assert said.code == 127
    assert said.err == "gh-p2pcache: gh is not in PATH (https://cli.github.com)\n"


def test_a_usual_call_starts_no_process_but_gh(warm: Entry) -> None:
    """Counted by the kernel: the shim's process becomes gh, its pid is gh's, nothing else ran."""
    warm.telling_gh("echo pid=$$")

    running = subprocess.Popen(
        [warm.shim, "pr", "list"], env=warm.env, stdout=subprocess.PIPE, text=True
    )
    out, _ = running.communicate(timeout=20)

    assert f"pid={running.pid}" in out.splitlines()


def test_a_host_that_was_not_verified_goes_past_the_daemon_until_it_is(warm: Entry) -> None:
    warm.telling_gh()
    overlay = warm.daemon.state / "overlay/exact" / str(warm.config).lstrip("/") / "@"
    assert not (overlay / "hosts/ghe.example.com").exists()

    told = warm.run("gh", "pr", "list", GH_HOST="ghe.example.com").told

    # The stand-in gateway verifies whatever it is asked.
    assert told["GH_CONFIG_DIR"] == str(overlay)
    assert (overlay / "hosts/ghe.example.com").exists()


def test_a_host_that_is_none_goes_to_gh_as_it_is(warm: Entry) -> None:
    warm.telling_gh()

    said = warm.run("gh", "pr", "list", GH_HOST="../../x")

    assert said.told["GH_CONFIG_DIR"] == "unset"
    assert said.err == "gh-p2pcache: GH_HOST: '../../x' is no host name; gh asks GitHub itself\n"
