"""Which repositories a GraphQL node id was seen in, so that a mutation can be told what it hits."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable

_REMEMBERED = 200_000
_PLACED = re.compile(r"node:(?!U_|BOT_|O_|T_|LA_|MI_|PVT)(?:[A-Z]{1,8}_[kl]\w|MD)")
"""An id of what has a repository of its own, in both forms of GitHub's global ids: not an account,
nor what is always of the same repository as that which it is put on, as a label."""


class Nodes:
    """Node id tags seen in live records, with the repository tags those records carry.

    Complete for a site only when every live record was seen by this process: from the start if the
    store was empty, else from the first mutation on, which buries all of that site.
    """

    def __init__(self, *, complete: bool) -> None:
        self._repos: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._start_complete = complete
        self._completed: set[str] = set()
        self._names: dict[str, str] = {}

    def saw(self, tags: Iterable[str]) -> None:
        """Learn from the tags of a record that is kept or confirmed."""
        tags = tuple(tags)
        repos = frozenset(tag for tag in tags if tag.startswith(("repo:", "repoid:")))
        self._learn_name(repos)
        for tag in tags:
            if tag.startswith("node:"):
                self._repos[tag] = self._repos.pop(tag, frozenset()) | repos
        while len(self._repos) > _REMEMBERED:
            self._repos.popitem(last=False)
            self._start_complete = False
            self._completed.clear()

    def _learn_name(self, repos: frozenset[str]) -> None:
        match sorted(repos):
            case [name, number] if name.startswith("repo:") and number.startswith("repoid:"):
                self._names[number] = name

    def with_aliases(self, site: str, tags: Iterable[str]) -> frozenset[str]:
        """Add the names of repositories that a write called by their id.

        An id that no record told the name of may be any: then everything of the site.
        """
        tags = frozenset(tags)
        ids = [tag for tag in tags if tag.startswith("repoid:")]
        return tags | {self._names.get(tag, f"site:{site}") for tag in ids}

    def aimed_at(self, site: str, named: Iterable[str]) -> frozenset[str]:
        """Return the tags that a mutation may change whose request names these node tags.

        An id that no record told the repository of may be of any: then everything of the site.
        """
        named = frozenset(named)
        tags = self.changed_by(site, named)
        if any(_PLACED.match(tag) and not self._repos.get(tag) for tag in named):
            return tags | {f"site:{site}"}
        return tags

    def changed_by(self, site: str, named: Iterable[str]) -> frozenset[str]:
        """Return the tags that a mutation naming these node tags may change.

        When it resolves to no repository we hold: everything of the site.
        """
        named = frozenset(named)
        repos = frozenset[str]().union(*(self._repos.get(tag, frozenset()) for tag in named))
        if repos and (self._start_complete or site in self._completed):
            return named | repos
        self._completed.add(site)
        return named | repos | {f"site:{site}"}
