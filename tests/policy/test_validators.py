"""The known lies of validators."""

import json

import pytest

from gh_p2pcache.policy.validators import may_revalidate
from support.policy import asked, fields, planned

NEXT = fields(link='<https://api.github.com/repositories/1/issues?page=2>; rel="next"')
PREV = fields(link='<https://api.github.com/repositories/1/issues?page=1>; rel="prev"')


def array(count: int) -> bytes:
    return json.dumps([{}] * count).encode()


@pytest.mark.parametrize(
    ("target", "headers", "body", "expected"),
    [
        ("/repos/o/r/issues", (), array(29), True),
        ("/repos/o/r/issues", (), array(30), False),
        ("/repos/o/r/issues", (), array(31), False),
        ("/repos/o/r/issues", NEXT, array(30), True),
        ("/repos/o/r/issues?page=2", PREV, array(30), False),
        ("/repos/o/r/issues?page=2", PREV + NEXT, array(30), True),
        ("/repos/o/r/issues?per_page=100", (), array(99), True),
        ("/repos/o/r/issues?per_page=100", (), array(100), False),
        ("/repos/o/r/issues?per_page=1", (), b" [ {} ]", False),
        ("/user/repos", (), array(30), False),
        # not a list of pages
        ("/repos/o/r/contents/dir", (), array(500), True),
        ("/repos/o/r", (), b"{}", True),
        ("/user", (), b"{}", True),
        # the count is in the body, so a successor changes it
        ("/repos/o/r/actions/runs?per_page=1", (), b'{"total_count":1,"workflow_runs":[{}]}', True),
        # nothing to count
        ("/repos/o/r/issues", (), b"", False),
        ("/repos/o/r/issues", NEXT, b"", True),
        ("/repos/o/r/issues", (), b"[" * 100_000, False),
    ],
)
def test_a_full_last_page_is_asked_for_anew(target, headers, body, expected):
    assert may_revalidate(planned(target), 200, headers, body) == expected


def test_redirects_and_graphql_have_no_validator_to_ask_with():
    assert not may_revalidate(planned("/repos/o/r"), 301, (), b"{}")
    assert not may_revalidate(asked("{viewer{login}}"), 200, (), b"{}")
