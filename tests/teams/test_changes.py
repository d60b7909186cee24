"""Teams: created, joined, left, rotated; whom they trust; and what the daemon reads of them."""

import stat
import time
from pathlib import Path

import pytest

from gh_p2pcache import settings
from gh_p2pcache.errors import UsageError
from gh_p2pcache.teams import Team, changes, load_teams, memberships
from gh_p2pcache.teams.invites import InviteError

PEER = "12D3KooW9pP4Seg3kZYhySpuVjn1RPdQBsUFZKiFxGMGQN5MeL6A"
OTHER = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"
ADDR = f"/dns4/cache.acme.dev/tcp/9100/p2p/{PEER}"


def unexpected(line: str) -> None:
    raise AssertionError(line)


def create(state: Path, name: str = "acme", share: tuple[str, ...] = ("acme/*",)) -> None:
    changes.create(state, name, share, (), unexpected)


def loaded(state: Path, **env: str) -> tuple[Team, ...]:
    return load_teams(settings.load({"CACHE_STATE_DIR": str(state), **env}), unexpected)


def join(state: Path, invite: str) -> bool:
    return changes.join(state, invite, unexpected)[1]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path / "here"


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "there"


def test_who_joins_by_an_invite_has_the_same_team(here: Path, there: Path) -> None:
    changes.create(here, "acme", ("acme/*", "octo/hello"), (ADDR,), unexpected)

    assert join(there, changes.invite(here, "acme"))

    assert loaded(there) == loaded(here)
    (team,) = loaded(here)
    assert (team.share, team.bootstrap) == (("acme/*", "octo/hello"), (ADDR,))
    assert team.secret.startswith("p2pcache_")
    assert not join(there, changes.invite(here, "acme"))


def test_the_file_is_the_owner_s_alone_and_nothing_shows_the_secret(here: Path) -> None:
    create(here)

    path = here / "teams/acme.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    (team,) = loaded(here)
    assert team.secret in path.read_text()
    assert team.secret not in repr(memberships(here, unexpected))


def test_two_teams_of_a_name_have_different_secrets_and_are_not_mixed_up(
    here: Path, there: Path
) -> None:
    create(here)
    create(there)
    assert loaded(here) != loaded(there)

    with pytest.raises(UsageError, match="another team of the name 'acme'"):
        join(there, changes.invite(here, "acme"))


def test_teams_come_in_order_of_joining_and_the_bare_secret_last(here: Path) -> None:
    for name in ("zeta", "acme", "beta"):
        create(here, name)

    teams = loaded(here, CACHE_P2P_SHARED_SECRET="hunter2", CACHE_SHARE="octo/*")

    assert [team.name for team in teams] == ["zeta", "acme", "beta", "shared"]
    assert (teams[-1].secret, teams[-1].share) == ("hunter2", ("octo/*",))


def test_after_leaving_there_is_no_trace(here: Path) -> None:
    create(here)
    changes.leave(here, "acme", unexpected)

    assert loaded(here) == ()
    assert list((here / "teams").iterdir()) == []
    with pytest.raises(UsageError, match="no team 'acme'"):
        changes.leave(here, "acme", unexpected)


def test_a_second_rotation_says_that_it_ends_the_grace_of_the_first(here: Path) -> None:
    create(here)
    changes.rotate(here, "acme", 3600.0, unexpected)
    said: list[str] = []
    changes.rotate(here, "acme", 3600.0, said.append)
    assert [line.partition(":")[0] for line in said] == ["the secret before this one ends now, too"]


def test_who_joined_by_the_same_secret_takes_its_rotation_over(here: Path, there: Path) -> None:
    for state in (here, there):
        changes.join_by_secret(state, "fleet", "correct horse", ("acme/*",), unexpected)
    changes.rotate(here, "fleet", 3600.0, unexpected)

    assert join(there, changes.invite(here, "fleet"))

    assert loaded(there)[0].secret == loaded(here)[0].secret
    assert loaded(there)[0].old_secret == "correct horse"


@pytest.mark.parametrize("secret", ["horse", "p2pcache_", "p2pcache_horse", "p2pcache_" + "x" * 44])
def test_what_an_invite_has_no_room_for_is_joined_by(here: Path, secret: str) -> None:
    changes.join_by_secret(here, "fleet", secret, ("acme/*",), unexpected)
    with pytest.raises(UsageError, match="was joined by its secret"):
        changes.invite(here, "fleet")


def test_a_rotated_secret_keeps_the_old_one_readable_for_its_grace(here: Path, there: Path) -> None:
    create(here)
    (before,) = loaded(here)
    join(there, changes.invite(here, "acme"))

    changes.rotate(here, "acme", 3600.0, unexpected)

    (after,) = loaded(here)
    assert after.secret != before.secret
    assert after.old_secret == before.secret
    assert time.time() + 3500 < after.old_until < time.time() + 3700

    assert join(there, changes.invite(here, "acme"))
    (theirs,) = loaded(there)
    assert (theirs.secret, theirs.old_secret) == (after.secret, before.secret)
    assert theirs.old_until == int(after.old_until)


def test_without_grace_or_after_it_the_old_secret_is_gone(here: Path) -> None:
    create(here)
    changes.rotate(here, "acme", 0.0, unexpected)
    (team,) = loaded(here)
    assert (team.old_secret, team.old_until) == (None, 0.0)

    changes.rotate(here, "acme", 3600.0, unexpected)
    path = here / "teams/acme.toml"
    path.write_text(path.read_text().replace("old_until = ", "old_until = 1.0 # "))
    (team,) = loaded(here)
    assert (team.old_secret, team.old_until) == (None, 0.0)


def test_an_invite_from_before_a_rotation_does_not_bring_the_old_secret_back(
    here: Path, there: Path
) -> None:
    create(here)
    old = changes.invite(here, "acme")
    changes.rotate(here, "acme", 3600.0, unexpected)
    join(there, changes.invite(here, "acme"))

    with pytest.raises(UsageError, match="older than the secret"):
        join(there, old)
    assert loaded(there)[0].secret == loaded(here)[0].secret


def test_addresses_of_an_invite_are_remembered_by_both_sides(here: Path, there: Path) -> None:
    create(here)
    join(there, changes.invite(here, "acme", [ADDR]))
    assert (loaded(here)[0].bootstrap, loaded(there)[0].bootstrap) == ((ADDR,), (ADDR,))


def test_whom_a_team_trusts(here: Path) -> None:
    create(here)

    def lists() -> tuple[tuple[str, ...], tuple[str, ...]]:
        (team,) = loaded(here)
        return team.trusted, team.untrusted

    changes.untrust(here, ["acme"], [PEER])
    assert lists() == ((), (PEER,))
    changes.trust(here, ["acme"], [PEER], only=False)
    assert lists() == ((), ())
    changes.trust(here, ["acme"], [PEER], only=True)
    assert lists() == ((PEER,), ())
    changes.trust(here, ["acme"], [OTHER], only=False)
    assert lists() == ((PEER, OTHER), ())
    changes.untrust(here, ["acme"], [OTHER])
    assert lists() == ((PEER, OTHER), (OTHER,))
    changes.trust(here, ["acme"], [], only=True)
    assert lists() == ((), (OTHER,))


@pytest.mark.parametrize("name", ["", "Acme", "../acme", "a/b", "shared", "-x", "ü", "a" * 33])
def test_a_name_that_is_none(here: Path, name: str) -> None:
    with pytest.raises(UsageError, match="a team's name is of small letters"):
        create(here, name)
    assert not here.exists()


@pytest.mark.parametrize("pattern", ["", "acme", "https://github.com/acme/x", "a/b/c", "acme/ x"])
def test_a_pattern_that_matches_no_repository(here: Path, pattern: str) -> None:
    with pytest.raises(UsageError, match="--share takes repositories such as"):
        create(here, share=(pattern,))


@pytest.mark.parametrize("pattern", ["api.github.com/acme/*", "acme/site.git"])
def test_a_pattern_that_would_never_match_is_refused(here: Path, pattern: str) -> None:
    with pytest.raises(UsageError, match=r"--share takes (the host without 'api\.'|names without)"):
        create(here, share=(pattern,))


def test_addresses_and_peers_are_checked(here: Path) -> None:
    create(here)
    with pytest.raises(UsageError, match="--bootstrap takes"):
        changes.invite(here, "acme", ["cache.acme.dev:9100"])
    with pytest.raises(UsageError, match="not a peer id"):
        changes.untrust(here, ["acme"], ["somebody!"])


def test_a_file_that_cannot_be_used_costs_its_team_only(here: Path) -> None:
    create(here)
    create(here, "beta")
    (here / "teams/acme.toml").write_text('share = ["acme/*"]\nsecret = 7\n')
    (here / "teams/more.toml").write_text("share = [")
    warnings: list[str] = []

    teams = load_teams(settings.load({"CACHE_STATE_DIR": str(here)}), warnings.append)

    assert [team.name for team in teams] == ["beta"]
    assert len(warnings) == 2
    assert all(line.startswith("a team is left out: ") for line in warnings)


def test_an_invite_is_checked_before_anything_is_written(there: Path) -> None:
    with pytest.raises(InviteError):
        join(there, "p2pcacheinvite_nonsense")
    assert not there.exists()
