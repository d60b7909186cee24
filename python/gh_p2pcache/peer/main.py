"""The peer process: a socket from the supervisor, libp2p behind it, a heartbeat back."""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
import warnings
from collections.abc import Mapping

from gh_p2pcache import paths, settings
from gh_p2pcache.errors import ConfigError, P2PCacheError
from gh_p2pcache.peer import packages

_LOG = logging.getLogger("gh_p2pcache.peer")
_PROBLEM = 1


def descriptors(env: Mapping[str, str]) -> dict[str, int]:
    """Parse GH_P2PCACHE_FDS, `peer=FD,heartbeat=FD`; raises ConfigError."""
    text = env.get("GH_P2PCACHE_FDS", "")
    try:
        pairs = (item.split("=") for item in text.split(","))
        found = {name: int(number) for name, number in pairs}
    except ValueError as error:
        raise ConfigError(f"GH_P2PCACHE_FDS is for the supervisor to set ('{text}')") from error
    if found.keys() != {"peer", "heartbeat"}:
        raise ConfigError("the peer process is started by the supervisor: gh p2pcache start")
    return found


def main() -> int:
    """Run until told to stop; exit code 3 when libp2p is not installed."""
    _log_to_stderr()
    env = dict(os.environ)
    try:
        fds = descriptors(env)
        packages.reach()
        configured = settings.load(env, _config(env))
        listener = socket.socket(fileno=fds["peer"])
        from gh_p2pcache.peer.node import run  # imports libp2p

        run(listener, fds["heartbeat"], configured)
    except packages.NotInstalledError as error:
        print(f"gh-p2pcache: {error}", file=sys.stderr)
        return error.exit_code
    except P2PCacheError as error:
        _LOG.error("%s", error)
        return _PROBLEM
    return 0


def _config(env: Mapping[str, str]) -> dict[str, object]:
    try:
        file = settings.read_file(paths.config_file(env))
    except ConfigError as error:
        _LOG.warning("%s; the file is left out", error)
        return {}
    # No secret is this process's business: it gets derived keys from the gateway.
    return {name: value for name, value in file.items() if name != settings.SECRET.key}


def _log_to_stderr() -> None:
    """Let our own log through alone: libp2p and zeroconf warn of what their peers do."""
    handler = logging.StreamHandler()
    form = logging.Formatter("%(asctime)s peer: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    form.converter = time.gmtime  # as supervisor/log.py writes it
    handler.setFormatter(form)
    own = logging.getLogger("gh_p2pcache")
    own.addHandler(handler)
    own.propagate = False
    own.setLevel(logging.DEBUG if os.environ.get("CACHE_LOG") == "debug" else logging.WARNING)
    logging.getLogger().addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
