"""A setting of the call that differs from the running daemon's is never ignored in silence."""

from collections.abc import Iterator

import pytest

from gh_p2pcache.supervisor import client
from support.entry import Entry
from support.wait import until

DECIDING = {
    "CACHE_UPSTREAM": "https://proxy.example",
    "CACHE_TRUST": "team",
    "CACHE_SHARE": "acme/*",
    "CACHE_P2P_SHARED_SECRET": "hunter2",
    "HTTPS_PROXY": "http://user:password@127.0.0.1:1",
    "no_proxy": "*",
    "SSL_CERT_FILE": "/etc/other.pem",
}


@pytest.mark.parametrize("name", DECIDING)
def test_where_a_token_goes_is_never_decided_against_the_caller(warm: Entry, name: str) -> None:
    warm.telling_gh()

    said = warm.run("gh", "pr", "list", **{name: DECIDING[name]})

    assert said.told["GH_CONFIG_DIR"] == "unset"
    assert f"{name} differs from the running daemon's (gh p2pcache restart" in said.err
    assert said.err.count("\n") == 1


@pytest.fixture
def decided(warm: Entry) -> Iterator[Entry]:
    """A daemon that works with all of the deciding settings."""
    client.restart(warm.daemon.state, warm.daemon.env | DECIDING)
    warm.telling_gh()
    yield warm
    client.restart(warm.daemon.state, warm.daemon.env)
    warm.warm()


def test_the_same_settings_are_agreed_with_and_each_missing_one_is_not(decided: Entry) -> None:
    said = decided.run("gh", "pr", "list", **DECIDING)
    # Another upstream than the user's own http_unix_socket: refused, but not for a difference.
    assert "differs" not in said.err

    for name in DECIDING:
        rest = {key: value for key, value in DECIDING.items() if key != name}
        said = decided.run("gh", "pr", "list", **rest)
        assert f"{name} differs from the running daemon's" in said.err
        assert "overlay" not in said.told["GH_CONFIG_DIR"]


@pytest.mark.parametrize("name", ["CACHE_P2P_SHARED_SECRET", "HTTPS_PROXY"])
def test_another_secret_differs(decided: Entry, name: str) -> None:
    said = decided.run("gh", "pr", "list", **(DECIDING | {name: DECIDING[name] + "x"}))

    assert f"{name} differs" in said.err
    assert "hunter2" not in said.err
    assert "password" not in said.err


def test_a_value_that_the_daemon_has_from_its_file_is_the_same(warm: Entry) -> None:
    published = warm.daemon.run / "settings"
    text = published.read_text()
    changed = text.replace("CACHE_TRUST default proof", "CACHE_TRUST file team")
    assert changed != text
    published.write_text(changed)
    try:
        same = warm.run("gh", "api", "user", CACHE_TRUST="team")
        unset = warm.run("gh", "api", "user")
        other = warm.run("gh", "pr", "list", CACHE_TRUST="proof")
    finally:
        published.write_text(text)

    assert (same.err, unset.err) == ("", "")
    assert "CACHE_TRUST differs" in other.err


@pytest.mark.parametrize(
    "name", ["CACHE_DIR", "IPFS_ACCELERATE_CACHE_DIR", "CACHE_MAX_SIZE", "CACHE_IDLE_EXIT"]
)
def test_other_settings_are_said_and_not_obeyed(warm: Entry, name: str) -> None:
    said = warm.run("gh", "api", "user", **{name: "7"})

    assert said.answer["profile"] == "exact"
    shown = "CACHE_DIR" if name.startswith("IPFS") else name
    assert said.err == (
        f"gh-p2pcache: {shown} differs from the running daemon's and is not obeyed"
        " (gh p2pcache restart)\n"
    )


def test_a_value_equal_to_the_default_does_not_differ(warm: Entry) -> None:
    said = warm.run("gh", "api", "user", CACHE_MAX_SIZE="256MiB", CACHE_TRUST="proof")

    assert (said.answer["profile"], said.err) == ("exact", "")


def test_the_default_ttl_is_obeyed_by_api_and_said_by_the_shim_in_profile_ttl(warm: Entry) -> None:
    assert warm.api("user", CACHE_DEFAULT_TTL="7").err == ""
    assert warm.run("gh", "api", "user", CACHE_DEFAULT_TTL="7").err == ""

    said = warm.run("gh", "api", "user", CACHE_DEFAULT_TTL="7", CACHE_PROFILE="ttl")

    assert "CACHE_DEFAULT_TTL differs" in said.err


def test_a_restarted_daemon_is_asked_for_the_overlay_anew(warm: Entry) -> None:
    made = warm.daemon.state / "overlay/exact" / str(warm.config).lstrip("/") / "@/made"
    before = made.stat().st_ino

    warm.run("gh", "api", "user")
    assert made.stat().st_ino == before
    client.restart(warm.daemon.state, warm.daemon.env)
    until(lambda: warm.run("gh", "api", "user").answer.get("profile") == "exact")

    assert made.stat().st_ino != before
