"""The way to GitHub, as the daemon takes it: proxy, CA, reachability, clock, limits."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from gh_p2pcache import __version__, paths
from gh_p2pcache.cli import control
from gh_p2pcache.cli import gh as real_gh
from gh_p2pcache.cli.checkup.finding import Env, Finding, broken, note, ok
from gh_p2pcache.cli.output import duration, moment
from gh_p2pcache.supervisor.commands import is_alive

_PROXIES = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy")
_SKEW = 30.0
"""Seconds that a clock may be off before it is worth a line."""

_SHOWN = ("core", "search", "graphql")
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    date: str
    body: bytes
    seconds: float


def way_out(env: Env) -> Iterator[Finding]:
    """Name what sends calls another way, and what is trusted beside the system."""
    for name in _PROXIES:
        if value := env.get(name):
            yield ok(f"{name}={_without_password(value)}")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        value = env.get(name, "")
        if value and not os.access(value, os.R_OK):
            yield broken(
                f"{name}={value} cannot be read: TLS will fail", f"unset {name}, or correct it"
            )
        elif value:
            yield ok(f"{name}={value}")


def reached(env: Env) -> Iterator[Finding]:
    """Ask GitHub for the rate limits, which costs none, through the daemon."""
    state = paths.state_dir(env)
    if not is_alive(str(state)):
        return
    site = env.get("GH_HOST") or "github.com"
    token = real_gh.token(env, env.get("GH_HOST", ""))
    try:
        answer = _ask(env, site, token)
    except (OSError, http.client.HTTPException) as error:
        yield broken(f"the daemon did not answer for {site}: {error}", "gh p2pcache logs")
        return
    if answer.status in {502, 503, 504}:
        yield broken(f"{site} is not reached: {_message(answer)}", "check network, proxy and CA")
        return
    yield ok(f"{site} is reached through the daemon ({answer.seconds * 1000:.0f} ms)")
    if answer.status == 401:
        yield note(f"{site} does not accept gh's token", "gh auth login")
    yield from _clock(answer)
    yield from _limits(
        answer, whose="of gh's token" if token else "of this address, without a token"
    )


def _ask(env: Env, site: str, token: str | None) -> _Answer:
    host, target = _rate_limit(site)
    headers = {"Accept": "application/vnd.github+json", "User-Agent": f"gh-p2pcache {__version__}"}
    if token:
        headers["Authorization"] = f"token {token}"
    path = control.socket_path(paths.state_dir(env), "exact")
    connection = control.UnixConnection(path, host, timeout=_PATIENCE)
    began = time.monotonic()
    try:
        connection.request("GET", target, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    return _Answer(answer.status, answer.getheader("Date", ""), body, time.monotonic() - began)


def _rate_limit(site: str) -> tuple[str, str]:
    """Return host and target of a site's rate limits."""
    if site == "github.com" or site.endswith(".ghe.com"):
        return f"api.{site}", "/rate_limit"
    return site, "/api/v3/rate_limit"


def _clock(answer: _Answer) -> Iterator[Finding]:
    try:
        github = parsedate_to_datetime(answer.date).timestamp()
    except ValueError:
        return
    skew = time.time() - github
    if abs(skew) <= _SKEW:
        yield ok("this machine's clock agrees with GitHub's")
    else:
        off = f"{duration(abs(skew))} {'ahead of' if skew > 0 else 'behind'} GitHub's"
        yield note(
            f"this machine's clock is {off}", "have it set by NTP; ages shown are wrong by that"
        )


def _limits(answer: _Answer, whose: str) -> Iterator[Finding]:
    resources = _json(answer).get("resources")
    if not isinstance(resources, dict):
        return
    for name in _SHOWN:
        budget = resources.get(name)
        if not isinstance(budget, dict):
            continue
        left, limit = int(budget.get("remaining", 0)), int(budget.get("limit", 0))
        until = moment(float(budget.get("reset", 0)))
        if left:
            yield ok(f"{name} limit {whose}: {left:,} of {limit:,} left until {until}")
        else:
            yield note(
                f"{name} limit {whose} is spent until {until}",
                "kept answers bridge it; what is not kept fails as it does without the cache",
            )


def _message(answer: _Answer) -> str:
    told = str(_json(answer).get("message") or f"HTTP {answer.status}")
    return told.removeprefix("gh-p2pcache: ").removesuffix(" (gh p2pcache doctor)")


def _json(answer: _Answer) -> dict[str, Any]:
    try:
        told = json.loads(answer.body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return (
        url.replace(parts.netloc, f"***@{parts.netloc.rpartition('@')[2]}")
        if "@" in parts.netloc
        else url
    )
