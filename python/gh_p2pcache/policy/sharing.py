"""Whether every field of a GraphQL operation may be shared, what that needs and what proves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import language as ast

from gh_p2pcache.policy.classes import without_implied
from gh_p2pcache.policy.graphql import Evidence
from gh_p2pcache.policy.shared_fields import SHARED_TYPES

Fragments = Mapping[str, ast.FragmentDefinitionNode]
Path = tuple[str, ...]

_DIRECTIVES = frozenset({"include", "skip"})
_MAX_VISITS = 5_000
"""Fragments within fragments grow exponentially; gh's largest document takes 300 visits."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """The classes that an operation needs, and where its answers prove them."""

    classes: frozenset[str]
    evidence: tuple[Evidence, ...]


@dataclass
class _Walk:
    """A walk over an operation by types; `heap` holds (type, selections, path) still to visit."""

    fragments: Fragments
    heap: list[tuple[str, ast.SelectionSetNode, Path]]
    needs: set[str] = field(default_factory=set)
    evidence: set[Evidence] = field(default_factory=set)

    def run(self) -> bool:
        """Visit everything; False at the first thing that is not shared."""
        for _ in range(_MAX_VISITS):
            if not self.heap:
                return True
            type_name, selections, path = self.heap.pop()
            for selection in selections.selections:
                if not self._select(type_name, selection, path):
                    return False
        return False

    def _select(self, type_name: str, selection: ast.SelectionNode, path: Path) -> bool:
        if any(d.name.value not in _DIRECTIVES for d in selection.directives or ()):
            return False
        if isinstance(selection, ast.FieldNode):
            return self._field(type_name, selection, path)
        if isinstance(selection, ast.FragmentSpreadNode):
            fragment = self.fragments.get(selection.name.value)
            if fragment is None or fragment.directives:
                return False
            condition = fragment.type_condition.name.value
            return self._narrow(type_name, condition, fragment.selection_set, path)
        if isinstance(selection, ast.InlineFragmentNode):
            named = selection.type_condition
            condition = named.name.value if named else type_name
            return self._narrow(type_name, condition, selection.selection_set, path)
        return False

    def _field(self, type_name: str, selected: ast.FieldNode, path: Path) -> bool:
        name = selected.name.value
        shared = SHARED_TYPES[type_name]
        if selected.selection_set is None:
            return name == "__typename" or name in shared.leaves
        if name not in shared.links:
            return False
        below = (*path, (selected.alias or selected.name).value)
        self._enter(shared.links[name], selected.selection_set, below)
        return True

    def _narrow(
        self, type_name: str, condition: str, selections: ast.SelectionSetNode, path: Path
    ) -> bool:
        """Enter a fragment: on the type itself, or on one that an abstract type may be."""
        if condition == type_name:
            self.heap.append((type_name, selections, path))
            return True
        if condition not in SHARED_TYPES[type_name].possible:
            return False
        self._enter(condition, selections, path, typename=condition)
        return True

    def _enter(
        self,
        type_name: str,
        selections: ast.SelectionSetNode,
        path: Path,
        typename: str | None = None,
    ) -> None:
        shared = SHARED_TYPES[type_name]
        self.needs |= shared.needs
        if shared.proves and len(shared.needs) == 1:
            (access_class,) = shared.needs
            self.evidence.add(Evidence(path, access_class, typename))
        self.heap.append((type_name, selections, path))


def sharing(operation: ast.OperationDefinitionNode, fragments: Fragments) -> Sharing | None:
    """Return what sharing an operation's answers takes; None if one of its fields is not shared.

    Fragments in a circle, and documents that grow beyond measure, are not shared either.
    """
    if operation.directives:
        return None
    walk = _Walk(fragments, [("Query", operation.selection_set, ())])
    if not (walk.run() and walk.needs):
        return None
    evidence = sorted(walk.evidence, key=lambda e: (e.path, e.access_class, e.typename or ""))
    return Sharing(without_implied(walk.needs), tuple(evidence))
