"""Which proxy the environment names, by the rules that gh itself goes by.

Those of Go's golang.org/x/net/http/httpproxy: capitals first, no ALL_PROXY, nothing on loopback
goes to a proxy, and NO_PROXY may name networks.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import yarl


def proxy_for(url: yarl.URL, env: Mapping[str, str]) -> str | None:
    """Return the proxy for an https URL, None where there is none to go by."""
    proxy = env.get("HTTPS_PROXY") or env.get("https_proxy")
    if not proxy or _goes_past(url, env.get("NO_PROXY") or env.get("no_proxy") or ""):
        return None
    return proxy


def _goes_past(url: yarl.URL, no_proxy: str) -> bool:
    bypass = urllib.request.proxy_bypass_environment  # type: ignore[attr-defined]
    if url.host == "localhost" or (no_proxy and bypass(url.authority, {"no": no_proxy})):
        return True
    try:
        address = ip_address(url.host or "")
    except ValueError:
        return False
    networks = [_network(item) for item in no_proxy.split(",")]
    return address.is_loopback or any(address in network for network in networks if network)


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        return None
