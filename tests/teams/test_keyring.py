"""Secrets in the operating system's keyring, and a keyring that is none, refuses or hangs."""

from pathlib import Path

import pytest

from gh_p2pcache import settings
from gh_p2pcache.teams import changes, held, load_teams, memberships, vault
from support.keyring_home import KeyringHome


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyringHome:
    home = KeyringHome(tmp_path)
    for name, value in home.env.items():
        monkeypatch.setenv(name, value)
    return home


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def unexpected(line: str) -> None:
    raise AssertionError(line)


def create(state: Path) -> None:
    changes.create(state, "acme", ["acme/*"], [], unexpected)


def secret(state: Path) -> str:
    there = settings.load({"CACHE_STATE_DIR": str(state)})
    (team,) = load_teams(there, unexpected, timeout=vault.ATTENDED)
    return team.secret


def test_the_secret_is_in_the_keyring_and_not_in_the_file(
    keyring: KeyringHome, state: Path
) -> None:
    create(state)

    assert list(keyring.kept) == [f"gh-p2pcache {state}/acme"]
    assert secret(state) in keyring.kept.values()
    assert "secret" not in (state / "teams/acme.toml").read_text().replace("old_", "")
    assert memberships(state, unexpected)[0].in_keyring


def test_a_rotation_keeps_both_there_and_leaving_takes_them_away(
    keyring: KeyringHome, state: Path
) -> None:
    create(state)
    before = secret(state)
    changes.rotate(state, "acme", 3600.0, unexpected)

    assert held.attended(state, "acme").team.old_secret == before
    assert changes.invite(state, "acme").startswith("p2pcacheinvite_")
    changes.leave(state, "acme", unexpected)
    assert keyring.kept == {}


def test_a_keyring_that_hangs_costs_the_daemon_a_bounded_time(
    keyring: KeyringHome, state: Path
) -> None:
    create(state)
    keyring.hang()
    warnings: list[str] = []

    there = settings.load({"CACHE_STATE_DIR": str(state), "CACHE_P2P_SHARED_SECRET": "x"})
    teams = load_teams(there, warnings.append, timeout=0.2)

    assert [team.name for team in teams] == ["shared"]
    (line,) = warnings
    assert "team 'acme' is left out" in line
    assert "the keyring did not answer within 0.2 s" in line


def test_a_keyring_that_has_lost_the_secret_is_healed_by_a_new_invite(
    keyring: KeyringHome, state: Path
) -> None:
    create(state)
    invite = changes.invite(state, "acme")
    keyring.mend()

    with pytest.raises(vault.KeyringError, match="has no secret of team 'acme'"):
        changes.invite(state, "acme")
    warnings: list[str] = []
    changes.join(state, invite, warnings.append)

    assert "not readable any more" in warnings[0]
    assert changes.invite(state, "acme") == invite


def test_a_keyring_that_refuses_is_said_and_the_file_takes_the_secret(
    keyring: KeyringHome, state: Path
) -> None:
    keyring.file.write_text("{}")
    keyring.file.chmod(0o400)
    (keyring.file.parent / "backend/chest_backend.py").write_text(
        "from keyring.backend import KeyringBackend\n"
        "from keyring.errors import KeyringLocked\n"
        "class Chest(KeyringBackend):\n"
        "    priority = 9\n"
        "    def set_password(self, *_): raise KeyringLocked('it is locked')\n"
        "    get_password = delete_password = set_password\n"
    )
    warnings: list[str] = []

    changes.create(state, "acme", ["acme/*"], [], warnings.append)

    assert "KeyringLocked it is locked" in warnings[0]
    assert secret(state) in (state / "teams/acme.toml").read_text()


@pytest.mark.parametrize("backend", ["fail", "null"])
def test_a_keyring_that_keeps_nothing_is_none(
    keyring: KeyringHome, state: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"keyring.backends.{backend}.Keyring")

    create(state)

    assert keyring.kept == {}
    assert secret(state) in (state / "teams/acme.toml").read_text()
