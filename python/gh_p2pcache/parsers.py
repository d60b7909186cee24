"""Texts of the environment, config.toml and command lines as values.

Each parser raises ConfigError with what it takes instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from gh_p2pcache.errors import ConfigError, RejectedError

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")
_SIZE = re.compile(r"(\d+)\s*(|[KMGT]i?B?|B)", re.IGNORECASE)
_REPOSITORIES = re.compile(
    r"(?:(?=[^/]*[.*?])[\w.*?\[\]!-]+/)?[\w.*?\[\]!-]+/[\w.*?\[\]!-]+|\*", re.ASCII
)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def parse_bool(text: str) -> bool:
    """Parse yes/no in the spellings git and CI systems use."""
    word = text.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off", ""}:
        return False
    raise ConfigError("takes true or false")


def parse_duration(text: str) -> float:
    """Parse `90`, `30s`, `5m`, `2h30m`, `1d` or `150ms` into seconds."""
    word = text.strip().lower()
    if word.isdigit():
        return float(word)
    match = _DURATION.fullmatch(word)
    if not word or match is None:
        raise ConfigError("takes a duration such as 90, 30s, 5m, 2h30m or 1d")
    factors = (86400.0, 3600.0, 60.0, 1.0, 0.001)
    return sum(float(n) * f for n, f in zip(match.groups(), factors, strict=True) if n)


def parse_size(text: str) -> int:
    """Parse `1048576`, `256MiB`, `1G` into bytes; K, M, G, T are powers of 1024."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ConfigError("takes a size such as 256MiB or 1G")
    unit = match[2].upper()[:1]
    return int(match[1]) << (10 * ("KMGT".index(unit) + 1) if unit in tuple("KMGT") else 0)


def parse_port(text: str) -> int:
    """Parse a TCP port."""
    if text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise ConfigError("takes a port from 1 to 65535")


def parse_list(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list; white space around the items is dropped."""
    return tuple(item.strip() for item in text.split(",") if item.strip())


def parse_directory(text: str) -> str:
    """Accept an absolute path: the daemon and who calls it stand in different directories."""
    if text.startswith("/"):
        return text
    raise ConfigError("takes an absolute path")


def parse_repositories(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list of patterns of [HOST/]OWNER/REPO, or `*` for all there are."""
    patterns = parse_list(text)
    if not patterns or not all(map(_REPOSITORIES.fullmatch, patterns)):
        raise ConfigError("takes repositories such as 'acme/*', 'acme/site' or 'HOST/acme/*'")
    if any(pattern.startswith("api.") and pattern.count("/") == 2 for pattern in patterns):
        raise ConfigError("takes the host without 'api.', such as 'github.com/acme/*'")
    if any(pattern.endswith(".git") for pattern in patterns):
        raise ConfigError("takes names without '.git', such as 'acme/site'")
    return patterns


def parse_rule(pattern: str, text: str) -> float:
    """Parse how long, in seconds, answers under a pattern of HOST/PATH are fresh."""
    seconds = parse_duration(text)
    if any(mark in pattern.partition("/")[0] for mark in ".*?[:"):
        return seconds
    raise ConfigError("names no host, as 'api.github.com/repos/acme/*' does")


def parse_upstream(text: str) -> str:
    """Accept https://…, http://… on loopback, or unix:///path; a trailing slash is dropped."""
    word = text.strip().rstrip("/")
    parts = urlsplit(word)
    if parts.scheme == "https" and parts.hostname:
        return word
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return word
    if parts.scheme == "unix" and not parts.netloc and parts.path.startswith("/"):
        return word
    raise ConfigError("takes https://HOST, http:// on loopback only, or unix:///PATH")


def parse_url(text: str) -> str:
    """Accept http://… or https://…; a trailing slash is dropped."""
    word = text.strip().rstrip("/")
    parts = urlsplit(word)
    if parts.scheme in {"http", "https"} and parts.hostname:
        return word
    raise ConfigError("takes http://HOST:PORT or https://HOST")


def parse_multiaddrs(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list of where members listen: /ip4/…/tcp/…/p2p/ID, ip6 or dns."""
    from gh_p2pcache.peer.address import parse

    addrs = parse_list(text)
    for addr in addrs:
        try:
            parse(addr)
        except RejectedError as error:
            raise ConfigError("takes addresses such as /dns/cache.acme.dev/tcp/9100") from error
    return addrs


def parse_peers(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list of peer ids."""
    from gh_p2pcache.records.sign import public_of

    peers = parse_list(text)
    for peer in peers:
        try:
            public_of(peer)
        except RejectedError as error:
            raise ConfigError("takes peer ids such as 12D3KooW… (gh p2pcache peers)") from error
    return peers


def choice(*words: str) -> Callable[[str], str]:
    """Return what accepts one of `words`."""

    def parse(text: str) -> str:
        if text in words:
            return text
        raise ConfigError("takes one of " + ", ".join(words))

    return parse
