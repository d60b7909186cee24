"""What a request says about caching: our own header fields, gh's, and RFC 9111's directives."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

from gh_p2pcache.policy.key import OUR_PREFIX
from gh_p2pcache.records.message import Headers

Mode = Literal["", "refresh", "offline", "no-stale", "explain"]

_MODES = frozenset({"refresh", "offline", "no-stale", "explain"})
_CALL = re.compile(r"[A-Za-z0-9_-]{1,64}")
_GO_DURATION = re.compile(r"\+?(?:(?:\d+\.?\d*|\.\d+)(?:h|ms|m|s|us|µs|ns))+|0")
_GO_PART = re.compile(r"([\d.]+)(h|ms|m|s|us|µs|ns)")
_GO_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Fields that concern one connection only (RFC 9110 section 7.6.1)."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """The caching wishes of one request; durations in seconds, None where nothing is said.

    `gh_cache_ttl` is gh's X-GH-CACHE-TTL: it caps our own TTL, and its presence says that gh
    keeps what it gets for so long. `problems` names the fields whose value could not be used.
    """

    ttl: float | None = None
    default_ttl: float | None = None
    mode: Mode = ""
    call: str | None = None
    gh_cache_ttl: float | None = None
    no_cache: bool = False
    no_store: bool = False
    only_if_cached: bool = False
    max_age: float | None = None
    problems: tuple[str, ...] = ()


_NOTHING = Wishes()


def wishes(headers: Headers) -> Wishes:
    """Read what a request says about caching; of a field that is repeated the first counts."""
    said: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in headers:
        if (reader := _READERS.get(name)) is None:
            continue
        attribute, parse = reader
        try:
            said.setdefault(attribute, parse(value.decode("utf-8").strip()))
        except ValueError as error:
            problems.append(f"{name.decode()}: {error}")
    if not said and not problems:
        return _NOTHING
    said |= _directives(said.pop("cache_control", None), said.pop("pragma", ""), problems)
    if "gh_cache_ttl" not in said and any(p.startswith("x-gh-cache-ttl") for p in problems):
        said["gh_cache_ttl"] = 0.0  # gh will keep the answer, for a time we cannot tell
    return Wishes(**said, problems=tuple(problems))


def _seconds(text: str) -> float:
    seconds = float(text)
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError("takes seconds")
    return seconds


def _mode(text: str) -> Mode:
    if text not in _MODES:
        raise ValueError("takes refresh, offline or no-stale")
    return cast("Mode", text)


def _call(text: str) -> str:
    if not _CALL.fullmatch(text):
        raise ValueError("takes up to 64 letters, digits, - and _")
    return text


def _go_duration(text: str) -> float:
    """Parse what Go's Duration.String writes (`24h0m0s`, `1.5s`); a negative one is refused."""
    if not _GO_DURATION.fullmatch(text):
        raise ValueError("takes a Go duration")
    return sum(float(number) * _GO_UNITS[unit] for number, unit in _GO_PART.findall(text))


_READERS: dict[bytes, tuple[str, Callable[[str], Any]]] = {
    b"x-p2pcache-ttl": ("ttl", _seconds),
    b"x-p2pcache-default-ttl": ("default_ttl", _seconds),
    b"x-p2pcache-mode": ("mode", _mode),
    b"x-p2pcache-call": ("call", _call),
    b"x-gh-cache-ttl": ("gh_cache_ttl", _go_duration),
    b"cache-control": ("cache_control", str),
    b"pragma": ("pragma", str),
}


def _directives(cache_control: str | None, pragma: str, problems: list[str]) -> dict[str, Any]:
    """Read the request directives that we obey (RFC 9111 section 5.2.1).

    Pragma counts only where there is no Cache-Control (section 5.4).
    """
    if cache_control is None:
        return {"no_cache": True} if "no-cache" in pragma.lower() else {}
    said: dict[str, Any] = {}
    for directive in cache_control.lower().split(","):
        name, _, argument = directive.strip().partition("=")
        if name in {"no-cache", "no-store", "only-if-cached"}:
            said[name.replace("-", "_")] = True
        elif name == "max-age":
            try:
                said["max_age"] = _seconds(argument.strip().strip('"'))
            except ValueError as error:
                problems.append(f"cache-control: max-age {error}")
    return said


def upstream_headers(headers: Headers) -> Headers:
    """Drop what must not go to GitHub: our own fields, gh's X-GH-CACHE-TTL, hop-by-hop fields.

    RFC 9110 section 7.6.1: the fields that Connection names go too.
    """
    dropped = connection_fields(headers)
    return tuple(
        field
        for field in headers
        if field[0] not in dropped
        and field[0] != b"x-gh-cache-ttl"
        and not field[0].startswith(OUR_PREFIX)
    )


def connection_fields(headers: Headers) -> frozenset[bytes]:
    """Return the names of a message's hop-by-hop fields, those that Connection names too."""
    named: frozenset[bytes] = HOP_BY_HOP
    for name, value in headers:
        if name == b"connection" and value.lower() not in {b"close", b"keep-alive"}:
            named |= {option.strip() for option in value.lower().split(b",")}
    return named
