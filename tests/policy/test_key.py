"""The request key: equal for the same question, different for any other."""

import random
import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.policy.key import canonical, normalised_escapes, normalised_query, request_key
from gh_p2pcache.policy.plan import plan
from gh_p2pcache.records.message import Request
from support.policy import GH, fields, get, graphql

NAMES = st.sampled_from([b"accept", b"x-github-api-version", b"x-new", b"x-n", b"graphql-features"])
VALUES = st.binary(max_size=6)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=4).map(tuple)
TEXT = st.text("ab/?&=%:\n\0é\ud800", max_size=6)


def key(target: str, **more: str) -> bytes:
    return plan(get(target, **more)).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/repos/acme/Widgets/issues", "/repos/ACME/widgets/issues"),
        ("/user?", "/user"),
        ("/repos/o/r/issues?state=open&page=2", "/repos/o/r/issues?page=2&state=open"),
        ("/repos/o/r/contents/%61.txt", "/repos/o/r/contents/a.txt"),
        ("/repos/o/r/contents/a%2fb", "/repos/o/r/contents/a%2Fb"),
        ("/search/issues?q=%7Ex", "/search/issues?q=~x"),
    ],
)
def test_the_same_question_has_one_key(one, other):
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/repos/o/r/issues", "/repos/o/r/pulls"),
        ("/repos/o/r/contents/README", "/repos/o/r/contents/readme"),
        ("/repos/o/r/contents/a%2Fb", "/repos/o/r/contents/a/b"),
        ("/user", "/user/"),
        ("/repos/o/r/issues?labels=a&labels=b", "/repos/o/r/issues?labels=b&labels=a"),
        ("/repos/o/r/issues?state=Open", "/repos/o/r/issues?state=open"),
        ("/repos/o/r/issues?a=b%26c=d", "/repos/o/r/issues?a=b&c=d"),
        ("/repos/o/r/issues?state", "/repos/o/r/issues?state="),
        ("/repos/o/r/issues?q=a+b", "/repos/o/r/issues?q=a%20b"),
    ],
)
def test_another_question_has_another_key(one, other):
    assert key(one) != key(other)


@pytest.mark.parametrize(
    "more",
    [
        {"accept": ""},
        {"x_github_api_version": "2022-11-28"},
        {"x_github_next_global_id": "1"},
        {"x_something_of_next_year": "1"},
        {"x_requested_with": "XMLHttpRequest"},
        {"x_github_otp": "123456"},
    ],
)
def test_a_header_that_may_change_the_answer_separates(more):
    assert key("/user", **more) != key("/user")


@pytest.mark.parametrize(
    "more",
    [
        {"x_gh_cache_ttl": "24h0m0s"},
        {"x_p2pcache_ttl": "5"},
        {"x_p2pcache_call": "abc"},
        {"x_p2pcache_of_next_year": "1"},
        {"if_none_match": '"x"'},
        {"if_modified_since": "Sat, 01 Jan 2022 00:00:00 GMT"},
        {"cache_control": "no-cache"},
        {"connection": "close"},
        {"traceparent": "00-1-1-00"},
    ],
)
def test_a_header_that_does_not_change_the_answer_does_not_separate(more):
    assert key("/user", **more) == key("/user")


def test_empty_absent_and_any_accept_are_three_questions():
    bare = tuple(field for field in GH if field[0] != b"accept")
    answers = {
        plan(Request("GET", "api.github.com", "/user", bare + more)).key
        for more in ((), fields(accept=""), fields(accept="*/*"))
    }
    assert len(answers) == 3


def test_tokens_user_agents_and_codings_share_a_key_and_pretty_printers_do_not():
    def of(agent: str, token: str, coding: str) -> bytes:
        said = fields(user_agent=agent, authorization=token, accept_encoding=coding)
        return plan(Request("GET", "api.github.com", "/user", said)).key

    gh = of("GitHub CLI 2.23.0", "token a", "gzip")
    assert gh == of("octokit.js/3", "Bearer b", "identity")
    curl = of("curl/8.5", "token a", "gzip")
    assert curl != gh
    assert curl == of("Mozilla/5.0 Safari/537.36", "token a", "gzip")
    assert curl == of("x" * 5000 + "Wget", "token a", "gzip")


def test_method_host_and_body_separate():
    keys = {
        plan(get("/user")).key,
        plan(get("/user", method="HEAD")).key,
        plan(get("/user", "api.acme.ghe.com")).key,
        plan(get("/api/v3/user", "ghe.corp")).key,
        plan(get("/api/v3/user", "ghe.other")).key,
        plan(graphql("{viewer{login}}")).key,
        plan(graphql("{viewer{name}}")).key,
    }
    assert len(keys) == 7


def test_content_type_counts_only_with_a_body():
    bodies = [graphql("{viewer{login}}", content_type=kind) for kind in ("a/b", "c/d")]
    assert plan(bodies[0]).key != plan(bodies[1]).key
    assert key("/user", content_type="a/b") == key("/user", content_type="c/d")


@given(HEADERS, st.randoms(use_true_random=False))
def test_the_order_of_headers_of_different_names_does_not_matter(headers, rng: random.Random):
    mixed = list(headers)
    rng.shuffle(mixed)
    names = {name for name, _ in headers}
    same_inner_order = all(
        [v for n, v in headers if n == name] == [v for n, v in mixed if n == name] for name in names
    )
    one = request_key("GET", "h", "/p", "", headers)
    other = request_key("GET", "h", "/p", "", tuple(mixed))
    assert (one == other) == same_inner_order


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("123")), max_size=6), st.data())
def test_the_order_of_parameters_of_different_names_does_not_matter(items, data):
    mixed = data.draw(st.permutations(items))
    same_inner_order = all(
        [v for n, v in items if n == name] == [v for n, v in mixed if n == name] for name in "abc"
    )
    one, other = ("&".join(f"{n}={v}" for n, v in some) for some in (items, mixed))
    assert (normalised_query(one) == normalised_query(other)) == same_inner_order


Question = st.tuples(
    st.sampled_from(["GET", "HEAD", "POST"]),
    TEXT,
    TEXT,
    TEXT.map(normalised_query),
    HEADERS,
    VALUES,
)


@given(Question, Question)
def test_no_two_questions_share_their_bytes(one, other):
    """Injective: no trick with delimiters moves a character from one part to the next."""

    def sort(question):
        method, host, path, query, headers, extra = question
        return (method, host, path, query, sorted(headers, key=lambda f: f[0]), extra)

    def packed(question):
        method, host, path, query, headers, extra = question
        return canonical(method, host, path, query, headers, extra=extra)

    assert (packed(one) == packed(other)) == (sort(one) == sort(other))


@given(st.text("aZ0-._~%2fF41e+:/é", max_size=12))
def test_normalising_escapes_is_idempotent_and_keeps_what_is_decoded(text):
    """RFC 3986 section 6.2.2: case and unreserved characters only, never what a URI means."""
    once = normalised_escapes(text)
    assert normalised_escapes(once) == once
    assert unquote(once, "latin-1") == unquote(text, "latin-1")
    if re.fullmatch("(?:[^%]|%[0-9A-Fa-f]{2})*", text):
        assert not re.search("%(?:[a-f]|[0-9A-F][a-f])", once)
        assert "%41" not in once
