"""The messages that a user may get to see, read from the code."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python/gh_p2pcache"
ERRORS = re.compile(
    r"P2PCacheError|(Usage|Invite|Keyring|NoKeyring|NotCached|Config|Daemon|Store|Rejected|Origin|Install|Busy|Unusable)Error"
)
SAYINGS = re.compile(r"say|own_error|info|warning|error|exception")

_SH_SAYS = re.compile(r"""(?:\bsay|\bwrong_usage|\breason=)\s*('[^']+'|"(?:[^"\\]|\\.)+")""")
_HOLES = re.compile(r"\$\{[^}]*\}|\$\w+|%[sd]|\{\}")
_FEWEST = 6


@dataclass(frozen=True)
class Message:
    """The first line of a text; `pattern` matches it with values put in, `where` is its file."""

    where: str
    pattern: re.Pattern[str]

    def is_in(self, texts: list[str]) -> bool:
        return any(self.pattern.search(text) for text in texts)


def of_sh() -> Iterator[Message]:
    """Yield what the entry point says."""
    for path in (ROOT / "gh-p2pcache", *sorted((ROOT / "python/gh_p2pcache/entry").glob("*.sh"))):
        for quoted in _SH_SAYS.findall(path.read_text(encoding="utf-8")):
            yield from _message(path.name, quoted[1:-1])


def of_python(called: re.Pattern[str], *patterns: str) -> Iterator[Message]:
    """Yield the texts given to functions and errors of these names, and those named as a reason.

    `return` and `append` are such names, too; the latter takes in lists that are made at once.
    """
    for path, node in _nodes(patterns):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args):
                texts = args if called.fullmatch(name) else []
            case ast.Assign(targets=[ast.Name(id="reason" | "_LOST")], value=value):
                texts = [value]
            case ast.Return(value=ast.expr() as value) if called.fullmatch("return"):
                texts = [value]
            case ast.ListComp(elt=value) if called.fullmatch("append"):
                texts = [value]
            case _:
                texts = []
        for text in texts:
            yield from _message(path.name, _text(text))


def everything() -> Iterator[Message]:
    """Yield every text of the code, whatever becomes of it."""
    yield from of_sh()
    for path, node in _nodes(["**/*.py"]):
        yield from _message(path.name, _text(node))


def _nodes(patterns: list[str] | tuple[str, ...]) -> Iterator[tuple[Path, ast.AST]]:
    for path in sorted(path for pattern in patterns for path in PACKAGE.glob(pattern)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield path, node


def _text(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) or "%s" for part in parts)
    return ""


def _message(where: str, text: str) -> Iterator[Message]:
    """Yield the message, unless it is made of values alone: such a pattern would match anything."""
    literals = [part.strip() for part in _HOLES.split(text.strip().partition("\n")[0])]
    if sum(map(len, literals)) >= _FEWEST:
        yield Message(where, re.compile(".*".join(map(re.escape, literals))))
