"""Which team a repository belongs to."""

import pytest

from gh_p2pcache.engine.teams import Teams, TeamScope
from gh_p2pcache.records.seal import team_keys


def team(name: str, *share: str) -> TeamScope:
    return TeamScope(name, team_keys(f"p2pcache_{name}"), share)


@pytest.mark.parametrize(
    ("pattern", "named", "not_named"),
    [
        ("acme/*", "github.com/acme/site", "github.acme.dev/acme/site"),
        ("Acme/Site", "github.com/acme/site", "github.com/acme/sites"),
        ("github.acme.dev/acme/*", "github.acme.dev/acme/site", "github.com/acme/site"),
        ("*/site", "github.com/acme/site", "github.acme.dev/acme/site"),
        ("*.ghe.com/*/*", "acme.ghe.com/acme/site", "github.com/acme/site"),
        ("github.com/*/*", "github.com/acme/site", "github.acme.dev/acme/site"),
    ],
)
def test_a_pattern_names_repositories_of_its_host_which_is_github_unless_it_says(
    pattern: str, named: str, not_named: str
) -> None:
    teams = Teams([team("one", pattern)])
    assert teams.of_repository(named)
    assert teams.of_repository(not_named) is None


def test_a_star_names_all_that_there_is() -> None:
    teams = Teams([team("one", "*")])
    assert teams.of_repository("github.com/acme/site")
    assert teams.of_repository("github.acme.dev/acme/site")


def test_a_repository_belongs_to_the_first_team_that_names_it() -> None:
    first, second = team("one", "acme/site"), team("two", "acme/*")
    teams = Teams([first, second])
    assert teams.of_repository("github.com/acme/site") is first
    assert teams.of_repository("github.com/acme/shop") is second
