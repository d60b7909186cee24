"""The setup action in jobs, as GitHub and those who look at a run see it."""

import re
from pathlib import Path

import pytest

from gh_p2pcache.supervisor import client
from support.act import Ran, Runner
from support.sim import SimProcess
from support.team import SECRET, Daemon

HERE = Path(__file__).parent / "workflows"
TEAM = {"TEAM": "correct horse battery"}
CALLS = 3
SLOW = pytest.mark.soak  # what differs from the other runs is in the unit tests of the action, too
FORK = {"pull_request": {"number": 7, "head": {"ref": "x", "repo": {"full_name": "mallory/w"}}}}


def billed(sim: SimProcess) -> int:
    """What was taken from GitHub's primary rate limit."""
    count: int = sim.state()["billed"]
    return count


def outputs(ran: Ran) -> list[dict[str, str]]:
    return [ran.outputs(job, "cache") for job in ("first", "second")]


def test_four_jobs_of_a_team_ask_as_one(runner: Runner, sim: SimProcess, keeper: Daemon) -> None:
    ran = runner.run(
        "push",
        HERE / "team.yml",
        secrets={"TEAM": SECRET},
        variables={"PEERS": keeper.addr},
        env={"CACHE_ENABLE_P2P": "true"},
    )

    assert ran.code == 0, ran.text()
    assert ran.said().count("Widget is broken") == 8
    # Forty calls for five things. Two jobs that ask in the same instant may both be sent on.
    assert billed(sim) <= 10
    assert len(ran.summaries()) == 4


def test_the_second_job_has_what_the_first_one_learned(runner: Runner, sim: SimProcess) -> None:
    ran = runner.run("push", HERE / "runs.yml", secrets=TEAM)

    assert ran.code == 0, ran.text()
    first, second = outputs(ran)
    assert (first["ready"], first["store"]) == ("true", "")
    assert second["store"].startswith("gh-p2pcache-store-2-")
    assert ran.said("second").count("Widget is broken") == 1
    # The second one's REST calls are free; GraphQL has no free confirmation.
    assert billed(sim) == CALLS + 1
    assert "| 3 | 0 | 0 | 2 | 0 | 2 |" in _cells(ran.summaries()[1])
    assert ran.said().count("no later step has the secret") == 2
    assert TEAM["TEAM"] not in ran.said()


def _cells(table: str) -> str:
    return table.replace("</td><td>", " | ").replace("<td>", "| ").replace("</td>", " |")


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        pytest.param("pull_request", FORK, id="fork"),
        pytest.param("issue_comment", {"issue": {"number": 1}}, id="comment", marks=SLOW),
    ],
)
def test_a_trigger_that_lets_strangers_in_gets_a_cache_of_its_own(
    runner: Runner, sim: SimProcess, event: str, payload: dict[str, object]
) -> None:
    kept = runner.run("push", HERE / "runs.yml", secrets=TEAM, job="first")
    before = billed(sim)
    assert "is kept as" in kept.said(), kept.text()
    assert "in team workflow" in kept.said()
    machine = runner.home / ".config/gh-p2pcache/config.toml"
    machine.parent.mkdir()
    machine.write_text('p2p_shared_secret = "the secret of the machine"\n')

    env = {"CACHE_ENABLE_P2P": "true"}
    keep = {"KEEP": "yes"}
    ran = runner.run(
        event,
        HERE / "runs.yml",
        job="first",
        payload=payload,
        secrets=TEAM,
        variables=keep,
        env=env,
    )

    assert ran.code == 0, ran.text()
    output = ran.outputs("first", "cache")
    assert (output["trusted"], output["store"]) == ("false", "")
    assert "No team is joined, nothing is restored or saved" in ran.said("first")
    assert "CACHE_ENABLE_P2P=false" in ran.said("first")
    assert "tmp/gh-p2pcache/state" in ran.said("first")
    assert "in team" not in ran.said()
    assert "is kept as" not in ran.said()
    assert billed(sim) == before + CALLS


@SLOW
def test_an_owner_may_let_strangers_in(runner: Runner, sim: SimProcess) -> None:
    allowed = {"ALLOW": "yes"}
    ran = runner.run(
        "pull_request", HERE / "runs.yml", payload=FORK, secrets=TEAM, variables=allowed
    )

    assert ran.code == 0, ran.text()
    assert outputs(ran)[1]["store"].startswith("gh-p2pcache-store-2-")
    assert billed(sim) == CALLS + 1


def test_a_daemon_may_outlive_the_job(runner: Runner, sim: SimProcess) -> None:
    ran = runner.run("push", HERE / "runs.yml", variables={"KEEP": "yes"})
    try:
        assert ran.code == 0, ran.text()
        pids = re.findall(r"^daemon (\d+)$", ran.said(), re.MULTILINE)
        assert len(pids) == 2
        assert len(set(pids)) == 1
        # REST is confirmed for free; GraphQL is fresh for 10 s.
        assert billed(sim) <= CALLS + 1
        assert Path(f"/proc/{pids[0]}").exists()
        assert "| 3 | " in _cells(ran.summaries()[1])  # not what the first job did
    finally:
        client.stop(runner.home / ".local/state/gh-p2pcache")


def test_a_cache_that_cannot_be_had_fails_no_job(runner: Runner, sim: SimProcess) -> None:
    ran = runner.run("push", HERE / "runs.yml", env={"GH_P2PCACHE_ENGINE": "/bin/false"})

    assert ran.code == 0, ran.text()
    assert "gh asks GitHub itself" in ran.said("first")
    assert ran.said("first").count("gh-p2pcache: ") == 1
    assert outputs(ran)[0]["ready"] == "false"
    assert billed(sim) == 2 * CALLS


def test_the_extension_alone_will_do(runner: Runner, sim: SimProcess) -> None:
    home = "/repos/acme/many"
    sim.request("PATCH", home, token="alice", body={"name": "gh-p2pcache"})
    sim.control(
        push={"repo": "acme/gh-p2pcache", "branch": "main", "path": "gh-p2pcache", "content": "sh"}
    )
    git = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{runner.checkout}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/acme/gh-p2pcache.git",
    }
    ran = runner.run("push", HERE / "extension.yml", env=git)
    try:
        assert ran.code == 0, ran.text()
        assert ran.said().count("Widget is broken") == 4
        # On a busy machine plain gh answers while the daemon comes up.
        assert sim.state()["routes"]["GET /repos/{owner}/{repo}/issues/{number}"] <= 2
    finally:
        client.stop(runner.home / ".local/state/gh-p2pcache")
