"""How long answers are fresh and how stale they may be; what is kept, and for whom."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.policy.control import Wishes
from gh_p2pcache.policy.freshness import (
    ceiling,
    is_private_body,
    keepable,
    lifetime,
    max_stale,
    rule,
)
from gh_p2pcache.policy.plan import plan
from gh_p2pcache.policy.rows import MAX_LIFETIME
from support.policy import answer, asked, get, graphql, planned

SHA = "a" * 40
DAY = 86400.0
PLANS = {
    "immutable": planned(f"/repos/o/r/git/blobs/{SHA}"),
    "status": planned("/repos/o/r/actions/runs"),
    "graphql status": asked('{repository(owner:"o",name:"r"){pullRequest(number:1){mergeable}}}'),
    "push": planned("/repos/o/r/branches"),
    "queue": planned("/repos/o/r/actions/runners"),
    "search": planned("/search/issues?q=x"),
    "graphql": asked("{viewer{login}}"),
    "introspection": asked('{__type(name:"Issue"){name}}'),
    "default": planned("/user"),
}
INF = math.inf


def fresh(name, profile="ttl", *, default=300.0, bound=MAX_LIFETIME, rules=(), **wished):
    return lifetime(PLANS[name], bound, profile, Wishes(**wished), default, rules)


@pytest.mark.parametrize(
    ("name", "ttl", "exact"),
    [
        ("immutable", 7 * DAY, 7 * DAY),
        ("status", 10, 0),
        ("graphql status", 10, 0),
        ("push", 10, 0),
        ("queue", 30, 0),
        ("search", 60, 0),
        ("graphql", 60, 10),
        ("introspection", DAY, DAY),
        ("default", 300, 0),
    ],
)
def test_the_rows_of_the_table(name, ttl, exact):
    assert fresh(name) == ttl
    assert fresh(name, "exact") == exact


def test_the_default_is_the_callers_before_the_daemons():
    assert fresh("default", default=5) == 5
    assert fresh("default", default=5, default_ttl=7) == 7
    assert fresh("search", default=5, default_ttl=7) == 60
    assert fresh("default", "exact", default_ttl=7) == 0


@pytest.mark.parametrize("profile", ["ttl", "exact"])
def test_a_request_overrides_its_row_in_both_profiles(profile):
    assert fresh("default", profile, ttl=3600) == 3600
    assert fresh("push", profile, ttl=3600) == 3600
    assert fresh("immutable", profile, ttl=5) == 5
    assert fresh("default", profile, ttl=0) == 0


def test_a_request_overrides_a_users_rule_and_that_the_row():
    rules = (("*/repos/o/r/*", 1000.0), ("*", 50.0))
    assert fresh("push", rules=rules) == 1000
    assert fresh("default", rules=rules) == 50
    assert fresh("push", rules=rules, ttl=7) == 7
    assert fresh("push", "exact", rules=rules) == 0


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("api.github.com/repos/o/r/branches", True),
        ("API.github.com/repos/O/*", True),
        ("*/branches", True),
        ("*/repos/o/[qr]/*", True),
        ("api.github.com/repos/o/r", False),
        ("/repos/o/r/branches", False),
        ("ghe.corp/*", False),
    ],
)
def test_rules_are_patterns_of_host_and_path_without_regard_to_case(pattern, matches):
    assert (fresh("push", rules=((pattern, 1000.0),)) == 1000) == matches


def test_rules_do_not_mind_the_case_of_a_path_either():
    made = planned("/repos/o/r/contents/README.md")
    for pattern in ("*/readme.md", "*/README.md"):
        assert lifetime(made, MAX_LIFETIME, "ttl", Wishes(), 300, ((pattern, 9.0),)) == 9


@pytest.mark.parametrize("name", ["status", "graphql status"])
def test_nothing_lifts_status_beyond_a_minute(name):
    assert fresh(name, ttl=3600) == 60
    assert fresh(name, ttl=30) == 30
    assert fresh(name, rules=(("*", 3600.0),)) == 60
    assert max_stale(PLANS[name], "ttl", DAY) == 60
    assert max_stale(PLANS[name], "exact", DAY) == 60
    assert max_stale(PLANS[name], "ttl", 5) == 5


@pytest.mark.parametrize("name", list(PLANS))
@pytest.mark.parametrize("profile", ["ttl", "exact"])
def test_what_github_set_as_bound_nothing_lifts(name, profile):
    assert fresh(name, profile, bound=0, ttl=3600, rules=(("*", 999.0),)) == 0


def test_words_that_only_shorten():
    """RFC 9111 section 5.2.1.1: max-age is the greatest age that the client takes."""
    assert fresh("default", max_age=20) == 20
    assert fresh("search", max_age=3600) == 60
    assert fresh("default", gh_cache_ttl=30) == 30
    assert fresh("introspection", gh_cache_ttl=3600) == 3600
    assert fresh("default", gh_cache_ttl=DAY) == 300
    assert fresh("default", ttl=DAY, gh_cache_ttl=60) == 60


@pytest.mark.parametrize("profile", ["ttl", "exact"])
@pytest.mark.parametrize("wished", [{"no_cache": True}, {"mode": "refresh"}])
def test_asking_again_is_asking_again(profile, wished):
    """RFC 9111 section 5.2.1.4: no-cache wants the origin's word, whatever else is said."""
    assert fresh("immutable", profile, ttl=3600, **wished) == 0


def test_stale_answers_bridge_a_day_or_a_quarter_of_an_hour():
    assert max_stale(PLANS["default"], "ttl", DAY) == DAY
    assert max_stale(PLANS["default"], "exact", DAY) == 900
    assert max_stale(PLANS["default"], "exact", 60) == 60


def test_explain_names_what_decides():
    assert rule(PLANS["search"], "ttl", Wishes(), 300, ()) == ("search", 60)
    assert rule(PLANS["search"], "ttl", Wishes(), 300, (("*", 5.0),)) == ("rule *", 5)
    assert rule(PLANS["search"], "ttl", Wishes(ttl=9), 300, ()) == ("this request", 9)


SECONDS = st.floats(0, 1e9)
MAYBE = st.none() | SECONDS


WISHES = st.builds(
    Wishes,
    ttl=MAYBE,
    default_ttl=MAYBE,
    gh_cache_ttl=MAYBE,
    max_age=MAYBE,
    no_cache=st.booleans(),
)
RULES = st.lists(st.tuples(st.sampled_from(["*", "x*", "*/user"]), SECONDS), max_size=3)


@pytest.mark.parametrize("name", list(PLANS))
@given(st.sampled_from(["ttl", "exact"]), st.tuples(SECONDS, SECONDS), WISHES, RULES)
def test_a_lifetime_never_exceeds_any_of_its_bounds(name, profile, seconds, wished, rules):
    bound, default = seconds
    made = PLANS[name]
    life = lifetime(made, bound, profile, wished, default, rules)
    assert 0 <= life <= min(bound, MAX_LIFETIME)
    for cap in (wished.gh_cache_ttl, wished.max_age):
        assert cap is None or life <= cap
    if made.row.capped:
        assert life <= 60
    if profile == "exact" and wished.ttl is None:
        assert life <= made.row.exact


@pytest.mark.parametrize(
    ("response", "kept"),
    [
        (answer({}), True),
        (answer(b"\xff\xfe", content_type="application/octet-stream"), True),
        (answer({}, 301, location="https://api.github.com/repositories/1"), True),
        (answer({}, cache_control="private, max-age=60, s-maxage=60"), True),
        (answer({}, cache_control="no-cache"), True),
        (answer({}, cache_control="private, No-Store"), False),
        (answer({}, cache_control='ext="no-storeroom"'), True),
        (answer({}, 201), False),
        (answer({}, 202), False),
        (answer(b"", 204), False),
        (answer(b"", 206), False),
        (answer(b"", 302, location="https://objects.example/?token=x"), False),
        (answer(b"", 304), False),
        (answer(b"", 307), False),
        (answer({}, 404), False),
        (answer({}, 500), False),
        (answer({}, vary="Accept, Authorization, Cookie, X-GitHub-OTP"), True),
        (answer({}, vary="Accept-Encoding, Accept, X-Requested-With"), True),
        (answer({}, vary="*"), False),
        (answer({}, vary="Accept, User-Agent"), False),
        (answer({}, vary="time-zone"), False),
    ],
)
def test_what_is_kept_of_rest(response, kept):
    """RFC 9111 sections 3 (storing), 4.1 (Vary) and 5.2.2.5 (no-store)."""
    assert keepable(planned("/repos/o/r"), response, response.body) == kept


def test_vary_over_several_lines_is_one_list():
    lines = answer({}, vary="Accept").headers + answer({}, vary="*").headers
    response = answer({})
    assert not keepable(planned("/user"), type(response)(200, lines, b"{}"), b"{}")


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b'{"data":{"repository":{"name":"r"}}}', True),
        (b'{"data":{"repository":{"name":"\\"errors\\""}}}', True),
        (b'{"data":{"issue":{"title":"\\"errors\\":1"}}}', True),
        (b' {"data": {"viewer": {}}}', True),
        (b'{"data":{"viewer":{}},"errors":[]}', True),
        (b'{"data":{"viewer":null},"errors":[{"type":"NOT_FOUND"}]}', False),
        (b'{"errors":[{"type":"RATE_LIMITED"}],"data":{"a":{}}}', False),
        (b'{"errors":[{"message":"x"}]}', False),
        (b'{"data":null}', False),
        (b'{"message":"Bad credentials"}', False),
        (b"[]", False),
        (b"{", False),
        (b"[" * 100_000, False),
        (b"", False),
    ],
)
def test_what_is_kept_of_graphql(body, kept):
    assert keepable(PLANS["graphql"], answer(body), body) == kept
    assert not keepable(PLANS["graphql"], answer(body, 301), body)


def test_what_goes_past_the_cache_is_not_kept():
    assert not keepable(plan(get("/rate_limit")), answer({}), b"{}")
    assert not keepable(plan(graphql("mutation{a{b}}")), answer({}), b'{"data":{"a":{}}}')


SIGNED = {"download_url": "https://raw.example/o/r/main/a?token=ABC", "name": "a"}


@pytest.mark.parametrize(
    ("target", "response", "bound"),
    [
        ("/user", answer({}), MAX_LIFETIME),
        ("/user", answer({}, cache_control="private, max-age=60, s-maxage=60"), MAX_LIFETIME),
        ("/user", answer({}, cache_control="private, no-cache"), 0),
        ("/user", answer({}, cache_control="public, must-revalidate, max-age=0"), 0),
        ("/user", answer({}, cache_control="max-age=0"), 0),
        ("/repos/o/r/stats/contributors", answer({}, 202), 0),
        ("/repos/o/r/contents/a", answer(SIGNED), 60),
        (f"/repos/o/r/contents/a?ref={SHA}", answer([SIGNED]), 60),
        ("/repos/o/r/contents/a", answer({"content": "?token=x", "download_url": None}),
         MAX_LIFETIME),
        ("/repos/o/r/issues/1", answer({"body": '"download_url":"x?token=y"'}), MAX_LIFETIME),
        ("/repos/o/r/actions/runs", answer({"total_count": 0, "workflow_runs": []}), 0),
        ("/repos/o/r/pulls/1", answer({"state": "open", "mergeable": None}), 0),
        ("/repos/o/r/pulls/1", answer(b"diff --git", content_type="text/plain"), MAX_LIFETIME),
        ("/repos/o/r/pulls/1", answer({}, 301), MAX_LIFETIME),
    ],
)  # fmt: skip
def test_the_bound_that_a_response_sets(target, response, bound):
    assert ceiling(planned(target), response, response.body) == bound


def test_graphql_is_kept_although_github_says_no_cache_to_it():
    response = answer({"data": {"viewer": {"login": "a"}}}, cache_control="no-cache")
    assert ceiling(PLANS["graphql"], response, response.body) == MAX_LIFETIME


@pytest.mark.parametrize(
    ("target", "body", "private"),
    [
        ("/repos/o/r/contents/a", SIGNED, True),
        ("/repos/o/r/contents/a", {"download_url": "https://raw.example/o/r/main/a"}, False),
        ("/repos/o/r", {"full_name": "O/R", "private": True}, False),
        ("/repos/o/r/pulls", [{"head": {"repo": {"full_name": "x/r", "private": True}}}], True),
        ("/repos/o/r/pulls", [{"head": {"repo": {"full_name": "x/r", "private": False}}}], False),
        ("/repos/o/r/issues/1", {"parent_issue_url": "https://h/repos/x/y/issues/2"}, True),
        ("/repos/o/r/issues/1", {"parent_issue_url": "https://h/repos/O/r/issues/2"}, False),
        ("/repos/o/r/issues/1", {"parent_issue_url": None}, False),
        ("/repos/o/r/contents/package.json", {"private": True, "name": "x"}, False),
    ],
)
def test_a_body_that_only_its_reader_may_see_is_private(target, body, private):
    compact = answer(body).body
    spaced = compact.replace(b'":', b'" : ')
    assert is_private_body(planned(target), compact) == private
    assert is_private_body(planned(target), spaced) == private
