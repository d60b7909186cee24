"""Rate limits: budgets, and telling a limit from an ordinary refusal."""

import pytest

from gh_p2pcache.policy.ratelimit import Budget, Limit, budget, counted_down, limited
from support.policy import answer, asked, fields, planned

NOW = 1_700_000_000.0
RESET = NOW + 1800
SPENT = {
    "x_ratelimit_limit": "5000",
    "x_ratelimit_remaining": "0",
    "x_ratelimit_reset": str(int(RESET)),
    "x_ratelimit_used": "5000",
    "x_ratelimit_resource": "core",
}
LEFT = SPENT | {"x_ratelimit_remaining": "4", "x_ratelimit_used": "4996"}
REST = planned("/repos/o/r/issues")
QUERY = asked("{viewer{login}}")

PRIMARY = {
    "message": "API rate limit exceeded for user ID 1.",
    "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api",
}
SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}
ABUSE = {"message": "You have triggered an abuse detection mechanism. Please wait."}
ORDINARY = {"message": "Resource not accessible by integration", "documentation_url": "https://x"}


@pytest.mark.parametrize(
    ("response", "limit"),
    [
        # primary: nothing remains, until the reset
        (answer(PRIMARY, 403, **SPENT), Limit("primary", "core", RESET)),
        (answer(PRIMARY, 429, **SPENT), Limit("primary", "core", RESET)),
        (answer(PRIMARY, 403, **SPENT | {"x_ratelimit_resource": "search"}),
         Limit("primary", "search", RESET)),
        (answer(b"", 403, **SPENT), Limit("primary", "core", RESET)),
        # secondary: retry-after in seconds, as a date, odd or absent (a minute)
        (answer(SECONDARY, 403, **LEFT, retry_after="30"), Limit("secondary", "core", NOW + 30)),
        (answer(SECONDARY, 429, **LEFT, retry_after="30"), Limit("secondary", "core", NOW + 30)),
        (answer(SECONDARY, 403, retry_after="Tue, 14 Nov 2023 22:15:20 GMT"),
         Limit("secondary", "core", NOW + 120)),
        (answer(SECONDARY, 403, retry_after="Tue, 14 Nov 2000 22:15:20 GMT"),
         Limit("secondary", "core", NOW + 60)),
        (answer(SECONDARY, 403, retry_after="Tue, 14 Nov 2023 22:13:19 GMT"),
         Limit("secondary", "core", NOW + 1)),
        (answer(SECONDARY, 403, retry_after="soon"), Limit("secondary", "core", NOW + 60)),
        (answer(SECONDARY, 403, retry_after="0"), Limit("secondary", "core", NOW + 60)),
        (answer(SECONDARY, 403, **LEFT), Limit("secondary", "core", NOW + 60)),
        (answer(SECONDARY, 403, **SPENT), Limit("secondary", "core", NOW + 60)),
        (answer(ABUSE, 403), Limit("secondary", "core", NOW + 60)),
        (answer(ABUSE, 403, **SPENT, retry_after="5"), Limit("secondary", "core", NOW + 5)),
        (answer({"message": "?"}, 403, retry_after="7"), Limit("secondary", "core", NOW + 7)),
        # RFC 6585 section 4: a 429 is a limit, whatever it says
        (answer(b"<html>", 429), Limit("secondary", "core", NOW + 60)),
        (answer(b"", 429, retry_after="9"), Limit("secondary", "core", NOW + 9)),
        # values beyond reason
        (answer(SECONDARY, 403, retry_after="999999"), Limit("secondary", "core", NOW + 3600)),
        (answer(PRIMARY, 403, **SPENT | {"x_ratelimit_reset": "9999999999"}),
         Limit("primary", "core", NOW + 3600)),
        (answer(PRIMARY, 403, **SPENT | {"x_ratelimit_reset": "1"}),
         Limit("primary", "core", NOW + 60)),
    ],
)  # fmt: skip
def test_limits(response, limit):
    assert limited(response, response.body, NOW, REST) == limit


@pytest.mark.parametrize(
    "response",
    [
        answer(ORDINARY, 403),
        answer(ORDINARY, 403, **LEFT),
        # the last call of a window may be refused for its own reasons
        answer(ORDINARY, 403, **SPENT),
        answer({"message": "Must have admin rights", "body": "rate limit"}, 403, **SPENT),
        answer(b"", 403),
        answer(b"[" * 100_000, 403, **SPENT),
        answer({"message": "Not Found"}, 404, **SPENT),
        answer({"message": "Bad credentials"}, 401, **SPENT),
        answer(SECONDARY, 200),
        answer(PRIMARY, 200, **SPENT),
        answer(b"", 304, **SPENT),
        answer(b"", 503, retry_after="5"),
    ],
)
def test_an_ordinary_refusal_is_no_limit(response):
    assert limited(response, response.body, NOW, REST) is None


GRAPHQL_SPENT = SPENT | {"x_ratelimit_resource": "graphql"}


@pytest.mark.parametrize(
    ("response", "limit"),
    [
        (answer({"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]},
                **GRAPHQL_SPENT), Limit("graphql", "graphql", RESET)),
        (answer({"errors": [{"type": "RATE_LIMIT", "code": "graphql_rate_limit"}]},
                **GRAPHQL_SPENT), Limit("graphql", "graphql", RESET)),
        (answer({"errors": [{"type": "NOT_FOUND"}, {"type": "RATE_LIMITED"}]}),
         Limit("graphql", "graphql", NOW + 60)),
        (answer({"errors": [{"type": "RATE_LIMITED"}]}, retry_after="11"),
         Limit("graphql", "graphql", NOW + 11)),
        (answer({"errors": [SECONDARY]}), Limit("secondary", "graphql", NOW + 60)),
        (answer(SECONDARY, 403, retry_after="5"), Limit("secondary", "graphql", NOW + 5)),
        (answer({"errors": [{"type": "NOT_FOUND"}]}, **GRAPHQL_SPENT), None),
        (answer({"data": {"a": '"errors" RATE_LIMITED'}}), None),
        (answer({"errors": "RATE_LIMITED"}), None),
        (answer({"errors": [None, 1]}), None),
        (answer(b'{"errors"'), None),
    ],
)  # fmt: skip
def test_graphql_says_it_in_a_200(response, limit):
    assert limited(response, response.body, NOW, QUERY) == limit


def test_a_budget():
    assert budget(fields(**LEFT)) == Budget("core", 5000, 4, int(RESET), 4996)
    search = LEFT | {"x_ratelimit_resource": "search"}
    del search["x_ratelimit_used"]
    assert budget(fields(**search)) == Budget("search", 5000, 4, int(RESET), 4996)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"x_ratelimit_limit": "5000"},
        SPENT | {"x_ratelimit_reset": "tomorrow"},
        SPENT | {"x_ratelimit_used": "x"},
    ],
)
def test_no_budget_is_read_where_there_is_none(said):
    assert budget(fields(**said)) is None


def test_a_limit_answer_given_again_counts_down():
    first = answer(SECONDARY, 403, retry_after="60", x_other="1")
    assert (
        counted_down(first, 41).headers
        == answer(SECONDARY, 403, retry_after="41", x_other="1").headers
    )
    assert counted_down(first, 0).headers[0] == (b"retry-after", b"1")
    primary = answer(PRIMARY, 403, **SPENT)
    assert counted_down(primary, 41) == primary
