"""The fixtures themselves: the real gh reaches the sim over its socket."""

import json

from support.gh import Gh
from support.sim import SimProcess


def test_gh_reaches_the_sim(gh: Gh, sim: SimProcess) -> None:
    gh.socket = sim.unix
    gh.configure()
    run = gh.run("api", "user")
    assert (run.code, run.err) == (0, "")
    assert json.loads(run.out)["login"] == "alice"
    assert sim.calls() == 1


def test_errors_are_github_s(gh: Gh, sim: SimProcess) -> None:
    gh.socket = sim.unix
    gh.token = "mallory"
    gh.configure()
    run = gh.run("api", "repos/acme/private")
    assert run.code == 1
    assert run.err == "gh: Not Found (HTTP 404)\n"
