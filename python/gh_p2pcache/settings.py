"""The names of the settings, what they mean, and their values: environment over file over default.

docs/configuration.md is generated from NAMES.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from gh_p2pcache import paths
from gh_p2pcache.errors import ConfigError
from gh_p2pcache.parsers import (
    choice,
    parse_bool,
    parse_directory,
    parse_duration,
    parse_multiaddrs,
    parse_peers,
    parse_port,
    parse_repositories,
    parse_rule,
    parse_size,
    parse_upstream,
    parse_url,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Name(Generic[T]):
    """One setting: `read_by` is E (entry point, at every call), D (daemon, at its start) or both.

    `default` is written as a user would write it; `default_note` describes one that is computed.
    """

    name: str
    read_by: str
    parse: Callable[[str], T]
    default: str
    help: str
    default_note: str = ""
    alias: str = ""
    secret: bool = False

    @property
    def in_file(self) -> bool:
        """Whether config.toml may set it: sh reads no TOML, so only what the daemon reads."""
        return "D" in self.read_by and self.name != "CACHE_STATE_DIR"

    @property
    def key(self) -> str:
        """The name inside config.toml: lower case without the CACHE_ prefix."""
        return self.name.removeprefix("CACHE_").lower()


DEFAULT_TTL = Name(
    "CACHE_DEFAULT_TTL",
    "E D",
    parse_duration,
    "300",
    "how long an answer without a rule of its own is fresh in profile `ttl`",
)
DIR = Name(
    "CACHE_DIR",
    "D",
    parse_directory,
    "",
    "the store",
    "`$XDG_CACHE_HOME/gh-p2pcache`",
    alias="IPFS_ACCELERATE_CACHE_DIR",
)
SECRET = Name("CACHE_P2P_SHARED_SECRET", "D", str, "", "the team secret", secret=True)
STATE_DIR = Name(
    "CACHE_STATE_DIR",
    "E D",
    str,
    "",
    "identity, statistics, logs, overlays; it selects the daemon (environment only)",
    "`$XDG_STATE_HOME/gh-p2pcache`",
)
UPSTREAM = Name(
    "CACHE_UPSTREAM",
    "D",
    parse_upstream,
    "",
    "send every GitHub host's calls to this base URL instead"
    " (https, http on loopback, or unix:///path)",
)
PROFILE = Name(
    "CACHE_PROFILE",
    "E",
    choice("ttl", "exact"),
    "",
    "`ttl` or `exact`, whatever the entry point",
    "by entry point",
)
TRUST = Name(
    "CACHE_TRUST",
    "D",
    choice("proof", "team"),
    "proof",
    "`proof`: a token must prove access to a repository before it is answered from another"
    " token's record; `team`: every member's token may read all that is shared",
)
SHARE = Name(
    "CACHE_SHARE",
    "D",
    parse_repositories,
    "*",
    "repositories that a bare secret shares, as patterns (`acme/*`; `HOST/acme/*` where that is not"
    " github.com)",
)
ENABLE_P2P = Name("CACHE_ENABLE_P2P", "D", parse_bool, "true", "peers on or off")
LISTEN_PORT = Name(
    "CACHE_LISTEN_PORT",
    "D",
    parse_port,
    "9100",
    "TCP port where members are heard; taken: the next free one",
)
BOOTSTRAP_PEERS = Name(
    "CACHE_BOOTSTRAP_PEERS",
    "D",
    parse_multiaddrs,
    "",
    "addresses of members to dial (`/dns/cache.acme.dev/tcp/9100`; `/p2p/ID` may follow)",
)
MDNS = Name("CACHE_MDNS", "D", parse_bool, "", "find members on the LAN", "with a team")
PEER_DEADLINE = Name(
    "CACHE_PEER_DEADLINE", "D", parse_duration, "150ms", "what peers may cost a miss"
)
TRUSTED_PEERS = Name(
    "CACHE_TRUSTED_PEERS",
    "D",
    parse_peers,
    "",
    "ids of the peers that may publish",
    "every member",
)
IPFS_API = Name("CACHE_IPFS_API", "D", parse_url, "", "Kubo RPC (`http://127.0.0.1:5001`)", "off")
IPFS_GATEWAY = Name(
    "CACHE_IPFS_GATEWAY", "D", parse_url, "", "trustless gateway to fetch from", "off"
)
MAX_STALE = Name(
    "CACHE_MAX_STALE",
    "D",
    parse_duration,
    "24h",
    "oldest answer that bridges a limit or an outage in profile `ttl` (`exact`: 15 min at most)",
)
MAX_SIZE = Name("CACHE_MAX_SIZE", "D", parse_size, "256MiB", "bound of the store, in disk blocks")
MAX_ENTRY = Name("CACHE_MAX_ENTRY", "D", parse_size, "8MiB", "largest answer that is kept")
HTTP_PORT = Name(
    "CACHE_HTTP_PORT",
    "D",
    parse_port,
    "",
    "loopback TCP port for clients other than gh, and for metrics",
    "off",
)
IDLE_EXIT = Name(
    "CACHE_IDLE_EXIT",
    "D",
    parse_duration,
    "4h",
    "the gateway leaves when idle for so long; 0: never",
    "4 h (never in CI)",
)
LOG = Name(
    "CACHE_LOG",
    "E",
    choice("warning", "info"),
    "warning",
    "`info`: one line on stderr for each `gh p2pcache api`",
    "warning (info in CI)",
)
DISABLE = Name("CACHE_DISABLE", "E", parse_bool, "", "plain gh, at once")

NAMES: tuple[Name[Any], ...] = (
    DEFAULT_TTL,
    DIR,
    SECRET,
    STATE_DIR,
    UPSTREAM,
    PROFILE,
    TRUST,
    SHARE,
    ENABLE_P2P,
    LISTEN_PORT,
    BOOTSTRAP_PEERS,
    MDNS,
    PEER_DEADLINE,
    TRUSTED_PEERS,
    IPFS_API,
    IPFS_GATEWAY,
    MAX_STALE,
    MAX_SIZE,
    MAX_ENTRY,
    HTTP_PORT,
    IDLE_EXIT,
    LOG,
    DISABLE,
)
BY_NAME: Mapping[str, Name[Any]] = {n.name: n for n in NAMES}

KEEPER = "GH_P2PCACHE_KEEPER"
"""Set for the daemon of `serve --bootstrap` by nobody but that command: never idle, a keeper."""

FOREIGN = (
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
"""Names that are not ours but decide where a token goes: compared at every call (DESIGN 10)."""


@dataclass(frozen=True, slots=True)
class Effective:
    """The text in force for one name and where it comes from: `env`, `file` or `default`."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Every value a daemon works with, parsed; durations in seconds, sizes in bytes.

    `rules` are the user's own freshness rules, (pattern of `host/path`, seconds) in file order.
    `keeper`: this is an always-on member that keeps for others what they announce.
    `mdns` is None where it is not said: then on with a team, and off without.
    """

    default_ttl: float
    cache_dir: Path
    state_dir: Path
    secret: str | None
    upstream: str | None
    trust: str
    share: tuple[str, ...]
    enable_p2p: bool
    listen_port: int
    bootstrap_peers: tuple[str, ...]
    mdns: bool | None
    peer_deadline: float
    trusted_peers: tuple[str, ...]
    ipfs_api: str | None
    ipfs_gateway: str | None
    keeper: bool
    max_stale: float
    max_size: int
    max_entry: int
    http_port: int | None
    idle_exit: float
    rules: tuple[tuple[str, float], ...]
    effective: Mapping[str, Effective]
    warnings: tuple[str, ...]


@dataclass
class _Resolver:
    env: Mapping[str, str]
    file: Mapping[str, object]
    effective: dict[str, Effective] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def value(self, name: Name[T]) -> T | None:
        """Return the value in force; None where nothing is set and there is no default."""
        for text, source in self._texts(name):
            try:
                parsed = name.parse(text)
            except ConfigError as error:
                where = name.name if source == "env" else f"config.toml: {name.key}"
                shown = "" if name.secret else f" ('{text}' was given)"
                self.warnings.append(f"{where} {error}{shown}; the default is used")
                continue
            self.effective[name.name] = Effective(text, source)
            return parsed
        self.effective[name.name] = Effective("", "default")
        return None

    def required(self, name: Name[T]) -> T:
        value = self.value(name)
        if value is None:
            raise ConfigError(f"{name.name} has no default")
        return value

    def _texts(self, name: Name[T]) -> Iterator[tuple[str, str]]:
        for variable in filter(None, (name.name, name.alias)):
            if self.env.get(variable):
                yield self.env[variable], "env"
                break
        else:
            if name.key in self.file and name.in_file:
                yield _toml_text(self.file[name.key]), "file"
        if name.default:
            yield name.default, "default"


def load(env: Mapping[str, str], file: Mapping[str, object] | None = None) -> Settings:
    """Return the settings in force; `file` is the parsed config.toml, if there is one.

    A value that cannot be used is named in `warnings` and the default is used instead.
    """
    resolve = _Resolver(env, file or {})
    cache = resolve.value(DIR)
    resolve.value(STATE_DIR)
    resolve.value(PROFILE)
    resolve.value(LOG)
    resolve.value(DISABLE)
    idle = resolve.required(IDLE_EXIT)
    by_default = resolve.effective[IDLE_EXIT.name].source == "default"
    if env.get(KEEPER) or (by_default and env.get("CI")):
        idle = 0.0
    known = {n.key for n in NAMES if n.in_file} | {"rules"}
    resolve.warnings += [
        f"config.toml: '{key}' is no setting of this file (gh p2pcache config list shows them all)"
        for key in resolve.file
        if key not in known
    ]
    return Settings(
        default_ttl=resolve.required(DEFAULT_TTL),
        cache_dir=Path(cache) if cache else paths.cache_dir(env),
        state_dir=paths.state_dir(env),
        secret=resolve.value(SECRET),
        upstream=resolve.value(UPSTREAM),
        trust=resolve.required(TRUST),
        share=resolve.required(SHARE),
        enable_p2p=resolve.required(ENABLE_P2P),
        listen_port=resolve.required(LISTEN_PORT),
        bootstrap_peers=resolve.value(BOOTSTRAP_PEERS) or (),
        mdns=resolve.value(MDNS),
        peer_deadline=resolve.required(PEER_DEADLINE),
        trusted_peers=resolve.value(TRUSTED_PEERS) or (),
        ipfs_api=resolve.value(IPFS_API),
        ipfs_gateway=resolve.value(IPFS_GATEWAY),
        keeper=bool(env.get(KEEPER)),
        max_stale=resolve.required(MAX_STALE),
        max_size=resolve.required(MAX_SIZE),
        max_entry=resolve.required(MAX_ENTRY),
        http_port=resolve.value(HTTP_PORT),
        idle_exit=idle,
        rules=tuple(_rules(resolve.file.get("rules", {}), resolve.warnings)),
        effective=resolve.effective,
        warnings=tuple(resolve.warnings),
    )


def is_disabled(env: Mapping[str, str]) -> bool:
    """Tell whether CACHE_DISABLE sends every call to plain gh; what it doesn't take is left out."""
    try:
        return parse_bool(env.get(DISABLE.name, ""))
    except ConfigError:
        return False


def in_force(env: Mapping[str, str]) -> Settings:
    """Return the settings of `env` and its config.toml; one that is no TOML is a warning."""
    try:
        return load(env, read_file(paths.config_file(env)))
    except ConfigError as error:
        bare = load(env)
        return replace(bare, warnings=(f"{error}; the file is left out", *bare.warnings))


def read_file(path: Path) -> dict[str, object]:
    """Return the parsed config.toml, {} when there is none; raises ConfigError when unreadable."""
    try:
        return _parse_toml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error


def _parse_toml(text: str) -> dict[str, object]:
    # Imported late: 4 ms, and most have no config.toml.
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(text)


def _toml_text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _rules(table: object, warnings: list[str]) -> Iterator[tuple[str, float]]:
    if not isinstance(table, dict):
        warnings.append('config.toml: rules takes a table of "pattern" = duration')
        return
    for pattern, value in table.items():
        try:
            yield pattern, parse_rule(pattern, _toml_text(value))
        except ConfigError as error:
            warnings.append(f"config.toml: rules: '{pattern}' {error}; it is left out")
