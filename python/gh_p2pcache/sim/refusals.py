"""What GitHub says about limits: the budgets, and the answers to a caller that is over one."""

from __future__ import annotations

from gh_p2pcache.sim.answers import Answer, Call
from gh_p2pcache.sim.clock import http_date
from gh_p2pcache.sim.limits import Limits, Secondary
from gh_p2pcache.sim.tokens import Token
from gh_p2pcache.sim.world import World

PRIMARY_DOCS = (
    "https://docs.github.com/rest/using-the-rest-api/"
    "getting-started-with-the-rest-api#rate-limiting"
)
SECONDARY_DOCS = (
    "https://docs.github.com/free-pro-team@latest/rest/overview/"
    "rate-limits-for-the-rest-api#about-secondary-rate-limits"
)


def over_limit(world: World, token: Token, resource: str) -> Answer:
    """Return the primary limit's answer: 403, or for GraphQL a 200 with an error of its own."""
    account = world.account(token.login)
    whom = f"user ID {account.id}" if account else "203.0.113.7"
    if token.kind == "installation":
        whom = f"installation ID {world.accounts[token.login].id}"
    message = f"API rate limit exceeded for {whom}."
    if resource == "graphql":
        return Answer(data={"errors": [{"type": "RATE_LIMITED", "message": message}]}, etag=False)
    data = {"message": message, "documentation_url": PRIMARY_DOCS, "status": "403"}
    return Answer(403, data, etag=False)


def over_secondary(limit: Secondary, now: float) -> Answer:
    """Return a secondary limit's answer, with a Retry-After in seconds, as a date, or without."""
    message = (
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    )
    data = {"documentation_url": SECONDARY_DOCS, "message": message}
    answer = Answer(limit.status, data, etag=False)
    if limit.retry_after == "seconds":
        answer.headers.append((b"retry-after", b"%d" % max(1, round(limit.until - now))))
    elif limit.retry_after == "date":
        answer.headers.append((b"retry-after", http_date(limit.until)))
    return answer


def rate_limit(limits: Limits, call: Call) -> Answer:
    """Return /rate_limit: the caller's budgets. It costs nothing."""
    resources = {}
    for resource in ("core", "search", "graphql", "code_search"):
        window = limits.window(call.token, resource, call.now)
        resources[resource] = {
            "limit": window.limit,
            "used": window.used,
            "remaining": window.remaining,
            "reset": window.reset,
        }
    data = {"resources": resources, "rate": resources["core"]}
    return Answer(data=data, etag=False, memo=False)
