"""serve --bootstrap: an always-on member that says where it is dialled."""

import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from gh_p2pcache.records.sign import peer_id
from gh_p2pcache.settings import KEEPER
from gh_p2pcache.store.identity import load_identity
from gh_p2pcache.supervisor import client
from support.machine import COMMAND, Machine
from support.ports import free_port
from support.wait import until


def gateway_environment(machine: Machine) -> bytes:
    """The environment of the gateway that answers now."""
    supervisor = client.status(machine.state)
    assert supervisor is not None
    return Path(f"/proc/{supervisor['gateway']}/environ").read_bytes()


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="/proc shows a keeper")
def test_it_says_where_it_is_dialled_and_stays_a_keeper(machine: Machine) -> None:
    machine.do("team", "create", "acme", "--share", "acme/*")
    port = free_port()
    env = machine.env | {"CACHE_LISTEN_PORT": str(port)}
    with subprocess.Popen(
        [*COMMAND, "serve", "--bootstrap"],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        try:
            until(lambda: machine.do("status").exit_code == 0)
            marked = f"{KEEPER}=1".encode()
            assert marked in gateway_environment(machine)

            assert machine.do("restart").exit_code == 0
            assert marked in gateway_environment(machine)
        finally:
            process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
    identity = peer_id(load_identity(machine.state).public)
    addrs = re.findall(r"^  (/\S+)$", said, re.MULTILINE)
    assert addrs
    assert all(addr.endswith(f"/tcp/{port}/p2p/{identity}") for addr in addrs)
    assert f"gh p2pcache team invite acme --bootstrap {addrs[0]}" in said
    assert f"CACHE_BOOTSTRAP_PEERS={addrs[0]}" in said


def test_it_needs_a_team(machine: Machine) -> None:
    said = machine.do("serve", "--bootstrap")
    assert (said.exit_code, "needs a team" in said.stderr) == (5, True)


def test_it_needs_peers(machine: Machine) -> None:
    said = machine.do(
        "serve", "--bootstrap", env={"CACHE_ENABLE_P2P": "no", "CACHE_P2P_SHARED_SECRET": "x"}
    )
    assert (said.exit_code, "CACHE_ENABLE_P2P is off" in said.stderr) == (5, True)


def test_it_needs_the_port_that_members_were_told(machine: Machine) -> None:
    with socket.create_server(("", 0)) as taken:
        env = {
            "CACHE_LISTEN_PORT": str(taken.getsockname()[1]),
            "CACHE_P2P_SHARED_SECRET": "x",
        }
        said = machine.do("serve", "--bootstrap", env=env)
    assert (said.exit_code, "set CACHE_LISTEN_PORT" in said.stderr) == (6, True)
    assert client.status(machine.state) is None
