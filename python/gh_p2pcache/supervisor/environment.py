"""What the daemon keeps of the environment of the call that started it (DESIGN section 10)."""

from __future__ import annotations

from collections.abc import Mapping

OURS = (
    "CACHE_DEFAULT_TTL",
    "CACHE_DIR",
    "IPFS_ACCELERATE_CACHE_DIR",
    "CACHE_P2P_SHARED_SECRET",
    "CACHE_STATE_DIR",
    "CACHE_UPSTREAM",
    "CACHE_TRUST",
    "CACHE_SHARE",
    "CACHE_ENABLE_P2P",
    "CACHE_LISTEN_PORT",
    "CACHE_BOOTSTRAP_PEERS",
    "CACHE_MDNS",
    "CACHE_PEER_DEADLINE",
    "CACHE_TRUSTED_PEERS",
    "CACHE_IPFS_API",
    "CACHE_IPFS_GATEWAY",
    "CACHE_MAX_STALE",
    "CACHE_MAX_SIZE",
    "CACHE_MAX_ENTRY",
    "CACHE_HTTP_PORT",
    "CACHE_IDLE_EXIT",
)
KEEPER = "GH_P2PCACHE_KEEPER"
"""Set by `serve --bootstrap`: an always-on member."""

FOREIGN = (
    "HOME",
    "PATH",
    "CI",
    "TZ",
    # A runner of GitHub Actions ends what has its job's value, once the job is over.
    "RUNNER_TRACKING_ID",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    # gh's own configuration may name the socket that is our upstream.
    "GH_CONFIG_DIR",
    # The way to the desktop's keyring, where the secret of a team may lie.
    "DBUS_SESSION_BUS_ADDRESS",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
)


def kept(env: Mapping[str, str], state: str) -> dict[str, str]:
    """Return the daemon's environment: never a token, and nothing that only this caller wants."""
    names = {*OURS, *FOREIGN, KEEPER, *(name for name in env if name.startswith("XDG_"))}
    return {name: env[name] for name in sorted(names) if env.get(name)} | {"CACHE_STATE_DIR": state}


def wants_peers(env: Mapping[str, str]) -> bool:
    """Say whether the environment leaves peers on (config.toml is the gateway's to read)."""
    return env.get("CACHE_ENABLE_P2P", "").strip().lower() not in {"0", "false", "no", "off"}


def for_peer(kept_env: Mapping[str, str]) -> dict[str, str]:
    """Return the peer process's environment: it gets derived keys from the gateway, no secret."""
    return {name: v for name, v in kept_env.items() if name != "CACHE_P2P_SHARED_SECRET"}


def lasting(env: Mapping[str, str]) -> dict[str, str]:
    """Return what of a daemon's environment outlives a restart with another one."""
    return {KEEPER: env[KEEPER]} if env.get(KEEPER) else {}
