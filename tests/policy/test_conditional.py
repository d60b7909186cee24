"""A client's own conditions and the coding it takes."""

import pytest

from gh_p2pcache.policy.conditional import not_modified, wants_gzip
from support.policy import fields

ETAG = b'W/"abc"'


@pytest.mark.parametrize(
    ("condition", "etag", "expected"),
    [
        # RFC 9110 section 13.1.2 with the weak comparison of section 8.8.3.2
        ('W/"abc"', ETAG, True),
        ('"abc"', ETAG, True),
        ('W/"abc"', b'"abc"', True),
        ('"abd"', ETAG, False),
        ('"x", W/"abc"', ETAG, True),
        ('"x" , "y,z"', b'"y,z"', True),
        ('"a", "b"', b'"a", "b"', False),
        ("*", ETAG, True),
        ("*", None, True),
        ("abc", ETAG, False),
        ('"ABC"', ETAG, False),
        ('"abc', ETAG, False),
        ("", ETAG, False),
        ('"abc"', None, False),
        ('"abc"', b"abc", False),
        ('""', b'""', True),
    ],
)
def test_if_none_match(condition, etag, expected):
    assert not_modified(fields(if_none_match=condition), etag) == expected


def test_lines_of_one_field_are_one_list():
    """RFC 9110 section 5.3."""
    lines = fields(if_none_match='"x"') + fields(if_none_match='"abc"')
    assert not_modified(lines, ETAG)


@pytest.mark.parametrize(
    "said", [{}, {"if_modified_since": "Sat, 01 Jan 2099 00:00:00 GMT"}, {"if_match": '"abc"'}]
)
def test_a_client_that_sent_no_etag_never_gets_a_304(said):
    """gh reads one as a failure; and GitHub's dates stand still while bodies change."""
    assert not not_modified(fields(**said), ETAG)


@pytest.mark.parametrize(
    ("coding", "expected"),
    [
        # RFC 9110 section 12.5.3
        ("gzip", True),
        ("GZIP", True),
        ("deflate, gzip;q=0.5, br", True),
        ("x-gzip", True),
        ("*", True),
        ("identity;q=0.5, *;q=0.1", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("gzip;q=0.001", True),
        ("*, gzip;q=0", False),
        ("*;q=0", False),
        ("identity", False),
        ("br, deflate", False),
        ("", False),
    ],
)
def test_who_takes_gzip(coding, expected):
    assert wants_gzip(fields(accept_encoding=coding)) == expected


def test_who_says_nothing_gets_no_gzip():
    assert not wants_gzip(())


def test_codings_may_come_in_several_lines():
    assert wants_gzip(fields(accept_encoding="br") + fields(accept_encoding="gzip"))
