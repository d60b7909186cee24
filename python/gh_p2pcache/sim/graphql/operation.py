"""One GraphQL request: read, told apart, executed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from graphql import DocumentNode, GraphQLSyntaxError, parse, value_from_ast_untyped
from graphql.language import FragmentDefinitionNode, OperationDefinitionNode, OperationType

from gh_p2pcache.sim.answers import Answer, Call, HTTPError, error
from gh_p2pcache.sim.graphql.mutations import mutation_root
from gh_p2pcache.sim.graphql.query import query_root
from gh_p2pcache.sim.graphql.walk import Arguments, Object, Walk

_parse = lru_cache(maxsize=512)(parse)


@dataclass(frozen=True, slots=True)
class Operation:
    """The operation of a request; `mutates` tells whether it changes data."""

    definition: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    variables: Arguments

    @property
    def mutates(self) -> bool:
        """Say whether this is a mutation."""
        return self.definition.operation is OperationType.MUTATION

    def execute(self, call: Call) -> Answer:
        """Return the answer: data, and errors where there are any; always 200."""
        walk = Walk(self.fragments, self.variables)
        root = (mutation_root if self.mutates else query_root)(call)
        data = walk.select(root, self.definition.selection_set, ())
        answer: Object = {"data": data}
        if walk.errors:
            answer["errors"] = walk.errors
        return Answer(data=answer, etag=False, memo=False, media="github.v4; format=json")


def read(call: Call) -> Operation:
    """Return the operation that a POST to /graphql asks for; HTTPError for what is none."""
    if call.token.kind == "anonymous":
        raise error(401, "This endpoint requires you to be authenticated.")
    request = call.json()
    document = _document(str(request.get("query", "")))
    fragments, operations = {}, {}
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            fragments[definition.name.value] = definition
        elif isinstance(definition, OperationDefinitionNode):
            operations[definition.name.value if definition.name else ""] = definition
    name = request.get("operationName")
    chosen = operations.get(name) if name else next(iter(operations.values()), None)
    if chosen is None:
        raise _failed("No operation named " + repr(name))
    return Operation(chosen, fragments, _variables(chosen, request.get("variables") or {}))


def _variables(definition: OperationDefinitionNode, given: Arguments) -> Arguments:
    """Return every variable's value: given, by default, or None."""
    found: Arguments = {}
    for variable in definition.variable_definitions or ():
        name, default = variable.variable.name.value, variable.default_value
        found[name] = value_from_ast_untyped(default) if default is not None else None
    return found | given


def _document(text: str) -> DocumentNode:
    try:
        return _parse(text)
    except GraphQLSyntaxError as problem:
        raise _failed(f"Parse error: {problem.message}") from None


def _failed(message: str) -> HTTPError:
    return HTTPError(Answer(data={"errors": [{"message": message}]}, etag=False))
