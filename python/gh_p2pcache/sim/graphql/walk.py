"""Walks a GraphQL document over plain data: no schema, a field that is not there is null.

An object is a dict with `__typename`; a value may be a function of the field's arguments. A list
becomes a connection when the document selects nodes, edges, totalCount or pageInfo of it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from graphql import language as ast
from graphql import value_from_ast_untyped

Object = dict[str, Any]
Arguments = dict[str, Any]

CONNECTION = frozenset({"nodes", "edges", "totalCount", "pageInfo"})
PARENTS = {
    "User": {"Actor", "RepositoryOwner", "Assignee", "RequestedReviewer", "Node", "ProfileOwner"},
    "Organization": {"Actor", "RepositoryOwner", "Node", "ProfileOwner"},
    "Bot": {"Actor", "Assignee", "Node"},
    "Issue": {"IssueOrPullRequest", "Node", "Closable", "Comment", "Labelable", "Lockable"},
    "PullRequest": {"IssueOrPullRequest", "Node", "Closable", "Comment", "Labelable", "Lockable"},
    "Commit": {"GitObject", "Node"},
    "Blob": {"GitObject", "Node"},
    "Tree": {"GitObject", "Node"},
    "Tag": {"GitObject", "Node"},
}
"""Interfaces and unions that fragments may name instead of an object's own type."""


class FieldError(Exception):
    """A field that cannot be answered: null, and an entry among the errors."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(slots=True)
class Walk:
    """One execution: the document's fragments, the variables, and the errors on the way."""

    fragments: dict[str, ast.FragmentDefinitionNode]
    variables: Arguments
    errors: list[Object] = field(default_factory=list)

    def select(self, value: Object, chosen: ast.SelectionSetNode, path: tuple[Any, ...]) -> Object:
        """Return the selected fields of an object, in the document's order."""
        result: Object = {}
        for node in self._fields(value, chosen):
            name = node.alias.value if node.alias else node.name.value
            found = self._field(value, node, (*path, name))
            if isinstance(result.get(name), dict) and isinstance(found, dict):
                result[name] = result[name] | found
            else:
                result[name] = found
        return result

    def _fields(self, value: Object, chosen: ast.SelectionSetNode) -> Iterator[ast.FieldNode]:
        for node in chosen.selections:
            if not self._included(node):
                continue
            if isinstance(node, ast.FieldNode):
                yield node
            elif isinstance(node, ast.InlineFragmentNode):
                condition = node.type_condition
                if condition is None or _is(value, condition.name.value):
                    yield from self._fields(value, node.selection_set)
            elif isinstance(node, ast.FragmentSpreadNode):
                fragment = self.fragments[node.name.value]
                if _is(value, fragment.type_condition.name.value):
                    yield from self._fields(value, fragment.selection_set)

    def _included(self, node: ast.SelectionNode) -> bool:
        for directive in node.directives or ():
            condition = self._arguments(directive.arguments).get("if")
            if bool(condition) != (directive.name.value == "include"):
                return False
        return True

    def _arguments(self, nodes: tuple[Any, ...] | None) -> Arguments:
        return {
            node.name.value: value_from_ast_untyped(node.value, self.variables)
            for node in nodes or ()
        }

    def _field(self, value: Object, node: ast.FieldNode, path: tuple[Any, ...]) -> Any:
        arguments = self._arguments(node.arguments)
        try:
            found = value.get(node.name.value)
            if callable(found):
                found = found(arguments)
        except FieldError as problem:
            location = node.loc.start_token if node.loc else None
            places = [{"line": location.line, "column": location.column}] if location else []
            self.errors.append(
                {
                    "type": problem.kind,
                    "path": list(path),
                    "locations": places,
                    "message": str(problem),
                }
            )
            return None
        return self._complete(found, node.selection_set, arguments, path)

    def _complete(
        self, found: Any, chosen: ast.SelectionSetNode | None, arguments: Arguments, path: Any
    ) -> Any:
        if found is None or chosen is None:
            return found
        if isinstance(found, list):
            names = {node.name.value for node in self._fields({}, chosen)}
            if names & CONNECTION:
                return self.select(connection(found, arguments), chosen, path)
            return [self._complete(item, chosen, {}, (*path, at)) for at, item in enumerate(found)]
        return self.select(found, chosen, path)


def _is(value: Object, name: str) -> bool:
    own = value.get("__typename", "")
    return own in ("", name) or name in PARENTS.get(own, ())


def cursor(position: int) -> str:
    """Return the opaque cursor of an item."""
    return base64.b64encode(f"cursor:{position}".encode()).decode()


def _position(text: str | None) -> int | None:
    return int(base64.b64decode(text).decode().removeprefix("cursor:")) if text else None


def connection(items: list[Any], arguments: Arguments) -> Object:
    """Return a page of a list by first/after or last/before."""
    start, end = 0, len(items)
    after, before = _position(arguments.get("after")), _position(arguments.get("before"))
    start = after + 1 if after is not None else start
    end = before if before is not None else end
    if arguments.get("first") is not None:
        end = min(end, start + arguments["first"])
    elif arguments.get("last") is not None:
        start = max(start, end - arguments["last"])
    chosen = items[start:end]
    return {
        "totalCount": len(items),
        "nodes": chosen,
        "edges": [{"node": item, "cursor": cursor(start + n)} for n, item in enumerate(chosen)],
        "pageInfo": {
            "hasNextPage": end < len(items),
            "hasPreviousPage": start > 0,
            "startCursor": cursor(start) if chosen else None,
            "endCursor": cursor(end - 1) if chosen else None,
        },
    }
