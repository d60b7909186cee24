"""JSON with comments: what is put in is there, and nothing else has moved."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.cli import jsonc
from gh_p2pcache.errors import ConfigError

COMMENTED = """\
// of ours
{
\t"a": 1, // one, "quoted"
\t/* two */ "url": "http://x//y",
\t"nested": {
\t\t"x": [1, 2,], // and a trailing comma
\t},
\t// the end
}
"""


def test_comments_and_order_stay() -> None:
    text = jsonc.put(COMMENTED, ("nested", "y"), "new")
    text = jsonc.put(text, ("b", "c"), None)

    put_in = {
        "trailing comma\n": 'trailing comma\n\t\t"y": "new",\n',
        "// the end\n": '// the end\n\t"b": {\n\t\t"c": null\n\t},\n',
    }
    for before, after in put_in.items():
        assert text.count(after) == 1
        text = text.replace(after, before)
    assert text == COMMENTED


def test_what_was_put_in_is_read() -> None:
    text = jsonc.put(COMMENTED, ("nested", "y"), "new")

    assert jsonc.read(text)["nested"] == {"x": [1, 2], "y": "new"}


def test_a_last_member_gets_its_comma_before_its_comment() -> None:
    text = '{\r\n  "a": 1 // one\r\n}\r\n'

    assert jsonc.put(text, ("b",), 2) == '{\r\n  "a": 1, // one\r\n  "b": 2\r\n}\r\n'


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("", '{\n    "k": 1\n}\n'),
        ("{}", '{\n    "k": 1\n}'),
        ("// ours\r\n", '// ours\r\n{\r\n    "k": 1\r\n}\r\n'),
        ("{ /* none */ }", '{ /* none */\n    "k": 1\n}'),
        ('{"a": 2}', '{"a": 2, "k": 1}'),
        ('{ "k": 2, "a": 3 }', '{ "k": 1, "a": 3 }'),
    ],
)
def test_small_ones(text: str, after: str) -> None:
    assert jsonc.put(text, ("k",), 1) == after


PRINTABLE = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "Zs")), max_size=5)


@given(
    st.dictionaries(PRINTABLE, st.dictionaries(PRINTABLE, st.integers(), max_size=2), max_size=3),
    st.tuples(PRINTABLE, PRINTABLE),
    st.lists(st.integers() | PRINTABLE, max_size=2),
    st.sampled_from([None, 2, "\t"]),
)
def test_what_is_put_is_read_and_the_rest_is_as_before(
    before: dict[str, object], path: tuple[str, str], value: object, indent: str | int | None
) -> None:
    text = jsonc.put(json.dumps(before, indent=indent), path, value)
    inner = before.get(path[0], {})

    assert isinstance(inner, dict)
    assert json.loads(text) == before | {path[0]: inner | {path[1]: value}}
    assert jsonc.put(text, path, value) == text


@pytest.mark.parametrize("text", ["{", '{"a" 1}', "[]", "3", "a: b"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        jsonc.put(text, ("a",), 1)


def test_a_path_through_a_value_is_refused() -> None:
    with pytest.raises(ConfigError, match="a is not an object"):
        jsonc.put('{"a": 1}', ("a", "b"), 1)
    with pytest.raises(ConfigError, match="tasks is not an array"):
        jsonc.append('{"tasks": 1}', "tasks", 1)
