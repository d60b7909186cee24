"""Which hosts and paths are GitHub's API."""

import pytest

from gh_p2pcache.policy.hosts import ApiCall, api_root

SHA = "0123456789" * 4


@pytest.mark.parametrize(
    ("host", "target", "call"),
    [
        ("api.github.com", "/user", ApiCall("github.com", "rest", "", "/user", "")),
        ("api.github.com", "/user?", ApiCall("github.com", "rest", "", "/user", "")),
        ("api.github.com", "/a?b=c?d", ApiCall("github.com", "rest", "", "/a", "b=c?d")),
        ("api.github.com", "/graphql", ApiCall("github.com", "graphql", "", "/graphql", "")),
        (
            "uploads.github.com",
            "/repos/o/r/x",
            ApiCall("github.com", "uploads", "", "/repos/o/r/x", ""),
        ),
        ("api.acme.ghe.com", "/user", ApiCall("acme.ghe.com", "rest", "", "/user", "")),
        ("api.acme.ghe.com", "/graphql", ApiCall("acme.ghe.com", "graphql", "", "/graphql", "")),
        ("uploads.acme.ghe.com", "/r", ApiCall("acme.ghe.com", "uploads", "", "/r", "")),
        ("ghe.corp", "/api/v3/user?q", ApiCall("ghe.corp", "rest", "/api/v3", "/user", "q")),
        ("ghe.corp:8443", "/api/v3/user", ApiCall("ghe.corp:8443", "rest", "/api/v3", "/user", "")),
        ("ghe.corp", "/api/graphql", ApiCall("ghe.corp", "graphql", "/api", "/graphql", "")),
        ("ghe.corp", "/api/uploads/r", ApiCall("ghe.corp", "uploads", "/api/uploads", "/r", "")),
    ],
)
def test_an_api_call_is_split_into_site_surface_root_path_and_query(host, target, call):
    assert api_root(host, target) == call


@pytest.mark.parametrize(
    ("host", "target"),
    [
        ("github.com", "/login/oauth/access_token"),
        ("github.com", "/api/v3/user"),
        ("codeload.github.com", "/api/v3/user"),
        ("objects.githubusercontent.com", "/api/v3/user"),
        ("release-assets.githubusercontent.com", f"/{SHA}"),
        ("api.github.com:8443", "/user"),
        ("api.github.com.evil.example", "/user"),
        ("xapi.github.com", "/user"),
        ("api.a.b.ghe.com", "/user"),
        ("acme.ghe.com", "/user"),
        ("ghe.corp", "/user"),
        ("ghe.corp", "/api/v3"),
        ("ghe.corp", "/api/v30/user"),
        ("ghe.corp", "/api/graphql/x"),
        ("api.github.com", "*"),
        ("api.github.com", "https://api.github.com/user"),
        ("", "/user"),
    ],
)
def test_other_hosts_and_paths_are_not_the_api(host, target):
    assert api_root(host, target) is None
