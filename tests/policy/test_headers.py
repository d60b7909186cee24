"""Header fields of records: what is kept, how a 304 changes it, and dates."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_p2pcache.policy.headers import http_date, kept_headers, merge_304
from support.policy import fields

ANSWER = fields(
    content_type="application/json", content_length="5", etag='W/"a"', link="<x>; rel=next",
    x_ratelimit_remaining="1", x_github_request_id="id", x_oauth_scopes="repo",
    x_accepted_oauth_scopes="", x_oauth_client_id="c", x_github_sso="required; url=x",
    set_cookie="a=b", github_authentication_token_expiration="2030", age="3",
    connection="close, x-hop", x_hop="1", transfer_encoding="chunked", vary="Accept",
    x_new_of_next_year="1", date="Sat, 22 Nov 2025 16:00:00 GMT", x_github_media_type="github.v3",
)  # fmt: skip


def names(headers):
    return {name.decode() for name, _ in headers}


def test_a_shared_record_tells_nothing_of_who_asked():
    assert names(kept_headers(ANSWER, shared=True)) == {
        "content-type", "etag", "link", "vary", "date", "x-github-media-type",
    }  # fmt: skip


def test_a_private_record_keeps_all_but_what_is_the_connections():
    """RFC 9111 section 3.1: Connection, what it names, and framing are not stored."""
    gone = {"connection", "x-hop", "transfer-encoding", "content-length", "age", "set-cookie"}
    assert names(kept_headers(ANSWER, shared=False)) == names(ANSWER) - gone


def test_fields_keep_their_order_and_repetition():
    twice = ((b"vary", b"Accept"), (b"etag", b"x"), (b"vary", b"Cookie"))
    assert kept_headers(twice, shared=True) == twice
    assert kept_headers(twice, shared=False) == twice


def test_a_connection_option_cannot_take_an_allowed_field_into_a_shared_record():
    assert kept_headers(fields(connection="link", link="x"), shared=True) == ()


def test_a_304_replaces_what_it_carries_and_leaves_the_rest():
    """RFC 9111 section 3.2."""
    stored = fields(etag='"old"', link="<old>", content_type="application/json", x_kept="1")
    stored += fields(vary="Accept") + fields(vary="Cookie")
    fresh = fields(etag='"new"', link="<new>", vary="Accept", x_more="2")
    merged = merge_304(stored, fresh)
    assert sorted(merged) == sorted(
        fields(
            content_type="application/json", x_kept="1", etag='"new"', link="<new>",
            vary="Accept", x_more="2",
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    "name", ["content_type", "content_encoding", "content_length", "content_range", "x_hop",
             "transfer_encoding", "connection"]
)  # fmt: skip
def test_a_304_does_not_change_what_describes_the_stored_body_or_a_connection(name):
    """RFC 9111 section 3.2: but for fields of the stored body and those of section 3.1."""
    fresh = fields(connection="x-hop") + fields(**{name: "evil"})
    stored = fields(content_type="a", content_encoding="gzip", etag="x")
    assert merge_304(stored, fresh) == stored


def test_a_304_without_a_link_leaves_the_stored_one():
    assert merge_304(fields(link="<x>"), fields(etag="y")) == fields(link="<x>", etag="y")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        # the three forms of RFC 9110 section 5.6.7, all the same moment
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784111777),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784111777),
        ("Sun Nov  6 08:49:37 1994", 784111777),
        ("sun, 06 nov 1994 08:49:37 gmt", 784111777),
        (" Sun, 06 Nov 1994 08:49:37 GMT ", 784111777),
        ("Thursday, 01-Jan-26 00:00:00 GMT", 1767225600),
        ("Sat, 31 Dec 2016 23:59:60 GMT", 1483228800),
        ("Sun, 06 Nov 1994 08:49:37 +0000", None),
        ("Sun, 06 Nov 1994 08:49 GMT", None),
        ("Sun, 31 Feb 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 24:00:00 GMT", None),
        ("Sun, 06 Nov 1994 08:60:00 GMT", None),
        ("Sun, 06 Foo 1994 08:49:37 GMT", None),
        ("Sun, 00 Nov 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1066 08:49:37 GMT", None),
        ("784111777", None),
        ("", None),
    ],
)
def test_http_dates(text, seconds):
    assert http_date(text.encode()) == seconds


@given(st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(9999, 12, 31)))  # noqa: DTZ001
def test_every_moment_comes_back(moment):
    utc = moment.replace(tzinfo=dt.timezone.utc, microsecond=0)
    text = utc.strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert http_date(text.encode()) == int(utc.timestamp())


@given(st.binary(max_size=40))
def test_no_value_is_too_odd(value):
    assert http_date(value) is None or value
