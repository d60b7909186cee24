"""The classes of access to a repository: one permission each, and what follows from which."""

from __future__ import annotations

from collections.abc import Iterable

ITSELF = "itself"
"""REST that several permissions or metadata alone open: each record is proven by itself."""
LABELS = "labels"
"""GraphQL labels and milestones: GitHub asks for issues or pull requests."""
ANY = "any"
"""GraphQL's plain fields of a repository: whoever may see anything of it may see these."""

_IMPLIED = {
    "issues": frozenset({LABELS, ANY}),
    "pulls": frozenset({LABELS, ANY}),
    ANY: frozenset[str](),
}
_OTHER = frozenset({ANY})


def with_implied(classes: Iterable[str]) -> frozenset[str]:
    """Return the classes and all that who proved these has proven, too."""
    found = frozenset(classes)
    return found.union(*(_IMPLIED.get(name, _OTHER) for name in found))


def without_implied(classes: Iterable[str]) -> frozenset[str]:
    """Return the classes without those that the others imply."""
    found = frozenset(classes)
    return found.difference(*(_IMPLIED.get(name, _OTHER) for name in found))
