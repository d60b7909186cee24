"""Which team's key, if any, a repository's records are sealed with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from gh_p2pcache.policy.plan import Access
from gh_p2pcache.records.seal import ScopeKeys, team_keys
from gh_p2pcache.records.sign import public_of
from gh_p2pcache.teams import Team


@dataclass(frozen=True, slots=True)
class TeamScope:
    """A team with its keys: `former` ones only read, until a rotation's grace is over.

    `trusted` and `untrusted` are public keys of members; a non-empty `trusted` names all who may
    publish.
    """

    name: str
    keys: ScopeKeys
    share: tuple[str, ...]
    former: ScopeKeys | None = None
    trusted: frozenset[bytes] = frozenset()
    untrusted: frozenset[bytes] = frozenset()

    @property
    def ring(self) -> tuple[ScopeKeys, ...]:
        """The keys of which one may have sealed a record, the one in use first."""
        return (self.keys,) if self.former is None else (self.keys, self.former)

    def names(self, repo: str) -> bool:
        """Tell whether one of the patterns names a repository ("site/owner/name")."""
        return any(_names(pattern.lower(), repo) for pattern in self.share)


class Teams:
    """The teams of this machine, in the order of joining."""

    def __init__(self, teams: Sequence[TeamScope] = ()) -> None:
        self.all = tuple(teams)
        self._by_id = {keys.id: team for team in teams for keys in team.ring}

    def of(self, access: Access | None) -> TeamScope | None:
        """Return the one team that shares what `access` names: the first whose patterns do."""
        return None if access is None else self.of_repository(access.repo)

    def of_repository(self, repo: str) -> TeamScope | None:
        """Return the team of a repository ("site/owner/name")."""
        return next((team for team in self.all if team.names(repo)), None)

    def told(self, tag: str) -> tuple[ScopeKeys, ...]:
        """Return the scopes whose members are told of a write to what carries a tag.

        Of a repository's those of every team that names it: another machine may be in only one of
        them, or have the repository's records in another's scope.
        """
        kind, _, repo = tag.partition(":")
        naming = (team for team in self.all if kind != "repo" or team.names(repo))
        return tuple(keys for team in naming for keys in team.ring)

    def telling(self, tags: Iterable[str]) -> tuple[ScopeKeys, ...]:
        """Return the scopes whose members tell of writes to the repositories among `tags`."""
        repos = (tag for tag in tags if tag.startswith("repo:"))
        return tuple(dict.fromkeys(keys for tag in repos for keys in self.told(tag)))

    def by_scope(self, scope: bytes) -> TeamScope | None:
        """Return the team one of whose keys has the id `scope`."""
        return self._by_id.get(scope)


def _names(pattern: str, repo: str) -> bool:
    """Tell whether a pattern, which without a host is of github.com, names a repository."""
    without_host = pattern.count("/") == 1
    return fnmatchcase(repo, f"github.com/{pattern}" if without_host else pattern)


def scope_of(team: Team) -> TeamScope:
    """Derive a team's keys; takes up to 240 ms."""
    return TeamScope(
        name=team.name,
        keys=team_keys(team.secret),
        share=team.share,
        former=None if team.old_secret is None else team_keys(team.old_secret),
        trusted=frozenset(map(public_of, team.trusted)),
        untrusted=frozenset(map(public_of, team.untrusted)),
    )
