"""GraphQL calls: what a body asks, which repository it is about, and whether its answer is shared.

The document is analysed by `document` (which needs graphql-core: 110 ms to import, so it is
imported at the first call); here its variables are bound.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from gh_p2pcache.policy.document import Argument, Document, Selected

Kind = Literal["query", "mutation", "subscription", "introspection"]

MAX_BODY = 1 << 20
"""Larger bodies (commits with files in them) are writes; nobody caches them."""
_REMEMBERED_BODY = 32768
_MEMBERS = frozenset({"query", "variables", "operationName"})
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_PERSONAL = re.compile("viewer|@me", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where in an answer an object of a class would be: response keys from `data` downwards.

    With `typename` only an object that says to be of that type counts.
    """

    path: tuple[str, ...]
    access_class: str
    typename: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One GraphQL operation with its variables.

    `canonical` is what the key takes of the body: the SHA-256 of the document in canonical print,
    the operation's name and the sorted variables. `repos` are the `owner/name` (lower case) of
    its `repository(…)` fields; `elsewhere` says that it asks for other things too. `member`:
    the answer is the same for all who proved `classes` of the one repository. `fields` maps
    response keys that are aliases to the field names they stand for.
    """

    kind: Kind
    name: str
    canonical: bytes
    repos: frozenset[str]
    elsewhere: bool
    classes: frozenset[str]
    member: bool
    selects_status: bool
    fields: Mapping[str, frozenset[str]]
    evidence: tuple[Evidence, ...]


def parse(body: bytes) -> Operation | None:
    """Understand the body of a POST to the GraphQL endpoint; None: not understood, keep out.

    Bodies up to 32 kB are remembered: gh sends the same bytes for the same command.
    """
    if len(body) <= _REMEMBERED_BODY:
        return _remembered(body)
    return _parse(body) if len(body) <= MAX_BODY else None


def _parse(body: bytes) -> Operation | None:
    from gh_p2pcache.policy import document

    try:
        call = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    if not isinstance(call, dict) or not call.keys() <= _MEMBERS:
        return None
    query, name = call.get("query"), call.get("operationName")
    variables = {} if call.get("variables") is None else call["variables"]
    if not (isinstance(query, str) and isinstance(variables, dict)):
        return None
    if not (name is None or isinstance(name, str)):
        return None
    analysed = document.analyse(query)
    if analysed is None or (selected := analysed.select(name)) is None:
        return None
    return _bind(analysed, selected, name or "", variables)


_remembered = lru_cache(maxsize=256)(_parse)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _bind(
    document: Document, selected: Selected, name: str, variables: dict[str, Any]
) -> Operation:
    said = json.dumps(variables, sort_keys=True, separators=(",", ":"))
    found = [_repository(owner, repo, variables) for owner, repo in selected.repositories]
    repos = frozenset(repo for repo in found if repo is not None)
    shared = selected.sharing
    personal = document.personal or _PERSONAL.search(
        json.dumps(variables, ensure_ascii=False, separators=(",", ":"))
    )
    return Operation(
        kind=selected.kind,
        name=selected.name,
        canonical=hashlib.sha256(json.dumps([document.printed, name, said]).encode()).digest(),
        repos=repos,
        elsewhere=selected.elsewhere or None in found,
        classes=shared.classes if shared else frozenset(),
        member=shared is not None and not personal and len(repos) == 1 and None not in found,
        selects_status=document.selects_status,
        fields=document.fields,
        evidence=shared.evidence if shared else (),
    )


def _repository(owner: Argument, name: Argument, variables: dict[str, Any]) -> str | None:
    """Return `owner/name` of a repository field, None if it cannot be told."""
    parts = []
    for part in (owner.value(variables), name.value(variables)):
        if not (isinstance(part, str) and _NAME.fullmatch(part)):
            return None
        parts.append(part.lower())
    return "/".join(parts)
