"""config list, get, set, unset: environment over config.toml over default."""

import json
import stat

import pytest

from gh_p2pcache import settings
from gh_p2pcache.cli.checkup import configuration
from support.machine import Machine

VALUES = {
    "default_ttl": "10m",
    "dir": "/somewhere/else",
    "p2p_shared_secret": "correct horse",
    "upstream": "https://proxy.example",
    "trust": "team",
    "share": "acme/*, octo/hello",
    "max_stale": "90",
    "max_size": "1GiB",
    "max_entry": "1048576",
    "http_port": "8080",
    "idle_exit": "0",
    "enable_p2p": "false",
    "listen_port": "9200",
    "bootstrap_peers": "/dns4/cache.acme.dev/tcp/9100/p2p/"
    "12D3KooW9pP4Seg3kZYhySpuVjn1RPdQBsUFZKiFxGMGQN5MeL6A",
    "mdns": "true",
    "peer_deadline": "80ms",
    "trusted_peers": "12D3KooW9pP4Seg3kZYhySpuVjn1RPdQBsUFZKiFxGMGQN5MeL6A",
    "ipfs_api": "http://127.0.0.1:5001",
    "ipfs_gateway": "https://ipfs.acme.dev",
}
"""A value for every setting that config.toml may hold."""


def of_the_file() -> list[settings.Name[object]]:
    return [n for n in settings.NAMES if "D" in n.read_by and n is not settings.STATE_DIR]


def listed(machine: Machine, **env: str) -> dict[str, dict[str, str]]:
    told = json.loads(machine.do("config", "list", "--json", env=env).stdout)
    rows: dict[str, dict[str, str]] = told["settings"]
    return rows


@pytest.mark.parametrize("name", of_the_file(), ids=lambda name: str(name.key))
def test_what_is_set_is_what_the_daemon_reads(
    machine: Machine, name: settings.Name[object]
) -> None:
    said = machine.do("config", "set", name.name, VALUES[name.key])

    assert (said.exit_code, said.stderr) == (0, "")
    file = settings.read_file(machine.config)
    effective = settings.load({}, file).effective[name.name]
    assert effective.source == "file"
    assert name.parse(effective.text) == name.parse(VALUES[name.key])


@pytest.mark.parametrize(
    ("key", "value", "code", "said"),
    [
        ("max_size", "much", 5, "max_size takes a size such as 256MiB or 1G ('much' was given)"),
        ("trust", "none", 5, "trust takes one of proof, team ('none' was given)"),
        ("upstream", "http://proxy.example", 5, "upstream takes https://HOST"),
        ("max_size", "", 5, "max_size takes a"),
        ("dir", "", 5, "dir takes a value (gh p2pcache config unset dir)"),
        ("state_dir", "/x", 5, "CACHE_STATE_DIR counts in the environment only"),
        ("disable", "1", 5, "CACHE_DISABLE counts in the environment only"),
        ("dir", "cache", 5, "dir takes an absolute path ('cache' was given)"),
        ("share", "acme", 5, "share takes repositories such as 'acme/*'"),
        ("rules.repos/acme/*", "1h", 5, "rules: 'repos/acme/*' names no host, as"),
        ("rules.user", "soon", 5, "rules: 'user' takes a duration"),
        ("max_sise", "1", 2, "'max_sise' is not a setting (did you mean max_size?)"),
        ("CACHE_MAX_SISE", "1", 2, "did you mean max_size?"),
        ("colour", "red", 2, "'colour' is not a setting (gh p2pcache config list shows them all)"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    machine: Machine, key: str, value: str, code: int, said: str
) -> None:
    given = machine.do("config", "set", key, value)

    assert given.exit_code == code
    assert given.stderr.startswith("gh-p2pcache: ")
    assert said in given.stderr
    assert given.stderr.count("\n") == 1
    assert not machine.config.exists()


def test_comments_and_everything_else_in_the_file_stay(machine: Machine) -> None:
    machine.config.parent.mkdir(parents=True)
    machine.config.write_text(
        '# mine\nmax_size = "1GiB"  # plenty\n\n[rules]\n# often\n"*/user" = 60\n'
    )

    machine.do("config", "set", "max_entry", "2MiB")
    machine.do("config", "set", "max_size", "2GiB")
    machine.do("config", "set", "rules.*/zen", "1h")

    assert machine.config.read_text() == (
        '# mine\nmax_size = "2GiB"  # plenty\nmax_entry = "2MiB"\n\n'
        '[rules]\n# often\n"*/user" = 60\n"*/zen" = "1h"\n'
    )


def test_unset_takes_back_what_set_made(machine: Machine) -> None:
    machine.do("config", "set", "max_size", "2GiB")
    machine.do("config", "set", "rules.*/user", "60")

    assert machine.do("config", "unset", "CACHE_MAX_SIZE").exit_code == 0
    assert machine.do("config", "unset", "rules.*/user").exit_code == 0

    assert settings.read_file(machine.config) == {}


def test_unset_removes_a_key_that_is_no_setting(machine: Machine) -> None:
    machine.config.parent.mkdir(parents=True)
    machine.config.write_text("colour = 'red'\n")

    assert "'colour' is no setting of this file" in machine.do("config", "list").stderr
    machine.do("config", "unset", "colour")

    assert machine.config.read_text() == ""


def test_unset_of_what_is_not_set_says_so(machine: Machine) -> None:
    said = machine.do("config", "unset", "max_size")

    assert (said.exit_code, said.stdout) == (0, "config.toml does not set 'max_size'.\n")
    assert not machine.config.exists()


def test_the_environment_overrules_the_file_and_the_file_the_default(machine: Machine) -> None:
    assert listed(machine)["CACHE_MAX_SIZE"] == {"value": "256MiB", "source": "default"}
    machine.do("config", "set", "max_size", "1GiB")
    assert listed(machine)["CACHE_MAX_SIZE"] == {"value": "1GiB", "source": "file"}
    in_env = {"CACHE_MAX_SIZE": "2GiB"}
    assert listed(machine, **in_env)["CACHE_MAX_SIZE"] == {"value": "2GiB", "source": "env"}

    said = machine.do("config", "get", "max_size", env=in_env)
    assert (said.stdout, said.stderr) == ("2GiB\n", "from env\n")
    said = machine.do("config", "set", "max_size", "3GiB", env=in_env)
    assert "CACHE_MAX_SIZE is set in the environment too" in said.stdout


def test_a_bad_value_in_the_environment_is_named(machine: Machine) -> None:
    said = machine.do("config", "get", "max_size", env={"CACHE_MAX_SIZE": "much"})

    assert said.stdout == "256MiB\n"
    assert "CACHE_MAX_SIZE takes a size such as 256MiB or 1G ('much' was given)" in said.stderr


def test_a_secret_is_read_from_a_pipe_and_never_shown(machine: Machine) -> None:
    machine.do("config", "set", "p2p_shared_secret", given="correct horse\n")

    assert settings.read_file(machine.config) == {"p2p_shared_secret": "correct horse"}
    for shown in (
        machine.do("config", "list"),
        machine.do("config", "list", "--json"),
        machine.do("config", "get", "p2p_shared_secret"),
        machine.do("config", "get", "p2p_shared_secret", env={"CACHE_P2P_SHARED_SECRET": "horse"}),
    ):
        assert "horse" not in shown.stdout + shown.stderr
        assert "****" in shown.stdout


def test_the_file_is_its_owners_alone_and_a_link_to_it_stays_one(machine: Machine) -> None:
    elsewhere = machine.root / "dotfiles.toml"
    elsewhere.write_text("max_size = 1\n")
    elsewhere.chmod(0o644)
    machine.config.parent.mkdir(parents=True)
    machine.config.symlink_to(elsewhere)

    machine.do("config", "set", "max_entry", "1")

    assert machine.config.is_symlink()
    assert settings.read_file(elsewhere) == {"max_size": 1, "max_entry": 1}
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600
    assert list(machine.root.glob("dotfiles*")) == [elsewhere]


def test_a_file_that_is_not_toml_is_named_and_left_alone(machine: Machine) -> None:
    machine.config.parent.mkdir(parents=True)
    machine.config.write_text("max_size = = 1\n")

    for arguments in (["list"], ["set", "max_size", "1"], ["unset", "max_size"]):
        said = machine.do("config", *arguments)
        assert said.exit_code == 5
        assert str(machine.config) in said.stderr
        assert said.stderr.count("\n") == 1

    assert machine.config.read_text() == "max_size = = 1\n"


def test_a_file_that_ends_early_is_refused_in_the_words_of_doctor(machine: Machine) -> None:
    machine.config.parent.mkdir(parents=True)
    machine.config.write_text("max_size = [")

    said = machine.do("config", "set", "max_size", "1GiB")

    (finding,) = configuration.problems(machine.env)
    assert (said.exit_code, said.stderr) == (
        5,
        f"gh-p2pcache: {finding.what}; correct it first\n",
    )


def test_rules_are_listed_and_got(machine: Machine) -> None:
    machine.do("config", "set", "rules.api.github.com/repos/acme/*", "1h")

    assert machine.do("config", "get", "rules.api.github.com/repos/acme/*").stdout == "3600\n"
    assert "rules.api.github.com/repos/acme/*  3600" in machine.do("config", "list").stdout
    missing = machine.do("config", "get", "rules.nothing")
    assert missing.exit_code == 2


def test_a_restart_is_asked_for_where_a_daemon_runs(running: Machine) -> None:
    said = running.do("config", "set", "max_size", "1GiB")
    assert said.stdout == "max_size is in force after: gh p2pcache restart\n"

    said = running.do("doctor")
    assert "CACHE_MAX_SIZE is '1GiB' here, '256MiB' in the daemon" in said.stdout

    assert running.do("restart").exit_code == 0
    said = running.do("doctor")
    assert "the daemon works with the settings of this shell" in said.stdout
