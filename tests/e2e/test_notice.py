"""What `gh p2pcache exec` says while old answers stand in for GitHub's, with the real gh."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.gh import GH
from support.machine import Machine
from support.sim import ROOT, SimProcess

SCRIPT = "for call in 1 2 3; do gh api user --jq .login; done"
AGE = "its answers may be up to 15 min old"


@pytest.fixture(params=sorted(GH))
def machine(
    tmp_path: Path, shared_sim: SimProcess, request: pytest.FixtureRequest
) -> Iterator[Machine]:
    """A machine that was set up, with its daemon, before a gh of each version."""
    shared_sim.control(reset=True, clock_shift=0)
    made = Machine(tmp_path, shared_sim)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gh").symlink_to(GH[request.param])
    made.env["PATH"] = f"{tmp_path}/bin:{made.env['PATH']}"
    shim = tmp_path / "data/gh-p2pcache/shim/gh"
    shim.parent.mkdir(parents=True)
    shim.symlink_to(ROOT / "gh-p2pcache")
    said = made.do("explain", "user")
    assert said.exit_code == 0, said.stderr
    yield made
    made.end()


def run(machine: Machine) -> tuple[str, list[str]]:
    """Run a short script in `exec`; returns stdout and the lines of stderr."""
    done = subprocess.run(
        [ROOT / "gh-p2pcache", "exec", "--", "sh", "-c", SCRIPT],
        env=machine.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr.splitlines()


def test_a_script_of_three_calls_is_told_of_an_outage_and_of_its_end(
    machine: Machine, shared_sim: SimProcess
) -> None:
    assert run(machine) == ("alice\n" * 3, [])

    shared_sim.control(faults=[{"kind": "down"}])
    out, told = run(machine)
    assert out == "alice\n" * 3
    assert len(told) == 2, "the line comes before, so the first call cannot have it"
    assert told[0].startswith("gh-p2pcache: GitHub could not be reached at ")
    assert told[0].endswith(f": {AGE}")

    shared_sim.control(faults=[])
    out, told = run(machine)
    assert (out, len(told)) == ("alice\n" * 3, 1), "the call that finds GitHub back is the last"
    assert run(machine) == ("alice\n" * 3, [])


def test_a_script_of_three_calls_is_told_of_a_limit(
    machine: Machine, shared_sim: SimProcess
) -> None:
    run(machine)
    shared_sim.control(limits=[{"token": "alice", "remaining": 0, "reset_in": 600}])
    out, told = run(machine)
    assert (out, len(told)) == ("alice\n" * 3, 2)
    assert told[0].startswith("gh-p2pcache: GitHub limits one of this machine's tokens until ")
    assert told[0].endswith(f" (core): {AGE}")
