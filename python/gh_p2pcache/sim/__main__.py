"""`python -m gh_p2pcache.sim`: the small GitHub on sockets of the caller's choice."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

import uvloop

from gh_p2pcache.sim.clock import Clock
from gh_p2pcache.sim.replay import Replay
from gh_p2pcache.sim.server import SimServer, config
from gh_p2pcache.sim.sim import Sim


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m gh_p2pcache.sim", description=__doc__)
    parser.add_argument("--unix", type=Path, metavar="PATH", help="plain HTTP on a Unix socket")
    parser.add_argument("--tcp", type=int, metavar="PORT", help="plain HTTP on 127.0.0.1 (0: any)")
    parser.add_argument("--tls", type=int, metavar="PORT", help="HTTPS on 127.0.0.1 (0: any)")
    parser.add_argument("--cert", metavar="FILE", help="certificate chain for --tls (PEM)")
    parser.add_argument("--key", metavar="FILE", help="private key for --tls (PEM)")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="serve recorded answers")
    parser.add_argument("--with-parent", action="store_true", help="leave when stdin closes")
    chosen = parser.parse_args()
    if chosen.unix is None and chosen.tcp is None and chosen.tls is None:
        parser.error("one of --unix, --tcp and --tls is needed")
    if chosen.tls is not None and not (chosen.cert and chosen.key):
        parser.error("--tls needs --cert and --key")
    return chosen


def _tcp(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(2048)
    return listener


def _unix(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(2048)
    return listener


def _listen(chosen: argparse.Namespace) -> dict[str, socket.socket]:
    """Return the listening sockets by kind: unix, tcp, tls."""
    made: dict[str, socket.socket] = {}
    if chosen.unix is not None:
        made["unix"] = _unix(chosen.unix)
    for kind in ("tcp", "tls"):
        if getattr(chosen, kind) is not None:
            made[kind] = _tcp(getattr(chosen, kind))
    return made


def _address(kind: str, listener: socket.socket) -> str:
    if kind == "unix":
        return str(listener.getsockname())
    scheme = {"tcp": "http", "tls": "https"}[kind]
    return f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"


async def _serve(chosen: argparse.Namespace) -> None:
    sim = Sim(Clock(), replay=Replay.load(chosen.replay) if chosen.replay else None)
    listeners = _listen(chosen)
    secure = {kind: listener for kind, listener in listeners.items() if kind == "tls"}
    plain = [listener for kind, listener in listeners.items() if kind not in secure]
    servers = [(SimServer(config(sim)), plain)] if plain else []
    if secure:
        tls = (chosen.cert, chosen.key)
        servers.append((SimServer(config(sim, tls)), [*secure.values()]))

    def leave() -> None:
        for server, _ in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, leave)
    if chosen.with_parent:
        os.set_blocking(sys.stdin.fileno(), False)
        loop.add_reader(sys.stdin.fileno(), lambda: None if os.read(0, 4096) else leave())
    ready = {kind: _address(kind, listener) for kind, listener in listeners.items()}
    print(json.dumps(ready), flush=True)
    await asyncio.gather(*(server.serve(sockets=sockets) for server, sockets in servers))
    if chosen.unix is not None:
        chosen.unix.unlink(missing_ok=True)


def main() -> None:
    """Run until a signal, or the parent's end."""
    uvloop.run(_serve(_arguments()))


if __name__ == "__main__":
    main()
