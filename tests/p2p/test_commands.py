"""By hand, as a user does it: an invite, two machines, and what the commands say of it."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from support.machine import Machine
from support.ports import free_port
from support.sim import ROOT, SECRETS, SimProcess
from support.wait import until

REPO = "repos/acme/widgets/issues/1"


class Member(Machine):
    """A machine whose libp2p listens at a port of its own and that is heard on loopback alone."""

    def __init__(self, root: Path, sim: SimProcess) -> None:
        super().__init__(root, sim)
        self.port = free_port()
        self.env |= {"CACHE_LISTEN_PORT": str(self.port), "CACHE_MDNS": "false"}
        self.env |= {"CACHE_LOG": "info"}

    def gh_p2pcache(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the entry script."""
        return subprocess.run(
            [ROOT / "gh-p2pcache", *arguments],
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def peers(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.do("peers", "--json").stdout)
        return told

    @property
    def totals(self) -> dict[str, int]:
        counted: dict[str, int] = json.loads(self.do("stats", "--json").stdout)["totals"]
        return counted


@pytest.fixture
def two(shared_sim: SimProcess) -> Iterator[tuple[Member, Member]]:
    """Two machines in one team, connected, with gh's configuration overlaid."""
    shared_sim.control(reset=True, clock_shift=0)
    with TemporaryDirectory(prefix="t-", ignore_cleanup_errors=True) as folder:
        one, other = (Member(Path(folder) / name, shared_sim) for name in "ab")
        assert one.do("team", "create", "acme", "--share", "acme/*").exit_code == 0
        addr = f"/ip4/127.0.0.1/tcp/{one.port}"
        invite = one.do("team", "invite", "--bootstrap", addr).stdout
        try:
            for machine in (one, other):
                if machine is other:
                    assert other.do("team", "join", given=invite).exit_code == 0
                said = machine.do("explain", REPO)  # has the daemon and the overlay made
                assert said.exit_code == 0, said.output
                until(lambda m=machine: m.peers()["state"] == "on", 30)
            until(lambda: other.peers()["members"], 30)
            yield one, other
        finally:
            one.end()
            other.end()


def test_what_one_has_asked_is_answered_on_the_other(
    two: tuple[Member, Member], shared_sim: SimProcess
) -> None:
    one, other = two
    first = one.gh_p2pcache("api", REPO)
    assert first.stderr.startswith("⚡ Cache miss: ")
    until(lambda: other.totals.get("peer_proofs"))
    calls = shared_sim.billed()

    second = other.gh_p2pcache("api", REPO)

    assert second.stdout == first.stdout
    assert shared_sim.billed() == calls
    identity = one.peers()["id"]
    assert re.fullmatch(rf"🌐 P2P shared: /{REPO} \(from {identity}, \d+ s old\)\n", second.stderr)

    explained = other.do("explain", REPO).stdout
    assert re.search(
        rf"^peer +{identity} \(signature verified, access proven at [\d:]+\)$",
        explained,
        re.MULTILINE,
    )
    (peer,) = other.peers()["peers"]
    assert (peer["id"], peer["scopes"], peer["records_in"]) == (identity, ["acme"], 1)
    row = other.do("peers").stdout.split("\t")
    assert row[0] == identity
    assert re.search(r"^peer +1 ", other.do("stats").stdout, re.MULTILINE)
    assert re.search(r"^peers +on: 1 member", other.do("status").stdout, re.MULTILINE)


def test_another_repository_stays_at_home(
    two: tuple[Member, Member], shared_sim: SimProcess
) -> None:
    one, other = two
    one.gh_p2pcache("api", "repos/octo/hello/issues/1")
    one.gh_p2pcache("api", REPO)
    until(lambda: other.totals.get("peer_proofs"))
    calls = shared_sim.billed()

    said = other.gh_p2pcache("api", "repos/octo/hello/issues/1")

    assert said.stderr.startswith("⚡ Cache miss")
    assert shared_sim.billed() == calls + 1


def test_whom_this_machine_does_not_trust_is_not_taken_from(
    two: tuple[Member, Member], shared_sim: SimProcess
) -> None:
    one, other = two
    said = other.do("team", "untrust", one.peers()["id"])
    assert "The daemon has taken it over." in said.stdout
    until(lambda: other.peers()["members"], 30)
    one.gh_p2pcache("api", REPO)
    until(lambda: other.totals.get("peer_proofs"))
    calls = shared_sim.billed()

    asked = other.gh_p2pcache("api", REPO)

    assert "P2P" not in asked.stderr
    assert shared_sim.billed() == calls + 1
    assert other.totals["peer_rejected"]


def test_who_did_not_rotate_is_out_when_the_grace_is_over(
    two: tuple[Member, Member], shared_sim: SimProcess
) -> None:
    one, other = two
    one.do("team", "rotate", "--grace", "3s")
    over = time.time() + 3
    one.gh_p2pcache("api", REPO)
    until(lambda: time.time() > over and not other.peers()["members"], 30)
    one.gh_p2pcache("api", REPO)
    calls = shared_sim.billed()
    assert "P2P" not in other.gh_p2pcache("api", REPO).stderr
    assert shared_sim.billed() == calls + 1

    other.do("team", "join", given=one.do("team", "invite").stdout)
    until(lambda: other.peers()["members"], 30)


def test_a_token_without_access_gets_github_s_refusal(
    two: tuple[Member, Member],
) -> None:
    one, other = two
    private = "repos/acme/private/contents/secret.txt"
    assert one.gh_p2pcache("api", private).returncode == 0
    assert one.gh_p2pcache("api", REPO).returncode == 0
    until(lambda: other.totals.get("peer_proofs"))

    said = other.gh_p2pcache("api", private, GH_TOKEN=SECRETS["mallory"])

    assert said.returncode == 1
    assert "Not Found" in said.stderr
