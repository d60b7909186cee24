"""Which machine of a team owns what: whoever is asked before GitHub."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from gh_p2pcache.peer.owner import rank
from gh_p2pcache.policy.plan import plan
from gh_p2pcache.records.message import Request
from gh_p2pcache.records.seal import ScopeKeys, team_keys
from support.gateway import fields_of_gh
from support.team import SECRET, Daemon


def owner_of(target: str, team: Sequence[Daemon], scope: ScopeKeys | None = None) -> Daemon:
    """Return the machine of a team, all of whom know each other, that owns a GET's answer."""
    keys = scope or _team_keys(SECRET)
    sent = fields_of_gh(None, "api.github.com", ())
    headers = tuple((name.lower().encode(), value.encode()) for name, value in sent)
    tag = keys.tag(plan(Request("GET", "api.github.com", target, headers)).key)
    (first, *_) = rank(keys.id, tag, [one.id for one in team])
    return next(one for one in team if one.id == first)


def owned_by(
    one: Daemon, team: Sequence[Daemon], targets: Iterable[str], scope: ScopeKeys | None = None
) -> Iterator[str]:
    """Return those of the targets that `one` owns: it knows at once what it announced of them."""
    return (target for target in targets if owner_of(target, team, scope) is one)


_team_keys = lru_cache(team_keys)
