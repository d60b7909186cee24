"""The first decision: kept or not, under which scope, row and tags."""

from dataclasses import replace

import pytest

from gh_p2pcache.policy import rows
from gh_p2pcache.policy.plan import Access, plan
from gh_p2pcache.records.message import Request
from support.policy import GH, asked, fields, get, graphql, planned

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("request_", "reason", "writes"),
    [
        (get("/repos/o/r/issues", method="POST"), "write", True),
        (get("/repos/o/r/issues", method="QUERY"), "write", True),
        (get("/user", method="OPTIONS"), "write", False),
        (get("/rate_limit"), "rate_limit", False),
        (get("/api/v3/rate_limit", "ghe.corp"), "rate_limit", False),
        (get("/repos/o/r/actions/runs/1/logs"), "log or archive", False),
        (get("/repos/o/r/actions/jobs/1/logs"), "log or archive", False),
        (get("/repos/o/r/actions/artifacts/1/zip"), "log or archive", False),
        (get("/repos/o/r/tarball/main"), "log or archive", False),
        (get("/repos/o/r/zipball"), "log or archive", False),
        (get("/repositories/1/zipball/main"), "log or archive", False),
        (get("/user/migrations/1/archive"), "log or archive", False),
        (get("/orgs/o/migrations/1/archive"), "log or archive", False),
        (get("/user", range="bytes=0-1"), "range", False),
        (get("/user", cookie="a=b"), "cookie", False),
        (get("/user", if_match='"a"'), "precondition", False),
        (get("/user", if_unmodified_since="x"), "precondition", False),
        (get("/user", cache_control="max-age=1, No-Store"), "no-store", False),
        (Request("GET", "api.github.com", "/user", (), b"{}"), "body", False),
        (
            Request("GET", "api.github.com", "/repos/o/r/releases/assets/1",
                    fields(accept="application/octet-stream")),
            "download", False,
        ),
        (get("/repos/o/r/releases/1/assets", "uploads.github.com"), "not the API", False),
        (get("/repos/o/r/../x"), "odd path", False),
        (get("/repos/o/r/../x", method="DELETE"), "odd path", True),
        (get("/x", "codeload.github.com"), "not GitHub", False),
        (get("/graphql"), "not a GraphQL call", False),
        (graphql("{viewer{login}}", cache_control="no-store"), "no-store", False),
        (graphql("mutation{a(input:{id:1}){id}}"), "write", True),
        (graphql("subscription{a}"), "stream", False),
        (graphql("{"), "GraphQL not understood", True),
    ],
)  # fmt: skip
def test_what_goes_past_the_cache_says_why_and_whether_it_may_write(request_, reason, writes):
    made = plan(request_)
    assert (made.action, made.reason, made.writes) == ("bypass", reason, writes)
    assert made.key == b""
    assert made.access is None


def test_a_read_of_an_issue_has_all_that_the_engine_needs():
    made = planned("/repos/Acme/Widgets/issues?per_page=50")
    assert made.access == Access("github.com/acme/widgets", frozenset({"issues"}))
    assert made.tags == {"repo:github.com/acme/widgets", "site:github.com"}
    assert made.where == "api.github.com/repos/acme/widgets/issues"
    assert (made.route, made.site) == ("GET /repos/{owner}/{repo}/issues", "github.com")
    assert (made.resource, made.per_page, made.row) == ("core", 50, rows.DEFAULT)
    assert not made.is_graphql


def test_enterprise_sites_are_apart():
    made = plan(get("/api/v3/repos/O/R/issues", "ghe.corp:8443"))
    assert made.access == Access("ghe.corp:8443/o/r", frozenset({"issues"}))
    assert made.tags == {"repo:ghe.corp:8443/o/r", "site:ghe.corp:8443"}
    assert made.where == "ghe.corp:8443/api/v3/repos/o/r/issues"
    tenant = plan(get("/repos/o/r/issues", "api.acme.ghe.com"))
    assert tenant.access == Access("acme.ghe.com/o/r", frozenset({"issues"}))


def test_a_head_has_a_key_of_its_own_beside_the_get_it_may_be_answered_from():
    head = get("/repos/o/r/issues", method="HEAD")
    made = plan(head)
    assert made.action == "keep"
    assert made.route == "HEAD /repos/{owner}/{repo}/issues"
    assert made.key != plan(replace(head, method="GET")).key
    assert plan(replace(head, method="GET")).key == planned("/repos/o/r/issues").key


@pytest.mark.parametrize(
    ("target", "row"),
    [
        (f"/repos/o/r/git/blobs/{SHA}", rows.IMMUTABLE),
        (f"/repos/o/r/git/trees/{SHA}?recursive=1", rows.IMMUTABLE),
        (f"/repos/o/r/git/commits/{SHA}", rows.IMMUTABLE),
        (f"/repos/o/r/git/tags/{SHA}", rows.IMMUTABLE),
        (f"/repositories/1/git/blobs/{SHA}", rows.IMMUTABLE),
        (f"/repos/o/r/contents/a/b?ref={SHA}", rows.IMMUTABLE),
        (f"/repos/o/r/contents/?ref={SHA}", rows.IMMUTABLE),
        (f"/repos/o/r/contents/a?ref={SHA}&ref=main", rows.DEFAULT),
        (f"/repos/o/r/contents/a?ref={SHA[:39]}", rows.DEFAULT),
        (f"/repos/o/r/contents/a?ref={SHA}0", rows.DEFAULT),
        (f"/repos/o/r/contents/a?href={SHA}", rows.DEFAULT),
        (f"/repos/o/r/readme?ref={SHA}", rows.DEFAULT),
        ("/repos/o/r/contents/a", rows.DEFAULT),
        (f"/repos/o/r/git/trees/{SHA.upper()}", rows.MOVED_BY_PUSH),
        ("/repos/o/r/git/trees/main", rows.MOVED_BY_PUSH),
        (f"/repos/o/r/commits/{SHA}", rows.DEFAULT),
        ("/repos/o/r/commits/main", rows.MOVED_BY_PUSH),
        ("/repos/o/r/commits", rows.MOVED_BY_PUSH),
        ("/repos/o/r/git/ref/heads/main", rows.MOVED_BY_PUSH),
        ("/repos/o/r/branches/main", rows.MOVED_BY_PUSH),
        ("/repos/o/r/compare/a...b", rows.MOVED_BY_PUSH),
        ("/repos/o/r/pulls/1", rows.STATUS),
        ("/repos/o/r/pulls", rows.DEFAULT),
        ("/repos/o/r/actions/runs", rows.STATUS),
        ("/repos/o/r/actions/workflows/ci.yml/runs", rows.STATUS),
        ("/repos/o/r/commits/main/status", rows.STATUS),
        ("/repos/o/r/commits/main/check-runs", rows.STATUS),
        ("/repos/o/r/deployments/1/statuses", rows.STATUS),
        ("/repos/o/r/actions/runners", rows.QUEUE),
        ("/orgs/o/actions/runners/1/labels", rows.QUEUE),
        ("/enterprises/o/actions/runner-groups", rows.QUEUE),
        ("/search/code?q=x", rows.SEARCH),
        ("/user", rows.DEFAULT),
    ],
)
def test_the_row_of_the_freshness_table(target, row):
    assert planned(target).row is row


def test_an_immutable_answer_outlives_all_but_a_write_to_its_repository():
    assert planned(f"/repos/o/r/git/blobs/{SHA}").tags == {"repo:github.com/o/r"}


def test_what_names_no_repository_is_changed_by_any_write_of_its_site():
    assert planned("/search/issues?q=x").tags == {"elsewhere:github.com", "site:github.com"}
    assert planned("/repositories/12/issues").tags == {"repoid:github.com/12", "site:github.com"}


@pytest.mark.parametrize(
    ("target", "resource"),
    [
        ("/search/code?q=x", "code_search"),
        ("/search/issues?q=x", "search"),
        ("/orgs/o/audit-log", "audit_log"),
        ("/repos/o/r/dependency-graph/sbom", "dependency_sbom"),
        ("/repos/o/r", "core"),
    ],
)
def test_the_rate_limit_it_counts_against(target, resource):
    assert planned(target).resource == resource


@pytest.mark.parametrize(
    ("target", "per_page"),
    [
        ("/repos/o/r/issues", 30),
        ("/repos/o/r/issues?per_page=100&page=2", 100),
        ("/repos/o/r/issues?page=2&per_page=5", 5),
        ("/repos/o/r/issues?per_page=1000", 100),
        ("/repos/o/r/issues?per_page=0", 30),
        ("/repos/o/r/issues?per_page=x", 30),
        ("/repos/o/r/issues?xper_page=5", 30),
        ("/repos/o/r/contents/dir", 0),
        ("/repos/o/r/git/matching-refs/heads", 0),
        ("/repos/o/r", 0),
        ("/user/repos?per_page=7", 7),
    ],
)
def test_the_page_size(target, per_page):
    assert planned(target).per_page == per_page


@pytest.mark.parametrize(
    "accept",
    ["application/vnd.github.full+json", "application/vnd.github.html+json", "text/HTML, */*"],
)
def test_rendered_text_is_private(accept):
    """GitHub renders for the reader: signed image URLs, titles of what they may see."""
    said = fields(accept=accept)
    made = plan(Request("GET", "api.github.com", "/repos/o/r/issues/1", said))
    assert made.action == "keep"
    assert made.access is None


@pytest.mark.parametrize("query", ["assignee=@me", "creator=%40me", "a=b&mentioned=@Me"])
def test_a_question_about_oneself_is_private(query):
    assert planned(f"/repos/o/r/issues?{query}").access is None


def test_an_itself_route_is_proven_by_the_very_record():
    access = planned("/repos/o/r/pulls/1").access
    assert access == Access("github.com/o/r", frozenset({"itself"}))
    assert access.for_record(b"a") != access.for_record(b"b")
    assert access.for_record(b"a").classes.isdisjoint(access.classes)
    contents = planned("/repos/o/r/readme").access
    assert contents is not None
    assert contents.for_record(b"a") is contents


def test_a_graphql_query_of_one_repository():
    made = asked('{repository(owner:"O",name:"R"){issues(first:1){nodes{title}}}}')
    assert made.access == Access("github.com/o/r", frozenset({"issues"}))
    assert made.tags == {"repo:github.com/o/r", "site:github.com"}
    assert (made.route, made.row, made.resource) == ("graphql query", rows.GRAPHQL, "graphql")
    assert made.is_graphql
    assert made.operation is not None


@pytest.mark.parametrize(
    ("query", "row", "tags"),
    [
        ("{viewer{login}}", rows.GRAPHQL, {"elsewhere:github.com"}),
        ('{repository(owner:"o",name:"r"){name} viewer{login}}', rows.GRAPHQL,
         {"elsewhere:github.com", "repo:github.com/o/r"}),
        ('{a:repository(owner:"o",name:"r"){name} b:repository(owner:"o",name:"s"){name}}',
         rows.GRAPHQL, {"repo:github.com/o/s", "repo:github.com/o/r"}),
        ('{node(id:"PR_1"){... on PullRequest{mergeable}}}', rows.STATUS,
         {"elsewhere:github.com"}),
        ('{__type(name:"Issue"){name}}', rows.INTROSPECTION, set()),
    ],
)  # fmt: skip
def test_rows_and_tags_of_queries(query, row, tags):
    made = asked(query)
    assert made.row is row
    assert made.tags == tags | {"site:github.com"}


def test_labels_stay_few_whatever_is_asked():
    odd = ("GET", "HEAD", "POST", "BREW", "X" * 100)
    targets = ("/repos/o/r/a", "/repos/p/q/b/c", "/x/y", "/z", "/repos/o/r/../b")
    labels = {plan(get(target, method=method)).route for method in odd for target in targets}
    assert len(labels) <= 12


def test_pretty_says_for_whom_github_pretty_prints():
    plain, curl = (Request("GET", "api.github.com", "/user", GH[:5] + fields(user_agent=agent))
                   for agent in ("GitHub CLI", "curl/8"))  # fmt: skip
    assert plan(curl).pretty
    assert not plan(plain).pretty
