"""The proxy of the environment, as gh (Go's httpproxy) picks it."""

import pytest
import yarl

from gh_p2pcache.origin.proxy import proxy_for

UPPER, LOWER = "http://upper.example:1", "http://lower.example:2"


@pytest.mark.parametrize(
    ("env", "proxy"),
    [
        ({}, None),
        ({"https_proxy": LOWER}, LOWER),
        ({"HTTPS_PROXY": UPPER, "https_proxy": LOWER}, UPPER),
        ({"ALL_PROXY": UPPER, "all_proxy": LOWER, "HTTP_PROXY": UPPER}, None),
        ({"HTTPS_PROXY": UPPER, "NO_PROXY": "github.com"}, None),
        ({"HTTPS_PROXY": UPPER, "NO_PROXY": "elsewhere.example", "no_proxy": "*"}, UPPER),
        ({"HTTPS_PROXY": UPPER, "no_proxy": "*"}, None),
    ],
)
def test_which_one(env: dict[str, str], proxy: str | None) -> None:
    assert proxy_for(yarl.URL("https://api.github.com/user"), env) == proxy


@pytest.mark.parametrize(
    ("host", "no_proxy", "past"),
    [
        ("localhost", "", True),
        ("127.0.0.1:8443", "", True),
        ("[::1]", "", True),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "intranet.example, 10.1.2.3", True),
        ("10.1.2.3", "192.168.0.0/16", False),
        ("[fd00::7]", "fd00::/8", True),
        ("[fd00::7]", "10.0.0.0/8", False),
        ("ghe.example", "10.0.0.0/8,nonsense/99", False),
        ("git.acme.example", ".acme.example", True),
    ],
)
def test_what_goes_past_it(host: str, no_proxy: str, past: bool) -> None:
    env = {"HTTPS_PROXY": UPPER, "NO_PROXY": no_proxy}

    assert proxy_for(yarl.URL(f"https://{host}/api/v3/user"), env) == (None if past else UPPER)
