"""GraphQL bodies: what gh sends, what others might, and what nobody should."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.policy import document
from gh_p2pcache.policy.graphql import MAX_BODY, parse
from gh_p2pcache.policy.plan import plan
from support.policy import asked, graphql

CAPTURED = json.loads((Path(__file__).parents[1] / "data" / "gh-graphql.json").read_text())

PRIVATE = ("viewer", "@me", "search(", "node(", "repositoryOwner", "user(", "review", "projects",
           "projectItems", "projectCards", "releases", "release(", "headRepository{", "parent",
           "assignableUsers", "mergeStateStatus", "closingIssues", "autoMergeRequest",
           "rulesets", "organization(")  # fmt: skip
"""Whatever of gh's holds one of these is private; the rest, but introspection, is shared."""


def body(query, variables=None, **more):
    return json.dumps({"query": query, "variables": variables} | more).encode()


def understood(query, variables=None, **more):
    found = parse(body(query, variables, **more))
    assert found is not None
    return found


@pytest.mark.parametrize("call", CAPTURED, ids=lambda c: f"{c['version']} {c['command'][:50]}")
def test_every_document_of_gh_has_the_scope_it_should(call):
    made = plan(graphql(call["query"], call["variables"]))
    said = call["query"].replace(" ", "") + json.dumps(call["variables"])
    if "mutation" in call["query"].split("(")[0].split("{")[0]:
        assert (made.action, made.reason) == ("bypass", "write")
    elif "__type(" in said:
        assert made.operation is not None
        assert made.operation.kind == "introspection"
    else:
        assert (made.access is None) == any(word in said for word in PRIVATE)


@pytest.mark.parametrize(
    ("command", "classes"),
    [
        ("pr list -R", {"pulls"}),
        ("issue list -R", {"issues"}),
        ("label list -R", {"labels"}),
        ("repo view", {"any"}),
        ("pr diff", {"pulls"}),
        ("issue close", {"issues", "pulls"}),
    ],
)
def test_what_gh_asks_most_is_shared(command, classes):
    calls = [call for call in CAPTURED if call["command"].startswith(command)]
    made = plan(graphql(calls[0]["query"], calls[0]["variables"]))
    assert made.access is not None
    assert (made.access.repo, made.access.classes) == ("github.com/acme/widgets", classes)


def test_one_document_in_two_spellings_is_one_question():
    one = asked('query($n:Int!){repository(owner:"o",name:"r"){issue(number:$n){title}}}', {"n": 1})
    other = asked(
        """query ($n: Int!) {  # a comment
          repository(owner: "o", name: "r") { issue(number: $n) { title, } }
        }""",
        {"n": 1},
    )
    assert one.key == other.key


def test_the_order_of_variables_does_not_matter_their_values_and_types_do():
    query = "query($a:Int,$b:Int){viewer{login @include(if:$a) name @skip(if:$b)}}"
    key = asked(query, {"a": 1, "b": 2}).key
    assert asked(query, {"b": 2, "a": 1}).key == key
    others = [{"a": 2, "b": 1}, {"a": 1}, {"a": 1, "b": None}, {"a": 1, "b": "2"},
              {"a": True, "b": 2}, {"a": 1, "b": 2.0}, {"a": 1, "b": [2]}]  # fmt: skip
    assert len({asked(query, said).key for said in others} | {key}) == len(others) + 1


def test_no_variables_may_be_said_in_three_ways():
    bare = b'{"query":"{viewer{login}}"}'
    found = {parse(said).canonical for said in (  # type: ignore[union-attr]
        bare, body("{viewer{login}}"), body("{viewer{login}}", {}))}  # fmt: skip
    assert len(found) == 1


def test_the_operation_that_runs_is_the_one_that_is_named():
    query = "query A{viewer{login}} mutation B{a{b}}"
    assert understood(query, operationName="A").kind == "query"
    assert understood(query, operationName="B").kind == "mutation"
    assert parse(body(query)) is None
    assert parse(body(query, operationName="C")) is None
    assert parse(body("query A{a} query A{b}", operationName="A")) is None
    named = understood("query A{viewer{login}}", operationName="A")
    assert named.canonical != understood("query A{viewer{login}}").canonical


TEXT = st.text(max_size=5)
JSON = st.recursive(st.none() | st.booleans() | st.integers() | TEXT, lambda inner: st.lists(inner,
       max_size=2) | st.dictionaries(TEXT, inner, max_size=2), max_leaves=4)  # fmt: skip
VARIABLES = st.dictionaries(TEXT, JSON, max_size=3)


@given(VARIABLES, VARIABLES)
def test_different_variables_are_different_questions(one, other):
    first, second = (parse(body("{a}", said)) for said in (one, other))
    assert first is not None
    assert second is not None
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (first.canonical == second.canonical) == same


@pytest.mark.parametrize(
    ("query", "variables", "repos", "elsewhere"),
    [
        ('{repository(owner:"Acme",name:"W"){name}}', None, {"acme/w"}, False),
        ("query($o:String!,$n:String!){repository(owner:$o,name:$n){name}}",
         {"o": "Acme", "n": "w.x"}, {"acme/w.x"}, False),
        ('query($o:String="acme",$n:String){repository(owner:$o,name:$n){name}}', {"n": "w"},
         {"acme/w"}, False),
        ("query($o:String!){repository(owner:$o,name:$n){name}}", {"o": "a"}, set(), True),
        ("query($o:String!){repository(owner:$o,name:$o){name}}", {"o": 1}, set(), True),
        ("query($o:String!){repository(owner:$o,name:$o){name}}", {"o": "a/b"}, set(), True),
        ('{repository(owner:"a",name:null){name}}', None, set(), True),
        ('{x:repository(owner:"a",name:"b"){name} y:repository(owner:"a",name:"c"){name}}', None,
         {"a/b", "a/c"}, False),
        ('query{...f} fragment f on Query{repository(owner:"a",name:"b"){name}}', None,
         {"a/b"}, False),
        ('{... on Query{repository(owner:"a",name:"b"){name}}}', None, {"a/b"}, False),
        ('{repository(owner:"a",name:"b"){name} search(query:"x",type:ISSUE){issueCount}}', None,
         {"a/b"}, True),
        ('{node(id:"I_1"){id}}', None, set(), True),
    ],
)  # fmt: skip
def test_the_repositories_that_a_query_names(query, variables, repos, elsewhere):
    found = understood(query, variables)
    assert (found.repos, found.elsewhere) == (repos, elsewhere)


@pytest.mark.parametrize(
    "field",
    ["statusCheckRollup{state}", "mergeable", "mergeStateStatus", "x:mergeable",
     "checkSuites(first:1){nodes{status}}", "isInMergeQueue"],
)  # fmt: skip
@pytest.mark.parametrize("where", ["{%s}", "{... on Commit{%s}}", "{...f} fragment f on X{%s}"])
def test_a_query_that_selects_status_says_so(field, where):
    assert understood("query{node(id:1)" + (where % field).replace("} f", "}} f", 1) + (
        "" if "fragment" in where else "}")).selects_status  # fmt: skip
    assert not understood("{node(id:1){mergeable:title}}").selects_status


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"{viewer{login}}"',
        b"\xff\xfe",
        b'{"query":null}',
        b'{"query":""}',
        b'{"query":"{"}',
        b'{"query":"{a}}"}',
        b'{"query":"type A{b:Int}"}',
        b'{"query":"fragment a on B{c}"}',
        b'{"query":"{a}","variables":[]}',
        b'{"query":"{a}","variables":"{}"}',
        b'{"query":"{a}","operationName":1}',
        b'{"query":"{a}","extensions":{"persistedQuery":{}}}',
        b'{"query":"{a}","variables":{"a":NaN}}',
        b'{"query":"{a}","variables":{"a":Infinity}}',
        b'[{"query":"{a}"}]',
        b"[" * 100_000,
        b'{"query":"{a}","variables":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001,
        body("{a" * 5000 + "}" * 5000),
        body("{" + " ".join(f"a{n}:viewer{{login}}" for n in range(10_000)) + "}"),
        body("{" + "".join(f"...f{n} " for n in range(20_000)) + "}"),
        body("{" + "a " * 40_000 + "}"),
        body('{a(b:"' + "x" * 150_000 + '")}'),
        body("{a(b:" + "[" * 5000 + "]" * 5000 + ")}"),
        b" " * (MAX_BODY + 1),
    ],
    ids=lambda bad: bad[:40].decode("latin-1"),
)
def test_what_is_not_understood_is_left_alone(bad):
    assert parse(bad) is None


def test_bombs_of_fragments_are_judged_quickly_and_not_shared():
    depth = 40
    doubling = "".join(
        f"fragment f{n} on Repository{{...f{n + 1} ...f{n + 1}}} " for n in range(depth)
    )
    bomb = f'{{repository(owner:"o",name:"r"){{...f0}}}} {doubling}'
    for tail in (
        f"fragment f{depth} on Repository{{name}}",
        "",
        "fragment f40 on Repository{...f0}",
    ):
        assert not understood(bomb + tail).member


def test_a_chain_of_fragments_as_long_as_may_be():
    chain = "".join(f"fragment f{n} on Query{{...f{n + 1}}} " for n in range(900))
    last = 'fragment f900 on Query{repository(owner:"o",name:"r"){name}}'
    found = understood("query{...f0} " + chain + last)
    assert (found.repos, found.member) == ({"o/r"}, True)


def test_a_circle_of_fragments_ends():
    found = understood(
        "query{...f} fragment f on Query{...g viewer{login}} fragment g on Query{...f}"
    )
    assert (found.member, found.elsewhere) == (False, True)


@given(st.text('{}()[]:!$@." ab\n#&|=1\\', max_size=40))
def test_no_document_is_too_odd(query):
    parse(body(query))


@given(st.binary(max_size=60))
def test_no_body_is_too_odd(raw):
    parse(raw)


def test_documents_are_remembered_apart_from_their_variables():
    document._remembered.cache_clear()
    for number in range(5):
        asked("query($n:Int){node(id:$n){id}}", {"n": number})
    assert document._remembered.cache_info().misses == 1
