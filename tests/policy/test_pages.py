"""Pages of one list."""

import pytest

from gh_p2pcache.policy.pages import family, is_later, next_family
from support.policy import get


@pytest.mark.parametrize(
    ("target", "later"),
    [
        ("/repos/o/r/issues", False),
        ("/repos/o/r/issues?page=1&per_page=2", False),
        ("/repos/o/r/issues?page=2", True),
        ("/repos/o/r/issues?per_page=2&after=abc", True),
        ("/repos/o/r/issues?homepage=2", False),
    ],
)
def test_which_page_is_a_later_one(target, later):
    assert is_later(get(target)) == later


def test_pages_of_one_list_are_a_family_whatever_their_order_and_spelling():
    first = family(get("/repos/o/r/issues?state=open&per_page=2"))
    assert family(get("/repos/O/R/issues?per_page=2&page=3&state=open")) == first
    assert family(get("/repos/o/r/issues?state=open&per_page=2&after=x")) == first
    assert family(get("/repos/o/r/issues?state=all&per_page=2&page=3")) != first
    assert family(get("/repos/o/r/pulls?state=open&per_page=2")) != first


def test_a_next_link_leads_to_the_family_by_number():
    first = get("/repos/o/r/issues?per_page=2")
    url = "https://api.github.com/repositories/7/issues?per_page=2&page=2"
    link = f'<https://api.github.com/x?page=9>; rel="last", <{url}>; rel="next"'.encode()
    assert next_family(first, link) == family(get("/repositories/7/issues?per_page=2&page=2"))
    assert next_family(first, b'<https://api.github.com/x>; rel="prev"') is None
    assert next_family(first, None) is None
