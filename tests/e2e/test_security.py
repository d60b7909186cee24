"""What anybody else on this machine, or who gets hold of its disk, could see: nothing.

A whole run by the entry point and the gateway, then a search of every file, environment and log
for the tokens, secrets, names and bodies that went through.
"""

import base64
import hashlib
import json
import os
import socket
import stat
import subprocess
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.gateway import Gateway, GatewayFactory
from support.machine import Machine
from support.sim import ROOT, SECRETS, SimProcess, UnixConnection
from support.wait import until

SECRET = "p2pcache_the-secret-of-the-team-in-this-test"
PASSWORD = "the-password-of-the-proxy"
CLEAR = (b"acme/widgets", b"/repos/", b"api.github.com", b"Widget is broken", b"A private matter",
         b"Not for everybody", b"alice@example.com")  # fmt: skip
"""Names, URLs and bodies that go through; in the store they must not be found."""


def forms(text: str) -> Iterator[bytes]:
    """Yield what a text may look like on disk: as it is, encoded, or hashed without a salt."""
    plain = text.encode()
    yield plain
    yield plain[::-1]
    yield plain.hex().encode()
    yield urllib.parse.quote(text, safe="").encode()
    for shift in range(3):
        packed = base64.b64encode(b"\0" * shift + plain)
        yield packed[4 if shift else 0 : len(packed) - 4]
    for value in (plain, b"token " + plain):
        digest = hashlib.sha256(value)
        yield digest.digest()
        yield digest.hexdigest().encode()


TOKENS = tuple(form for secret in SECRETS.values() for form in forms(secret))
SECRETS_TOO = (*TOKENS, *forms(SECRET), *forms(PASSWORD))


def files(*roots: Path) -> list[Path]:
    return [path for root in roots for path in sorted(root.rglob("*")) if path.is_file()]


def found(needles: tuple[bytes, ...], haystacks: dict[str, bytes]) -> list[tuple[str, bytes]]:
    return [(name, n) for name, text in haystacks.items() for n in needles if n in text]


def processes(pid: int) -> dict[str, bytes]:
    """Return the argv and environment of a process."""
    return {
        f"{name} of {pid}": Path(f"/proc/{pid}/{name}").read_bytes()
        for name in ("cmdline", "environ", "comm")
    }


def work(gateway: Gateway, sim: SimProcess) -> None:
    """Let everything happen once, trouble too."""
    for token in ("alice", "bob", "carol", "job1", "mallory", None):
        for target in (
            "/user", "/repos/acme/widgets/issues/1", "/repos/acme/widgets/issues?per_page=2",
            "/repos/acme/private/issues", "/repos/acme/private/contents/secret.txt", "/rate_limit",
        ):  # fmt: skip
            for door in ("ttl", "exact"):
                gateway.ask(target, token=token, door=door, headers={"X-P2PCache-Call": "call-1"})
        gateway.graphql("{ viewer { login } }", token=token)
    gateway.ask("/repos/acme/widgets/issues/1", method="PATCH", body=b'{"title":"Changed"}')
    gateway.ask("/repos/acme/widgets/issues/1")
    sim.control(revoke=["bob"], limits=[{"token": "carol", "remaining": 0}])
    gateway.ask("/repos/acme/widgets/issues/1", token="bob", door="exact")
    gateway.ask("/user", token="carol", door="exact")
    sim.control(faults=[{"kind": "die"}])
    gateway.ask("/repos/acme/widgets/labels", door="exact")
    gateway.ask("/repos/acme/widgets/labels?access_token=" + SECRETS["alice"])
    sim.control(faults=[])
    for line in (b"GET /%s HTTP/9\r\n\r\n", b"GET / HTTP/1.1\r\nAuthorization: token %s\r\n\r\n"):
        gateway.say(line % SECRETS["alice"].encode(), half_close=True)


@pytest.fixture(scope="module")
def worked(shared_sim: SimProcess, lasting_gateways: GatewayFactory) -> Gateway:
    """A gateway that has done everything once, restarts included."""
    shared_sim.control(reset=True)
    gateway = lasting_gateways(
        f"unix://{shared_sim.unix}",
        CACHE_P2P_SHARED_SECRET=SECRET,
        HTTPS_PROXY=f"http://user:{PASSWORD}@127.0.0.1:9",
    )
    work(gateway, shared_sim)
    gateway.restart()
    shared_sim.control(reset=True)
    work(gateway, shared_sim)
    until((gateway.state / "stats.json").exists)
    return gateway


# --- What lies on disk ---


def test_no_token_or_secret_is_in_any_file(worked: Gateway) -> None:
    looked_at = {str(path): path.read_bytes() for path in files(worked.root)}
    assert len(looked_at) > 10
    assert found(SECRETS_TOO, looked_at) == []


def test_no_name_url_or_body_is_in_the_store_or_the_state(worked: Gateway) -> None:
    looked_at = {str(path): path.read_bytes() for path in files(worked.cache, worked.state)}
    # Labels of routes ("GET /repos/{owner}/{repo}/issues") are all that these tell.
    days = worked.state / "history"
    labels = {str(worked.state / "stats.json"), *map(str, days.glob("*.json"))}
    counted = {path: data for path, data in looked_at.items() if path in labels}
    kept = {path: data for path, data in looked_at.items() if path not in labels}
    assert found(CLEAR, kept) == []
    assert found([text for text in CLEAR if text != b"/repos/"], counted) == []
    named = [str(path) for path in (*worked.cache.rglob("*"), *worked.state.rglob("*"))]
    assert not [name for name in named if "acme" in name or "widgets" in name]


def test_statistics_name_routes_and_no_repository(worked: Gateway) -> None:
    text = (worked.state / "stats.json").read_text()
    assert "/repos/{owner}/{repo}/issues" in text
    assert "acme" not in text
    assert "widgets" not in text


def test_everything_is_its_owners_alone(worked: Gateway) -> None:
    """The process runs with umask 0."""
    open_to_others = [
        (str(path), stat.filemode(path.lstat().st_mode))
        for root in (worked.cache, worked.state, worked.run)
        for path in (root, *root.rglob("*"))
        if path.lstat().st_mode & 0o077
    ]
    assert open_to_others == []


# --- What is said ---


def test_no_token_is_in_the_log_or_in_what_the_control_socket_says(worked: Gateway) -> None:
    said = {
        target: worked.ask(target, door="control").body
        for target in ("/health", "/stats", "/status", "/metrics")
    }
    said["log"] = worked.log.encode()
    assert "could not be reached" in worked.log or "broke off" in worked.log
    assert found(SECRETS_TOO, said) == []
    assert found((b"acme", b"access_token"), said) == []


def test_an_explanation_names_no_token(worked: Gateway) -> None:
    told = worked.ask("/user", headers={"X-P2PCache-Mode": "explain"}).body
    assert b"scope" in told
    assert found(SECRETS_TOO, {"told": told}) == []


def test_the_process_shows_no_token_and_leaves_no_core(worked: Gateway) -> None:
    shown = processes(worked.pid)
    assert found(TOKENS, shown) == []
    limits = Path(f"/proc/{worked.pid}/limits").read_text()
    core = next(row for row in limits.splitlines() if row.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]


# --- The whole way, by the entry point ---


@dataclass
class Used:
    """A machine on which gh was used through the cache, and the pids of its daemon."""

    machine: Machine
    pids: list[int]


@pytest.fixture(scope="module")
def used(
    sim_factory: Callable[[], SimProcess], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Used]:
    """The daemon is started by a call that has the token and the secret in its environment."""
    machine = Machine(tmp_path_factory.mktemp("m"), sim_factory())
    machine.env["CACHE_P2P_SHARED_SECRET"] = SECRET
    shim = machine.root / "data/gh-p2pcache/shim/gh"
    shim.parent.mkdir(parents=True)
    shim.symlink_to(ROOT / "gh-p2pcache")
    calls = [[ROOT / "gh-p2pcache", "api", "user"], [shim, "issue", "list", "-R", "acme/widgets"],
             [ROOT / "gh-p2pcache", "api", "repos/acme/private/issues"]]  # fmt: skip
    for _ in range(2):
        for call in calls:
            subprocess.run(
                call, env=machine.env, cwd=machine.root, umask=0, check=True, capture_output=True
            )
        until((machine.state / "run/alive").exists)
    connection = UnixConnection(machine.state / "run/control.sock")
    connection.request("GET", "/health")
    pid = json.loads(connection.getresponse().read())["pid"]
    connection.close()
    parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    yield Used(machine, [pid, parent])
    machine.end()


def test_the_daemon_takes_no_token_over_from_the_first_call(used: Used) -> None:
    shown: dict[str, bytes] = {}
    for pid in used.pids:
        shown |= processes(pid)
    assert any(b"gh_p2pcache" in text for text in shown.values())
    assert found(TOKENS, shown) == []
    assert not any(b"GH_TOKEN" in text or b"GITHUB_TOKEN" in text for text in shown.values())
    arguments = {name: text for name, text in shown.items() if name.startswith("cmdline")}
    assert found(tuple(forms(SECRET)), arguments) == []


def test_nothing_below_the_users_home_holds_a_token(used: Used) -> None:
    looked_at = {str(path): path.read_bytes() for path in files(used.machine.root)}
    assert any("records" in name for name in looked_at)
    assert any(name.endswith("daemon.log") for name in looked_at)
    assert found((*TOKENS, *forms(SECRET)), looked_at) == []


def test_sockets_files_and_directories_are_the_users_alone(used: Used) -> None:
    machine = used.machine
    run = (machine.state / "run").resolve()
    sockets = {path.name for path in run.iterdir() if stat.S_ISSOCK(path.stat().st_mode)}
    assert {"ttl.sock", "exact.sock", "control.sock", "supervisor.sock"} <= sockets
    open_to_others = [
        (str(path), stat.filemode(path.lstat().st_mode))
        for root in (run, machine.cache, machine.state)
        for path in (root, *root.rglob("*"))
        if path.lstat().st_mode & 0o077 and not path.is_symlink()
    ]
    assert open_to_others == []


# --- Another user ---

_AS_NOBODY = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
connection = socket.socket(socket.AF_UNIX)
connection.settimeout(10)
try:
    connection.connect(sys.argv[1])
    connection.sendall(b"GET /user HTTP/1.1\\r\\nHost: api.github.com\\r\\n\\r\\n")
    print(len(connection.recv(65536)))
except PermissionError:
    print("no way in")
except (BrokenPipeError, ConnectionResetError):
    print(0)
"""

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


def by_nobody(path: Path) -> str:
    run = subprocess.run(
        [sys.executable, "-c", _AS_NOBODY, path], capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


@as_root
@pytest.mark.parametrize("door", ["ttl", "exact", "control"])
def test_another_user_finds_no_way_in(gateway: Gateway, door: str) -> None:
    assert by_nobody(gateway.path(door)) == "no way in"


@as_root
@pytest.mark.parametrize("door", ["ttl", "exact", "control"])
def test_another_user_is_hung_up_on_whatever_the_modes(
    gateway: Gateway, sim: SimProcess, door: str
) -> None:
    for path in (gateway.root.parent, gateway.root, gateway.run, gateway.path(door)):
        path.chmod(0o777)
    assert by_nobody(gateway.path(door)) == "0"
    assert sim.calls() == 0
    assert gateway.ask("/user").status == 200


def test_a_request_is_only_taken_over_a_socket_of_its_own(gateway: Gateway) -> None:
    """Descriptors that come with a message are closed, not kept."""
    before = len(list(Path(f"/proc/{gateway.pid}/fd").iterdir()))
    with gateway.connect() as connection, socket.socket() as handed:
        socket.send_fds(connection, [b"GET /zen HTTP/1.1\r\n"], [handed.fileno()] * 8)
        connection.sendall(b"Host: api.github.com\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 ")
        assert len(list(Path(f"/proc/{gateway.pid}/fd").iterdir())) - before < 8
