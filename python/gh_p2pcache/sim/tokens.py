"""Who calls: tokens of several kinds, and what each may read and write where."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

CLASSES = frozenset(
    {
        "contents",
        "issues",
        "pulls",
        "actions",
        "checks",
        "statuses",
        "deployments",
        "metadata",
        "administration",
    }
)
"""Permissions of a repository that the small GitHub tells apart."""


@dataclass(slots=True)
class Token:
    """A token: `kind` is "user" (classic), "fine" (fine-grained) or "installation" (Actions).

    `grants` maps a repository pattern (owner/name, lower case, `*` allowed) to classes.
    The secret is not shaped like a real token, so that no scanner takes it for one.
    """

    name: str
    secret: str
    login: str
    kind: str = "user"
    scopes: str | None = "gist, read:org, repo, workflow"
    grants: dict[str, frozenset[str]] = field(default_factory=dict)
    revoked: bool = False
    core_limit: int = 5000

    def classes(self, repo: str) -> frozenset[str]:
        """Return what this token may touch in a private repository (owner/name)."""
        found: frozenset[str] = frozenset()
        for pattern, classes in self.grants.items():
            if fnmatchcase(repo.lower(), pattern):
                found |= classes
        return found


ANONYMOUS = Token("anonymous", "", "", kind="anonymous", scopes=None, core_limit=60)
"""A caller without a token: reads what is public, 60 requests an hour."""


def secret_of(authorization: bytes | None) -> str | None:
    """Return the token in an Authorization value (token, Bearer, Basic), None without one."""
    if authorization is None:
        return None
    scheme, _, value = authorization.decode("latin-1").partition(" ")
    value = value.strip()
    if scheme.lower() in ("token", "bearer"):
        return value
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(value).decode("utf-8", "replace").partition(":")
        except binascii.Error:
            return ""
        return password if password not in ("", "x-oauth-basic") else user
    return ""


def seed_tokens() -> dict[str, Token]:
    """Return the tokens by name: two users, a fine-grained one, two jobs of Actions, a stranger."""
    everything = {"acme/*": CLASSES, "octo/*": CLASSES}
    job = CLASSES - {"administration"}
    tokens = [
        Token("alice", "ghp_alice-not-a-secret", "alice", grants=dict(everything)),
        Token("bob", "ghp_bob-not-a-secret", "bob", grants={"acme/widgets": CLASSES}),
        Token(
            "carol",
            "github_pat_carol-not-a-secret",
            "carol",
            kind="fine",
            scopes=None,
            grants={"acme/private": frozenset({"metadata", "issues"})},
        ),
        *(
            Token(
                name,
                f"ghs_{name}-not-a-secret",
                "github-actions[bot]",
                kind="installation",
                scopes=None,
                grants={"acme/widgets": job, "acme/private": job},
                core_limit=1000,
            )
            for name in ("job1", "job2")
        ),
        Token("mallory", "ghp_mallory-not-a-secret", "mallory"),
    ]
    return {token.name: token for token in tokens}
