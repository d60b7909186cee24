"""The overlay of one real configuration directory, for both profiles, or the reason against it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from gh_p2pcache.overlay import document, files, source
from gh_p2pcache.overlay.document import UnusableError
from gh_p2pcache.overlay.source import Source

_DEFAULT_HOST = "github.com"
_MIGRATION = "migration"

Verify = Callable[[str], Awaitable[bool]]


async def make_overlay(
    state: Path,
    sockets: Mapping[str, Path],
    real: Path,
    *,
    upstream: str | None,
    verify: Verify,
    gh_host: str = "",
) -> str:
    """Make or renew the overlays of `real`; returns "" or why gh has to go past the cache.

    `sockets` are the listening paths by profile; `upstream` is the daemon's; `verify` is asked for
    each host that the configuration names (and GH_HOST of the call), unless all calls go to an
    upstream. What lies in the configuration itself is remembered as refused until that changes;
    a host that can't be verified now may be in a moment. Raises OSError.
    """
    overlays = {name: files.directory(state, name, real) for name in sockets}
    try:
        read = await asyncio.to_thread(source.read, real)
        _accept(read, upstream)
    except UnusableError as error:
        for overlay in overlays.values():
            await asyncio.to_thread(files.refuse, overlay, str(error))
        return str(error)
    if _may_migrate(read) and await asyncio.to_thread(_is_new, overlays):
        return "gh has to bring its configuration up to date first"
    try:
        hosts = {*read.hosts, *([source.normal_host(gh_host)] if gh_host else [])}
    except UnusableError as error:
        return f"GH_HOST: {error}"
    hosts = hosts or {_DEFAULT_HOST}
    if upstream is None:
        asked = sorted(hosts)
        found = await asyncio.gather(*(verify(host) for host in asked))
        if missing := [host for host, good in zip(asked, found, strict=True) if not good]:
            return f"{missing[0]} could not be reached and verified from the daemon yet"
    for name, socket in sockets.items():
        await asyncio.to_thread(files.write, overlays[name], read, socket, hosts)
    return ""


def _accept(read: Source, upstream: str | None) -> None:
    own = document.own_upstream(read.config)
    if own and own != upstream:
        raise UnusableError(
            f"{read.real}/config.yml has an http_unix_socket of its own, which is not the daemon's"
            " upstream (gh p2pcache restart takes it over)"
        )


def _may_migrate(read: Source) -> bool:
    """Say whether a gh ≥ 2.40 would rewrite config.yml and hosts.yml of this directory."""
    return read.has_hosts_file and not document.has_version(read.config)


def _is_new(overlays: Mapping[str, Path]) -> bool:
    """Say so once: the plain gh of that call migrates, and one that does not (2.23) never will."""
    first = {files.first_time(overlay, _MIGRATION) for overlay in overlays.values()}
    return first == {True}
