"""`gh p2pcache exec`: every gh that a command starts, however deep."""

import pytest

from support.entry import Entry
from support.wait import until


def test_every_gh_of_the_command_is_cached_however_deep(warm: Entry) -> None:
    said = warm.run("gh-p2pcache", "exec", "--", "sh", "-c", "sh -c 'gh api user'")

    assert said.answer["profile"] == "exact"


def test_its_profile_can_be_chosen(warm: Entry) -> None:
    for flag in (["--profile", "ttl"], ["--profile=ttl"]):
        said = warm.run("gh-p2pcache", "exec", *flag, "gh", "api", "user")
        assert said.answer["profile"] == "ttl"


def test_a_profile_is_exported_only_if_asked(warm: Entry) -> None:
    show = ["sh", "-c", 'echo "${CACHE_PROFILE-unset}"']

    assert warm.run("gh-p2pcache", "exec", *show).out == "unset\n"
    assert warm.run("gh-p2pcache", "exec", "--profile", "exact", *show).out == "exact\n"


def test_the_command_gets_its_arguments_stdin_and_gives_its_exit_code(warm: Entry) -> None:
    said = warm.run(
        "gh-p2pcache", "exec", "sh", "-c", 'cat; echo "$@"; exit 7', "x", "a b", "--", "-q",
        stdin="in\n",
    )  # fmt: skip

    assert (said.code, said.out, said.err) == (7, "in\na b -- -q\n", "")


def test_gh_auth_in_it_sees_the_real_directory(warm: Entry) -> None:
    warm.telling_gh()

    told = warm.run("gh-p2pcache", "exec", "gh", "auth", "status", GH_PATH="/users/own/gh").told

    assert told["GH_CONFIG_DIR"] == "unset"
    assert told["GH_PATH"] == "/users/own/gh"


def test_gh_path_leads_to_the_shim_for_those_who_ask_it(warm: Entry) -> None:
    said = warm.run("gh-p2pcache", "exec", "sh", "-c", '"$GH_PATH" api user')

    assert said.answer["profile"] == "exact"


def test_called_from_within_a_cached_gh_it_hands_the_real_directory_on(warm: Entry) -> None:
    warm.telling_gh(f"exec {warm.extension}/gh-p2pcache exec sh -c 'echo in:$GH_CONFIG_DIR'")

    assert f"in:{warm.config}" in warm.run("gh", "outer").out.splitlines()


def test_the_shim_is_first_in_path_once(warm: Entry) -> None:
    inner = f"{warm.extension}/gh-p2pcache exec sh -c 'echo $PATH'"

    path = warm.run("gh-p2pcache", "exec", "sh", "-c", inner).out.strip()

    assert path == f"{warm.shim.parent}:{warm.env['PATH']}"


def test_without_a_shim_the_command_still_runs(entry: Entry) -> None:
    entry.shim.unlink()

    said = entry.run("gh-p2pcache", "exec", "gh", "api", "user")

    assert said.answer["github"]
    assert said.err.startswith("gh-p2pcache: the engine is being set up in the background")
    assert said.err.count("\n") == 1
    until(lambda: entry.installed == ["--background-setup"])


@pytest.mark.parametrize(
    "arguments", [[], ["--"], ["--profile", "fast", "true"], ["--profile"], ["--quick", "true"]]
)
def test_a_command_line_that_cannot_be_is_refused(entry: Entry, arguments: list[str]) -> None:
    said = entry.run("gh-p2pcache", "exec", *arguments)

    assert said.code == 2
    assert said.err.count("\n") == 1


def test_help_has_examples(entry: Entry) -> None:
    said = entry.run("gh-p2pcache", "exec", "--help")

    assert said.code == 0
    assert "EXAMPLES" in said.out
