"""What a request says about caching, and what of its head goes to GitHub."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.policy.control import Wishes, upstream_headers, wishes
from support.policy import GH, fields


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({}, Wishes()),
        ({"x_p2pcache_ttl": "300"}, Wishes(ttl=300.0)),
        ({"x_p2pcache_ttl": "0"}, Wishes(ttl=0.0)),
        ({"x_p2pcache_default_ttl": "1.5"}, Wishes(default_ttl=1.5)),
        ({"x_p2pcache_mode": "refresh"}, Wishes(mode="refresh")),
        ({"x_p2pcache_mode": "offline"}, Wishes(mode="offline")),
        ({"x_p2pcache_mode": "no-stale"}, Wishes(mode="no-stale")),
        ({"x_p2pcache_call": "a1-_B"}, Wishes(call="a1-_B")),
        # gh writes Go's Duration.String
        ({"x_gh_cache_ttl": "24h0m0s"}, Wishes(gh_cache_ttl=86400.0)),
        ({"x_gh_cache_ttl": "1m30.5s"}, Wishes(gh_cache_ttl=90.5)),
        ({"x_gh_cache_ttl": "150ms"}, Wishes(gh_cache_ttl=0.15)),
        ({"x_gh_cache_ttl": "0"}, Wishes(gh_cache_ttl=0.0)),
        # RFC 9111 section 5.2.1
        ({"cache_control": "no-cache"}, Wishes(no_cache=True)),
        ({"cache_control": "No-Store"}, Wishes(no_store=True)),
        ({"cache_control": "only-if-cached, max-age=60"}, Wishes(only_if_cached=True, max_age=60)),
        ({"cache_control": 'max-age="5"'}, Wishes(max_age=5)),
        ({"cache_control": "private=no-cache, x"}, Wishes()),
        # RFC 9111 section 5.4: Pragma counts only without Cache-Control
        ({"pragma": "no-cache"}, Wishes(no_cache=True)),
        ({"pragma": "no-cache", "cache_control": "max-age=9"}, Wishes(max_age=9)),
    ],
)
def test_wishes(said, wanted):
    assert wishes(GH + fields(**said)) == wanted


@pytest.mark.parametrize(
    "said",
    [
        {"x_p2pcache_ttl": "soon"},
        {"x_p2pcache_ttl": "-1"},
        {"x_p2pcache_ttl": "nan"},
        {"x_p2pcache_ttl": "inf"},
        {"x_p2pcache_default_ttl": ""},
        {"x_p2pcache_mode": "fast"},
        {"x_p2pcache_call": "../../etc/passwd"},
        {"x_p2pcache_call": "a" * 65},
        {"x_p2pcache_call": ""},
        {"cache_control": "max-age=x"},
    ],
)
def test_a_bad_value_is_named_and_otherwise_as_if_it_were_not_there(said):
    wanted = wishes(fields(**said))
    (name,) = said
    assert len(wanted.problems) == 1
    assert wanted.problems[0].startswith(name.replace("_", "-"))
    assert wanted == Wishes(problems=wanted.problems)


def test_bytes_that_are_no_text_are_a_problem_and_no_error():
    wanted = wishes(((b"x-p2pcache-mode", b"\xff"), (b"cache-control", b"\xfe")))
    assert len(wanted.problems) == 2
    assert wanted.mode == ""


@pytest.mark.parametrize("bad", ["a day", "24", "-1s", "1d", ""])
def test_a_time_of_ghs_that_cannot_be_read_still_says_that_gh_will_keep_the_answer(bad):
    wanted = wishes(fields(x_gh_cache_ttl=bad))
    assert wanted.gh_cache_ttl == 0.0
    assert wanted.problems


def test_of_a_field_that_is_repeated_the_first_counts():
    twice = fields(x_p2pcache_ttl="1") + fields(x_p2pcache_ttl="2")
    assert wishes(twice).ttl == 1.0


@given(st.binary(max_size=20), st.sampled_from(["cache-control", "x-p2pcache-ttl", "pragma",
       "x-gh-cache-ttl", "x-p2pcache-mode", "x-p2pcache-call"]))  # fmt: skip
def test_no_value_is_too_odd(value, name):
    wanted = wishes(((name.encode(), value),))
    assert wanted.ttl is None or wanted.ttl >= 0
    assert wanted.max_age is None or wanted.max_age >= 0


def test_what_is_ours_ghs_or_the_connections_does_not_go_upstream():
    """RFC 9110 section 7.6.1: what Connection names concerns this connection, too."""
    said = fields(
        x_p2pcache_ttl="1", x_p2pcache_call="a", x_gh_cache_ttl="1h", te="trailers",
        connection="close, X-Mine", x_mine="1", keep_alive="1", proxy_authorization="secret",
        transfer_encoding="chunked", upgrade="h2c",
    )  # fmt: skip
    assert upstream_headers(GH + said) == GH


def test_everything_else_goes_upstream_as_it_came():
    said = (*GH, (b"accept", b""), (b"if-none-match", b'"x"'), (b"x-new", b"\xff"))
    assert upstream_headers(said) == said
