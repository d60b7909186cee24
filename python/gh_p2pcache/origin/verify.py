"""Whether a GitHub host can be reached and trusted from here, the way the gateway goes."""

from __future__ import annotations

from gh_p2pcache.origin.upstream import Upstream
from gh_p2pcache.records.message import Request

_SECONDS = 5.0


async def verify(origin: Upstream, host: str) -> None:
    """Return if `host` (as in hosts.yml: github.com, a GHES host) answers over verified TLS.

    Raises OriginError. Asks /rate_limit without a token: that is never billed.
    """
    if host == "github.com":
        request = Request("GET", "api.github.com", "/rate_limit")
    elif host.endswith(".ghe.com"):
        request = Request("GET", f"api.{host}", "/rate_limit")
    else:
        request = Request("GET", host, "/api/v3/rate_limit")
    async with origin.open(request, silence=_SECONDS):
        return
