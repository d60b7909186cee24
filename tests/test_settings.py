"""Settings: environment over file over default, and what a bad value costs: one line, no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from gh_p2pcache import settings
from gh_p2pcache.errors import ConfigError
from gh_p2pcache.parsers import parse_duration, parse_size

HOME = {"HOME": "/home/user"}
PEER = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"


def test_the_environment_wins_over_the_file_and_the_file_over_the_default() -> None:
    file = {"default_ttl": "10m", "trust": "team"}
    loaded = settings.load({**HOME, "CACHE_DEFAULT_TTL": "60"}, file)
    assert (loaded.default_ttl, loaded.trust, loaded.max_stale) == (60.0, "team", 86400.0)
    sources = {name: loaded.effective[name].source for name in ("CACHE_DEFAULT_TTL", "CACHE_TRUST")}
    assert sources == {"CACHE_DEFAULT_TTL": "env", "CACHE_TRUST": "file"}


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("CACHE_DEFAULT_TTL", "soon"),
        ("CACHE_DIR", "cache"),
        ("CACHE_SHARE", "acme"),
        ("CACHE_MAX_SIZE", "much"),
        ("CACHE_HTTP_PORT", "70000"),
        ("CACHE_TRUST", "everybody"),
        ("CACHE_UPSTREAM", "http://elsewhere.example"),
        ("CACHE_UPSTREAM", "ftp://127.0.0.1"),
        ("CACHE_LISTEN_PORT", "0"),
        ("CACHE_BOOTSTRAP_PEERS", "cache.acme.dev:9100"),
        ("CACHE_BOOTSTRAP_PEERS", f"/ip4/10.0.0.1/tcp/0/p2p/{PEER}"),
        ("CACHE_BOOTSTRAP_PEERS", "/ip4/10.0.0.1/tcp/9100/p2p/12D3KooW"),
        ("CACHE_TRUSTED_PEERS", f"{PEER},somebody"),
        ("CACHE_IPFS_API", "127.0.0.1:5001"),
    ],
)
def test_a_bad_value_is_named_once_and_the_default_used(name: str, bad: str) -> None:
    loaded = settings.load({**HOME, name: bad})
    (warning,) = loaded.warnings
    assert warning.startswith(name)
    assert bad in warning
    default = settings.load(HOME)
    assert loaded.effective[name].text == default.effective[name].text


def test_a_secret_is_never_shown_in_a_warning() -> None:
    loaded = settings.load({**HOME, "CACHE_P2P_SHARED_SECRET": "s3cret"}, {"p2p_shared_secret": 1})
    assert not any("s3cret" in warning for warning in loaded.warnings)


def test_what_sh_reads_cannot_come_from_the_file() -> None:
    loaded = settings.load(HOME, {"profile": "exact", "state_dir": "/x"})
    assert len(loaded.warnings) == 2
    assert loaded.effective["CACHE_PROFILE"].source == "default"


def test_the_older_name_of_the_store_still_counts() -> None:
    loaded = settings.load({**HOME, "IPFS_ACCELERATE_CACHE_DIR": "/srv/cache"})
    assert str(loaded.cache_dir) == "/srv/cache"


def test_in_ci_the_gateway_never_leaves_of_idleness_unless_told() -> None:
    assert settings.load({**HOME, "CI": "true"}).idle_exit == 0
    assert settings.load({**HOME, "CI": "true", "CACHE_IDLE_EXIT": "5m"}).idle_exit == 300


def test_a_keeper_never_leaves_of_idleness() -> None:
    loaded = settings.load({**HOME, settings.KEEPER: "1", "CACHE_IDLE_EXIT": "5m"})
    assert (loaded.keeper, loaded.idle_exit) == (True, 0)
    assert not settings.load(HOME).keeper


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("30s", 30), ("5m", 300), ("2h30m", 9000), ("1d", 86400), ("150ms", 0.15)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "5 minutes", "-5", "1h2d", "∞"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="takes a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"), [("1048576", 1 << 20), ("256MiB", 256 << 20), ("1G", 1 << 30), ("8 kB", 8192)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


def test_peers_are_on_by_default_and_the_lan_is_left_to_the_team() -> None:
    loaded = settings.load(HOME)
    assert (loaded.enable_p2p, loaded.listen_port, loaded.peer_deadline) == (True, 9100, 0.15)
    assert (loaded.mdns, loaded.bootstrap_peers, loaded.trusted_peers) == (None, (), ())


def test_peers_from_environment_and_file() -> None:
    there = "/dns/cache.acme.dev/tcp/9100"
    here = f"/ip6/fe80::1/tcp/9101/p2p/{PEER}"
    env = {**HOME, "CACHE_ENABLE_P2P": "off", "CACHE_BOOTSTRAP_PEERS": f"{there}, {here}"}

    loaded = settings.load(env, {"mdns": False, "trusted_peers": [PEER], "ipfs_api": "http://k:1/"})

    assert loaded.warnings == ()
    assert (loaded.enable_p2p, loaded.mdns) == (False, False)
    assert loaded.bootstrap_peers == (there, here)
    assert loaded.trusted_peers == (PEER,)
    assert loaded.ipfs_api == "http://k:1"


def test_a_file_that_is_no_toml_is_left_out_with_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "gh-p2pcache/config.toml"
    file.parent.mkdir()
    file.write_text("default_ttl = 60\nmax_size: 1G\n")
    env = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "CACHE_MAX_ENTRY": "1M"}

    there = settings.in_force(env)

    assert (there.default_ttl, there.max_entry) == (300, 1 << 20)
    (warning,) = there.warnings
    assert str(file) in warning
    assert warning.endswith("; the file is left out")
