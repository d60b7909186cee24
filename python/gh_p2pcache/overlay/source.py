"""A real configuration directory of gh, read for an overlay."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gh_p2pcache.overlay.document import UnusableError, own_upstream, parse

_HOST = re.compile(r"[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Source:
    """What gh is configured with. Times are nanoseconds, taken before the files were read.

    `config_time` is config.yml's (None: there is no such file), `newest` the latest of the
    directory and hosts.yml; `hosts` are the ones that hosts.yml names.
    """

    real: Path
    config: dict[str, Any]
    hosts: tuple[str, ...]
    has_hosts_file: bool
    config_time: int | None
    newest: int


def read(real: Path) -> Source:
    """Read a configuration directory; none at all is a configuration too. Raises UnusableError."""
    config_time = _mtime(real / "config.yml")
    hosts_time = _mtime(real / "hosts.yml")
    config = _mapping(real / "config.yml")
    hosts = _mapping(real / "hosts.yml")
    return Source(
        real=real,
        config=config,
        hosts=tuple(normal_host(name) for name in hosts),
        has_hosts_file=hosts_time is not None,
        config_time=config_time,
        newest=max(_mtime(real) or 0, hosts_time or 0),
    )


def upstream_of(real: Path) -> str | None:
    """Return the upstream that a user's own `http_unix_socket` stands for (`unix:///PATH`), if any.

    A directory that can't be read has none; its overlay will be refused with the reason.
    """
    try:
        return own_upstream(_mapping(real / "config.yml"))
    except UnusableError:
        return None


def normal_host(name: str) -> str:
    """Return a host as gh compares it, in lower case. Raises UnusableError if it is no host."""
    host = name.lower()
    if not _HOST.fullmatch(host):
        raise UnusableError(f"'{name}' is no host name")
    return host


def _mapping(path: Path) -> dict[str, Any]:
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise UnusableError(f"{path} is not UTF-8") from error
    except OSError as error:
        raise UnusableError(f"{path} can't be read ({error.strerror})") from error


def _mtime(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
