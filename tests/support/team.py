"""Several machines on this one: a daemon each, with supervisor, gateway and peer process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gh_p2pcache.cli.control import UnixConnection
from gh_p2pcache.records.sign import peer_id
from gh_p2pcache.store.identity import load_identity
from gh_p2pcache.supervisor import client
from support.gateway import Fields, Reply, fields_of_gh, read_reply
from support.ports import free_port
from support.sim import ROOT, SECRETS, SimProcess
from support.wait import until

SECRET = "p2pcache_tests"
MEETING_SECONDS = 30.0
PATIENT = {"CACHE_PEER_DEADLINE": "2s"}
"""Dozens of processes on a few cores: in 150 ms a member is often not heard of."""


class Daemon:
    """One machine: everything it keeps is below `root`. `within` runs it, in a namespace say."""

    def __init__(
        self,
        root: Path,
        sim: SimProcess,
        env: Mapping[str, str] | None = None,
        *,
        address: str = "127.0.0.1",
        within: tuple[str, ...] = (),
    ) -> None:
        self.root = root
        self.within = within
        root.mkdir(parents=True, exist_ok=True)
        (root / "r").mkdir(mode=0o700, exist_ok=True)
        self.port = free_port()
        self.env = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "python"),
            "HOME": str(root),
            "XDG_RUNTIME_DIR": str(root / "r"),
            "CACHE_STATE_DIR": str(root / "state"),
            "CACHE_DIR": str(root / "cache"),
            "CACHE_UPSTREAM": f"unix://{sim.unix}",
            "CACHE_P2P_SHARED_SECRET": SECRET,
            "CACHE_LISTEN_PORT": str(self.port),
            "CACHE_MDNS": "false",
            "CACHE_IDLE_EXIT": "0",
            "GH_P2PCACHE_ENGINE": sys.executable,
            **(env or {}),
        }
        self.id = peer_id(load_identity(self.state).public)
        self.addr = f"/ip4/{address}/tcp/{self.env['CACHE_LISTEN_PORT']}/p2p/{self.id}"

    @property
    def state(self) -> Path:
        return self.root / "state"

    def start(self) -> None:
        """Start the daemon and wait until its gateway answers."""
        subprocess.run(
            [*self.within, sys.executable, "-m", "gh_p2pcache", "start"],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=60,
            check=True,
        )
        self.wake()

    def wake(self) -> None:
        """Have the gateway run: it is who starts the peer process."""
        self.control("GET", "/health")

    def stop(self) -> None:
        """Stop the daemon, if it runs."""
        client.stop(self.state)

    def kill(self, which: str) -> None:
        """SIGKILL `supervisor`, `gateway` or `peer`."""
        os.kill(self.pid(which), signal.SIGKILL)

    def vanish(self) -> None:
        """SIGKILL what runs, as a power cut does; the supervisor first, who starts the others."""
        for which in ("supervisor", "gateway", "peer"):
            with suppress(LookupError):
                self.kill(which)

    def pid(self, which: str) -> int:
        """Return the pid of one of the processes, found by its command and its state."""
        names = (f"gh_p2pcache.{which}\0", f"gh_p2pcache/{which}/__main__.py\0")
        for entry in Path("/proc").iterdir():
            try:
                command = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
                if not any(name.encode() in command for name in names):
                    continue
                if f"CACHE_STATE_DIR={self.state}\0".encode() in (entry / "environ").read_bytes():
                    return int(entry.name)
            except OSError:
                continue
        raise LookupError(f"no {which} of {self.root.name} runs")

    def ask(
        self,
        target: str,
        *,
        method: str = "GET",
        door: str = "ttl",
        token: str | None = "alice",
        headers: Fields = (),
        body: bytes | None = None,
        timeout: float = 60.0,
    ) -> Reply:
        """Ask as gh does."""
        connection = UnixConnection(str(self.state / "run" / f"{door}.sock"), timeout=timeout)
        try:
            fields = dict(fields_of_gh(token, "api.github.com", dict(headers)))
            connection.request(method, target, body=body, headers=fields)
            return read_reply(connection.getresponse())
        finally:
            connection.close()

    def gh(self, *arguments: str, token: str = "alice") -> subprocess.CompletedProcess[str]:
        """Run `gh p2pcache api …` as a user of this machine does, by the entry point."""
        config = self.root / "config/gh"
        config.mkdir(parents=True, exist_ok=True)
        upstream = self.env["CACHE_UPSTREAM"].removeprefix("unix://")
        (config / "config.yml").write_text(f'version: "1"\nhttp_unix_socket: {upstream}\n')
        user = {
            "GH_CONFIG_DIR": str(config),
            "GH_TOKEN": SECRETS[token],
            "GH_NO_UPDATE_NOTIFIER": "1",
            "GH_PROMPT_DISABLED": "1",
            "GH_TELEMETRY": "false",
            "CACHE_LOG": "info",
            "LC_ALL": "C.UTF-8",
        }
        return subprocess.run(
            [*self.within, str(ROOT / "gh-p2pcache"), *arguments],
            env=self.env | user,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def do(self, *arguments: str) -> str:
        """Run another `gh p2pcache ARGUMENTS`; returns stdout."""
        return subprocess.run(
            [*self.within, sys.executable, "-m", "gh_p2pcache", *arguments],
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout

    def explain(self, target: str, *, door: str = "ttl", token: str | None = "alice") -> Any:
        """Return what `gh p2pcache explain` is told of a call."""
        return self.ask(target, door=door, token=token, headers={"X-P2PCache-Mode": "explain"}).json

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Ask the control socket."""
        connection = UnixConnection(str(self.state / "run/control.sock"), timeout=60.0)
        try:
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, path, body=data)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def peers(self) -> Any:
        """Return what `gh p2pcache peers --json` is made of."""
        return self.control("GET", "/peers")

    def members(self) -> int:
        """Return how many members are connected."""
        count: int = self.control("GET", "/status")["peers"]["members"]
        return count

    def total(self, name: str) -> int:
        """Return a counter of `gh p2pcache stats`."""
        value: int = self.control("GET", "/stats")["totals"].get(name, 0)
        return value

    def log(self) -> str:
        """Return the daemon's log."""
        return (self.state / "log/daemon.log").read_text(encoding="utf-8")


def meet(*daemons: Daemon, seconds: float = MEETING_SECONDS) -> None:
    """Wait until each of the daemons knows all of the others."""
    for one in daemons:
        wait(lambda one=one: one.members() >= len(daemons) - 1, seconds, one)


def wait(condition: Callable[[], object], seconds: float, one: Daemon) -> None:
    """Wait for a condition; what did not come true is told with the daemon's log."""
    try:
        until(condition, seconds=seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{one.peers()}\n{one.log()[-4000:]}") from error
