"""JSON with comments as VS Code keeps it: new members are put in, all other text stays.

Where things stand in the text is told by PyYAML, for which it is a flow mapping once comments and
tabs are blanked out; trailing commas are YAML's, too.
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from gh_p2pcache.errors import ConfigError

_BLANKED = re.compile(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/|\t', re.DOTALL)
_INDENT = re.compile(r"^([ \t]+)\S", re.MULTILINE)


def read(text: str) -> Any:
    """Return the value; {} for an empty text. Raises ConfigError."""
    try:
        return yaml.safe_load(_blanked(text)) or {}
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"it is not JSON with comments: {_where(error)}") from error


def put(text: str, path: tuple[str, ...], value: Any) -> str:
    """Return the text with `value` at the end of a path of keys; objects on the way are made.

    Raises ConfigError for a text that is not JSON with comments, or where a path leads through
    something else than objects.
    """
    text = _not_empty(text)
    if _has(read(text), path, value):
        return text
    node = _compose(text)
    for index, key in enumerate(path):
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(f"{'.'.join(path[:index]) or 'it'} is not an object")
        there = {name.value: child for name, child in node.value}
        if key not in there:
            for missing in reversed(path[index + 1 :]):
                value = {missing: value}
            last = node.value[-1][1] if node.value else None
            return _inserted(text, node, last, f"{json.dumps(key)}: ", value)
        node = there[key]
    indent = _indent_at(text, node.start_mark.index)
    new = _dumped(text, value, indent)
    return text[: node.start_mark.index] + new + text[node.end_mark.index :]


def append(text: str, key: str, value: Any) -> str:
    """Return the text with one more element in the array `key`. Raises ConfigError."""
    text = _not_empty(text)
    root = _compose(text)
    there = {n.value: child for n, child in root.value} if _is_map(root) else {}
    if key not in there:
        return put(text, (key,), [value])
    array = there[key]
    if not isinstance(array, yaml.SequenceNode):
        raise ConfigError(f"{key} is not an array")
    return _inserted(text, array, array.value[-1] if array.value else None, "", value)


def _has(there: Any, path: tuple[str, ...], value: Any) -> bool:
    for key in path:
        if not isinstance(there, dict) or key not in there:
            return False
        there = there[key]
    return bool(there == value)


def _inserted(text: str, inside: yaml.Node, last: yaml.Node | None, name: str, value: Any) -> str:
    """Put a member behind the last one, and behind what is said of that in comments."""
    close = inside.end_mark.index - 1
    outer = _indent_at(text, inside.start_mark.index)
    newline = _newline(text)
    indent = outer + _unit(text)
    if last is None:
        body = f"{newline}{indent}{name}{_dumped(text, value, indent)}{newline}{outer}"
        kept = text[inside.start_mark.index + 1 : close].rstrip()
        return text[: inside.start_mark.index + 1] + kept + body + text[close:]
    end = last.end_mark.index
    comma = "," in _blanked(text)[end:close]
    if "\n" not in text[inside.start_mark.index : close]:
        one_line = f"{'' if comma else ','} {name}{json.dumps(value, ensure_ascii=False)}"
        stop = len(text[:close].rstrip())
        return text[:stop] + one_line + text[stop:]
    indent = _indent_at(text, last.start_mark.index)
    stop = len(text[:close].rstrip())
    member = f"{newline}{indent}{name}{_dumped(text, value, indent)}{',' if comma else ''}"
    return text[:end] + ("" if comma else ",") + text[end:stop] + member + text[stop:]


def _not_empty(text: str) -> str:
    """Return the text with an object in it, behind the comments that it may have."""
    if _blanked(text).strip():
        return text
    return f"{text.rstrip()}{_newline(text) if text.strip() else ''}{{}}{_newline(text)}"


def _compose(text: str) -> yaml.Node:
    read(text)
    node = yaml.compose(_blanked(text), Loader=yaml.SafeLoader)
    if not _is_map(node):
        raise ConfigError("it is not an object")
    assert node is not None
    return node


def _is_map(node: yaml.Node | None) -> bool:
    return isinstance(node, yaml.MappingNode) and bool(node.flow_style)


def _blanked(text: str) -> str:
    return _BLANKED.sub(lambda m: m[1] or re.sub(r"[^\r\n]", " ", m[0]), text)


def _dumped(text: str, value: Any, indent: str) -> str:
    lines = json.dumps(value, indent=_unit(text), ensure_ascii=False).splitlines()
    return f"{_newline(text)}{indent}".join(lines)


def _unit(text: str) -> str:
    found = _INDENT.search(text)
    return found[1] if found else "    "


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _indent_at(text: str, index: int) -> str:
    """Return the white space with which the line of this place begins."""
    line = text[text.rfind("\n", 0, index) + 1 : index]
    return line[: len(line) - len(line.lstrip())]


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else str(error)
