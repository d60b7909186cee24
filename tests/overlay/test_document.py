"""gh's YAML: what is read, what an overlay says, what makes it unusable."""

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.overlay import document
from gh_p2pcache.overlay.document import UnusableError
from support.gh import GH

REAL = """\
# The current version of the config schema
version: "1"
# What protocol to use when performing git operations. Supported values: ssh, https
git_protocol: ssh
# What editor gh should run when creating issues, pull requests, etc.
editor:
prompt: enabled
aliases:
    co: pr checkout
    'on': '!gh run list --json "status" | jq .'
    ok: |
        pr list
        --web
http_unix_socket:
browser: 0x10
"""


def test_a_real_configuration_keeps_every_value_and_gets_our_socket() -> None:
    before = document.parse(REAL, "config.yml")

    after = document.parse(document.overlaid(before, "/run/ttl.sock"), "overlay")

    assert after == before | {"http_unix_socket": "/run/ttl.sock"}
    assert after["browser"] == "0x10"
    assert after["aliases"]["on"].startswith("!gh run list")


@pytest.mark.parametrize("version", sorted(GH))
def test_gh_reads_an_overlay_as_it_reads_the_real_one(tmp_path: Path, version: str) -> None:
    def gh(directory: Path, *arguments: str) -> str:
        env = {"GH_CONFIG_DIR": str(directory), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        said = subprocess.run(
            [GH[version], *arguments], env=env, capture_output=True, text=True, check=True
        )
        return said.stdout

    real, overlay = tmp_path / "real", tmp_path / "overlay"
    for directory, text in (
        (real, REAL),
        (overlay, document.overlaid(document.parse(REAL, ""), "/run/ttl.sock")),
    ):
        directory.mkdir()
        (directory / "config.yml").write_text(text)

    for asked in (["alias", "list"], *(["config", "get", key] for key in ("editor", "browser"))):
        assert gh(overlay, *asked) == gh(real, *asked)
    assert gh(overlay, "config", "get", "http_unix_socket") == "/run/ttl.sock\n"
    assert gh(overlay, "config", "get", "git_protocol") == "ssh\n"


def test_an_overlay_always_has_a_version_and_keeps_the_user_s() -> None:
    assert document.parse(document.overlaid({}, "/s"), "") == {
        "version": "1",
        "http_unix_socket": "/s",
    }
    assert document.parse(document.overlaid({"version": "2"}, "/s"), "")["version"] == "2"


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20)


@given(st.dictionaries(words.filter(bool), words | st.dictionaries(words, words), max_size=8))
def test_any_strings_survive(config: dict[str, object]) -> None:
    text = document.overlaid(config, "/s")

    assert document.parse(text, "") == {"version": "1"} | config | {"http_unix_socket": "/s"}
    assert yaml.safe_load(text)["http_unix_socket"] == "/s"


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "{}"])
def test_an_empty_file_is_an_empty_configuration(text: str) -> None:
    assert document.parse(text, "config.yml") == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("aliases: [", "config.yml is not valid YAML"),
        ("a: b\n---\nc: d\n", "config.yml is not valid YAML"),
        ("- a\n- b\n", "config.yml is not a mapping"),
        ("just words", "config.yml is not a mapping"),
        ("a: \x00", "config.yml is not valid YAML"),
        ("!!python/object/apply:os.system ['true']", "config.yml is not a mapping"),
    ],
)
def test_what_gh_could_not_read_is_unusable(text: str, reason: str) -> None:
    with pytest.raises(UnusableError, match=reason):
        document.parse(text, "config.yml")


@given(st.text(max_size=60))
def test_any_text_is_read_or_unusable(text: str) -> None:
    with suppress(UnusableError):
        assert isinstance(document.parse(text, "config.yml"), dict)


def test_aliases_that_may_not_go_through_the_daemon_are_told_apart() -> None:
    aliases = {
        "ed": "config set editor",
        "login": "--help auth login",
        "co": "pr checkout",
        "lab": "api --cache 1h repos/o/r/labels",
        "raw": "api repos/o/r/labels",
        "sh": "!gh config list",
        "odd": ["config"],
    }

    assert document.plain_aliases({"aliases": aliases}) == ["ed", "login", "lab"]
    assert document.plain_aliases({"aliases": "none"}) == []
    assert document.plain_aliases({}) == []
