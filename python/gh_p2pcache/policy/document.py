"""What a GraphQL document says before its variables are known (the only user of graphql-core)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import graphql
from graphql import language as ast

from gh_p2pcache.policy.graphql import Kind
from gh_p2pcache.policy.sharing import Fragments, Sharing, sharing

MAX_QUERY = 100_000
MAX_TOKENS = 10_000
"""gh's largest document has about 1,500 tokens; 10,000 take 40 ms."""
_REMEMBERED = 128

STATUS_FIELDS = frozenset(
    {
        "checkRuns",
        "checkSuite",
        "checkSuites",
        "deployments",
        "isInMergeQueue",
        "latestStatus",
        "mergeQueue",
        "mergeQueueEntry",
        "mergeStateStatus",
        "mergeable",
        "status",
        "statusCheckRollup",
    }
)
_PERSONAL = re.compile(r"viewer|@me|\\u", re.IGNORECASE)
_INTROSPECTION = frozenset({"__schema", "__type", "__typename"})


@dataclass(frozen=True, slots=True)
class Argument:
    """A text argument: `constant`, or what `variable` holds (`constant` if it is not given)."""

    constant: str | None = None
    variable: str | None = None

    def value(self, variables: Mapping[str, Any]) -> object:
        """Return the value under these variables; None where there is no text."""
        if self.variable is None:
            return self.constant
        return variables.get(self.variable, self.constant)


@dataclass(frozen=True, slots=True)
class Selected:
    """One operation: the `repository(owner:, name:)` fields at its root, and what else it asks."""

    kind: Kind
    name: str
    repositories: tuple[tuple[Argument, Argument], ...]
    elsewhere: bool
    sharing: Sharing | None


@dataclass(frozen=True, slots=True)
class Document:
    """A document in canonical print, with what holds for all its operations.

    `personal`: it mentions the viewer or @me, or hides text behind escapes.
    """

    printed: str
    operations: Mapping[str, Selected]
    personal: bool
    selects_status: bool
    fields: Mapping[str, frozenset[str]]

    def select(self, name: str | None) -> Selected | None:
        """Return the operation that runs (GraphQL specification 6.1, GetOperation)."""
        if name:
            return self.operations.get(name)
        return next(iter(self.operations.values())) if len(self.operations) == 1 else None


def analyse(query: str) -> Document | None:
    """Analyse a document; None if it is no executable one, or too large or deep to judge."""
    return _remembered(query) if len(query) <= MAX_QUERY else None


def _analyse(query: str) -> Document | None:
    try:
        parsed = graphql.parse(query, no_location=True, max_tokens=MAX_TOKENS)
        return _document(query, parsed)
    except graphql.GraphQLError:  # bad syntax, too many tokens or too deep for the stack
        return None


_remembered = lru_cache(maxsize=_REMEMBERED)(_analyse)


def _document(query: str, parsed: ast.DocumentNode) -> Document | None:
    fragments: dict[str, ast.FragmentDefinitionNode] = {}
    operations: dict[str, ast.OperationDefinitionNode] = {}
    for definition in parsed.definitions:
        if isinstance(definition, ast.FragmentDefinitionNode):
            fragments[definition.name.value] = definition
        elif isinstance(definition, ast.OperationDefinitionNode):
            operations[definition.name.value if definition.name else ""] = definition
    if len(fragments) + len(operations) != len(parsed.definitions):
        return None  # names given twice, or a schema
    names: set[str] = set()
    aliased: dict[str, set[str]] = {}
    for field in _fields([*operations.values(), *fragments.values()]):
        names.add(field.name.value)
        aliased.setdefault((field.alias or field.name).value, set()).add(field.name.value)
    return Document(
        printed=graphql.print_ast(parsed),
        operations={name: _selected(name, o, fragments) for name, o in operations.items()},
        personal=_PERSONAL.search(query) is not None,
        selects_status=not names.isdisjoint(STATUS_FIELDS),
        fields={key: frozenset(found) for key, found in aliased.items() if found != {key}},
    )


def _fields(
    definitions: list[ast.OperationDefinitionNode | ast.FragmentDefinitionNode],
) -> Iterator[ast.FieldNode]:
    """Yield every field that a document names, wherever it stands."""
    heap: list[ast.SelectionSetNode] = [d.selection_set for d in definitions]
    while heap:
        for selection in heap.pop().selections:
            if isinstance(selection, ast.FieldNode):
                yield selection
            inner = getattr(selection, "selection_set", None)
            if inner is not None:
                heap.append(inner)


def _selected(name: str, operation: ast.OperationDefinitionNode, fragments: Fragments) -> Selected:
    roots = list(_roots(operation.selection_set, fragments))
    names = {root.name.value for root in roots}
    kind: Kind = operation.operation.value
    if kind == "query" and names <= _INTROSPECTION:
        kind = "introspection"
    defaults = {
        definition.variable.name.value: definition.default_value
        for definition in operation.variable_definitions or ()
    }
    repositories = tuple(
        (_argument(root, "owner", defaults), _argument(root, "name", defaults))
        for root in roots
        if root.name.value == "repository"
    )
    return Selected(
        kind=kind,
        name=name,
        repositories=repositories,
        elsewhere=not names <= _INTROSPECTION | {"repository"},
        sharing=sharing(operation, fragments) if kind == "query" else None,
    )


def _roots(selections: ast.SelectionSetNode, fragments: Fragments) -> Iterator[ast.FieldNode]:
    """Yield the fields at the root of an operation, those of fragments included, each once."""
    heap, seen = [selections], set[str]()
    while heap:
        for selection in heap.pop().selections:
            if isinstance(selection, ast.FieldNode):
                yield selection
            elif isinstance(selection, ast.InlineFragmentNode):
                heap.append(selection.selection_set)
            elif isinstance(selection, ast.FragmentSpreadNode):
                fragment = fragments.get(selection.name.value)
                if fragment is not None and selection.name.value not in seen:
                    seen.add(selection.name.value)
                    heap.append(fragment.selection_set)


def _argument(
    field: ast.FieldNode, name: str, defaults: Mapping[str, ast.ConstValueNode | None]
) -> Argument:
    for argument in field.arguments or ():
        if argument.name.value != name:
            continue
        if isinstance(argument.value, ast.StringValueNode):
            return Argument(argument.value.value)
        if isinstance(argument.value, ast.VariableNode):
            variable = argument.value.name.value
            default = defaults.get(variable)
            text = default.value if isinstance(default, ast.StringValueNode) else None
            return Argument(text, variable)
    return Argument()
