"""Everything the small GitHub knows, with the look-ups that REST and GraphQL share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gh_p2pcache.sim.model import Account, Gist, Issue, Notification, Repo
from gh_p2pcache.sim.tokens import Token, seed_tokens


@dataclass(slots=True)
class World:
    """Accounts, tokens and repositories; `revision` counts changes, `memo` holds made answers.

    `renamed` maps a former owner/name (lower case) to the repository's id; `figures` holds the
    repositories whose statistics are made.
    """

    accounts: dict[str, Account] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=seed_tokens)
    repos: dict[int, Repo] = field(default_factory=dict)
    renamed: dict[str, int] = field(default_factory=dict)
    gists: dict[str, Gist] = field(default_factory=dict)
    notifications: list[Notification] = field(default_factory=list)
    stars: dict[str, list[int]] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    figures: set[int] = field(default_factory=set)
    next_id: int = 1_000_001
    revision: int = 0
    memo: dict[Any, Any] = field(default_factory=dict)

    def new_id(self) -> int:
        """Return an id that nothing else has."""
        self.next_id += 1
        return self.next_id

    def changed(self) -> None:
        """Say that something is different now: made answers are thrown away."""
        self.revision += 1
        self.memo.clear()

    def token(self, secret: str) -> Token | None:
        """Return the token with this secret."""
        return next((token for token in self.tokens.values() if token.secret == secret), None)

    def account(self, login: str) -> Account | None:
        """Return an account, whatever the case of its login."""
        wanted = login.lower()
        return next((a for a in self.accounts.values() if a.login.lower() == wanted), None)

    def repo(self, owner: str, name: str) -> Repo | None:
        """Return a repository by its present name, whatever its case."""
        wanted = f"{owner}/{name}".lower()
        return next((r for r in self.repos.values() if r.full_name.lower() == wanted), None)

    def find_repo(self, owner: str, name: str) -> Repo | None:
        """Return a repository by its present or a former name, as GraphQL does."""
        former = self.renamed.get(f"{owner}/{name}".lower())
        return self.repo(owner, name) or (self.repos.get(former) if former else None)

    def issues(self) -> Iterator[tuple[Repo, Issue]]:
        """Yield every issue and pull request."""
        for repo in self.repos.values():
            for issue in repo.issues.values():
                yield repo, issue

    def readable(self, token: Token, repo: Repo) -> bool:
        """Say whether a token may know that the repository exists."""
        return not repo.private or bool(token.classes(repo.full_name))

    def may(self, token: Token, repo: Repo, permission: str, *, write: bool = False) -> bool:
        """Say whether a token has a permission of a repository; what is public may be read."""
        if not repo.private and not write:
            return True
        granted = token.classes(repo.full_name)
        return permission in granted or (permission == "metadata" and bool(granted))
