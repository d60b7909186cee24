"""The workflows of this repository, and what they change at GitHub."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.act import REPO, WORKFLOWS, Ran, Runner
from support.sim import SimProcess
from support.team import SECRET, Daemon

TEAM = {"CACHE_P2P_SHARED_SECRET": SECRET}
RUN = 9_000_000_002
LOG = (
    "2025-05-30T10:00:01.0000000Z collecting\n"
    "2025-05-30T10:00:02.0000000Z FAILED tests/policy/test_key.py::test_order - assert 1 == 2\n"
)


def get(sim: SimProcess, path: str) -> Any:
    return json.loads(sim.request("GET", f"/repos/{REPO}/{path}", token="alice")[2])


def billed(sim: SimProcess) -> int:
    count: int = sim.state()["billed"]
    return count


def asked(sim: SimProcess, route: str) -> list[bool]:
    """The calls of a route, and whether each was taken from the rate limit."""
    return [call["billed"] for call in sim.state()["requests"] if call["route"] == route]


def heal(runner: Runner, conclusion: str = "failure") -> Ran:
    ended = {
        "id": RUN,
        "conclusion": conclusion,
        "event": "push",
        "head_repository": {"full_name": REPO},
    }
    workflow = WORKFLOWS / "auto-heal-failures.yml"
    return runner.run("workflow_run", workflow, payload={"workflow_run": ended})


def test_a_failing_branch_has_one_issue_until_it_passes(runner: Runner, sim: SimProcess) -> None:
    sim.control(
        run={"repo": REPO, "id": RUN, "status": "completed", "conclusion": "failure", "log": LOG}
    )
    ran = heal(runner)
    assert ran.code == 0, ran.text()
    (issue,) = get(sim, "issues?labels=auto-heal")
    assert issue["title"] == "CI fails on feature"
    assert "FAILED tests/policy/test_key.py::test_order" in issue["body"]
    assert "collecting" not in issue["body"]

    other = LOG.replace("test_order", "test_other")
    sim.control(
        run={"repo": REPO, "id": RUN, "status": "completed", "conclusion": "failure", "log": other}
    )
    ran = heal(runner)
    assert ran.code == 0, ran.text()
    (again,) = get(sim, "issues?labels=auto-heal")
    assert again["number"] == issue["number"]
    assert "test_other" in again["body"]

    sim.control(run={"repo": REPO, "id": RUN, "status": "completed", "conclusion": "success"})
    ran = heal(runner, "success")
    assert ran.code == 0, ran.text()
    assert get(sim, "issues?labels=auto-heal") == []
    assert get(sim, f"issues/{issue['number']}")["state"] == "closed"


def test_a_run_of_a_fork_opens_no_issue(runner: Runner, sim: SimProcess) -> None:
    ended = {"id": RUN, "conclusion": "failure", "event": "push"}
    payload = {"workflow_run": {**ended, "head_repository": {"full_name": "mallory/widgets"}}}
    ran = runner.run("workflow_run", WORKFLOWS / "auto-heal-failures.yml", payload=payload)

    assert ran.code == 0, ran.text()
    assert sim.calls() == 0


def test_the_label_makes_a_draft_pull_request_once_and_cleanup_takes_its_branch(
    runner: Runner, sim: SimProcess
) -> None:
    labeled = {"action": "labeled", "issue": {"number": 1}, "label": {"name": "draft-pr"}}
    workflow = WORKFLOWS / "issue-to-draft-pr.yml"

    ran = runner.run("issues", workflow, payload=labeled)
    assert ran.code == 0, ran.text()
    (pull,) = get(sim, "pulls?head=acme:auto-heal/issue-1")
    assert (pull["draft"], pull["title"], pull["body"]) == (True, "Widget is broken", "Closes #1")
    assert pull["base"]["ref"] == "main"

    again = runner.run("issues", workflow, payload=labeled)
    assert again.code == 0, again.text()
    assert "There is one already" in again.said()
    assert len(get(sim, "pulls?head=acme:auto-heal/issue-1&state=all")) == 1

    cleanup = WORKFLOWS / "cleanup-auto-heal-branches.yml"
    ran = runner.run("schedule", cleanup)
    assert "Kept auto-heal/issue-1: its pull request is open." in ran.said(), ran.text()
    sim.request(
        "PATCH", f"/repos/{REPO}/pulls/{pull['number']}", token="alice", body={"state": "closed"}
    )
    sim.control(push={"repo": REPO, "branch": "auto-heal/mine", "path": "x", "content": "x"})
    ran = runner.run("schedule", cleanup)
    assert ran.code == 0, ran.text()
    left = [ref["ref"] for ref in get(sim, "git/matching-refs/heads/auto-heal/")]
    assert left == ["refs/heads/auto-heal/mine"]


def test_copilot_is_asked_for_a_review(runner: Runner, sim: SimProcess) -> None:
    head = {"ref": "feature", "repo": {"full_name": REPO}}
    payload = {"action": "opened", "pull_request": {"number": 9, "draft": False, "head": head}}
    ran = runner.run("pull_request", WORKFLOWS / "pr-copilot-reviewer.yml", payload=payload)

    assert ran.code == 0, ran.text()
    asked = [user["login"] for user in get(sim, "pulls/9/requested_reviewers")["users"]]
    assert "copilot-pull-request-reviewer[bot]" in asked


def test_a_page_that_is_not_current_is_offered(runner: Runner, sim: SimProcess) -> None:
    page = "docs/configuration.md"
    sim.control(push={"repo": REPO, "branch": "main", "path": page, "content": "as it was"})
    workflow = WORKFLOWS / "documentation-maintenance.yml"
    code = runner.checkout / "python/gh_p2pcache/settings.py"
    before = code.read_text()
    code.write_text(before.replace('"the store"', '"the store of now"'))
    try:
        ran = runner.run("schedule", workflow)
        assert ran.code == 0, ran.text()
        offered = get(sim, "git/ref/heads/auto-heal/documentation")

        ran = runner.run("schedule", workflow)
        assert ran.code == 0, ran.text()
        assert get(sim, "git/ref/heads/auto-heal/documentation") == offered

        # Until there is a new commit the branch stays: as its base it would close the pull request.
        code.write_text(before.replace('"the store"', '"the store of then"'))
        write = f"PUT /repos/{REPO}/contents/"
        sim.control(fault={"kind": "status", "status": 500, "times": 1, "match": write})
        ran = runner.run("schedule", workflow)
        assert ran.code != 0
        assert get(sim, "git/ref/heads/auto-heal/documentation") == offered

        ran = runner.run("schedule", workflow)
        assert ran.code == 0, ran.text()
    finally:
        code.write_text(before)
    (pull,) = get(sim, "pulls?head=acme:auto-heal/documentation")
    (file,) = get(sim, f"pulls/{pull['number']}/files")
    assert file["filename"] == page
    kept = get(sim, f"contents/{page}?ref=auto-heal/documentation")["content"]
    assert "the store of then" in base64.b64decode(kept).decode()
    (left,) = get(sim, "git/matching-refs/heads/auto-heal/")
    assert left["ref"] == "refs/heads/auto-heal/documentation"


def test_the_smoke_by_the_actions_cache(runner: Runner, sim: SimProcess) -> None:
    ran = runner.run("schedule", WORKFLOWS / "p2p-cache-smoke.yml", secrets=TEAM)

    assert ran.code == 0, ran.text()
    assert "Of 6 calls 6 cost nothing; 0 were not known." in ran.said("second")
    assert billed(sim) == 6


def test_the_smoke_by_a_member(runner: Runner, sim: SimProcess, keeper: Daemon) -> None:
    ran = runner.run(
        "schedule",
        WORKFLOWS / "p2p-cache-smoke.yml",
        secrets=TEAM,
        variables={"CACHE_BOOTSTRAP_PEERS": keeper.addr},
        env={"CACHE_ENABLE_P2P": "true"},
    )

    assert ran.code == 0, ran.text()
    assert "Store: none." in ran.said("second")
    assert billed(sim) == 6


def test_the_smoke_fails_when_nothing_was_shared(runner: Runner, sim: SimProcess) -> None:
    ran = runner.run("schedule", WORKFLOWS / "p2p-cache-smoke.yml")

    assert ran.code != 0
    assert "did not get what the first one had asked for" in ran.said("second")
    # Without a team's secret.
    assert "sealed with the token of this job: it is not kept" in ran.said("first")
    assert billed(sim) == 12


def test_the_example_of_one_job(runner: Runner, sim: SimProcess) -> None:
    ran = runner.run("schedule", WORKFLOWS / "example-cached-workflow.yml")

    assert ran.code == 0, ran.text()
    assert "#1 Widget is broken" in "".join(ran.summaries())
    assert "### pulls of acme/widgets" in "".join(ran.summaries())
    assert asked(sim, "GET /repos/{owner}/{repo}") == [True, False]  # both parts ask for it


def test_the_example_of_a_team(runner: Runner, sim: SimProcess, keeper: Daemon) -> None:
    ran = runner.run(
        "schedule",
        WORKFLOWS / "example-p2p-cache.yml",
        secrets=TEAM,
        variables={"CACHE_BOOTSTRAP_PEERS": keeper.addr},
        env={"CACHE_ENABLE_P2P": "true"},
    )

    assert ran.code == 0, ran.text()
    for part in ("issues", "pulls", "runs", "releases"):
        assert f"### {part} of {REPO}" in "".join(ran.summaries())
    # Each of the four asks for the repository. Two that do in the same instant may both be sent on.
    assert sum(asked(sim, "GET /repos/{owner}/{repo}")) <= 2


@pytest.mark.parametrize("name", ["example-cached-workflow", "example-p2p-cache"])
def test_an_example_without_its_cache_asks_github(
    runner: Runner, sim: SimProcess, name: str
) -> None:
    ran = runner.run(
        "schedule",
        WORKFLOWS / f"{name}.yml",
        variables={"CACHE_BOOTSTRAP_PEERS": "/ip4/127.0.0.1/tcp/1"},
        env={"GH_P2PCACHE_ENGINE": "/bin/false"},
    )

    assert ran.code == 0, ran.text()
    assert f"### pulls of {REPO}" in "".join(ran.summaries())
    assert billed(sim) == len(asked(sim, "GET /repos/{owner}/{repo}")) * 2


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.stem)
def test_a_run_that_does_nothing_takes_no_place_of_one_that_waits(path: Path) -> None:
    # GitHub keeps one waiting run of a group, and a job's `if` does not keep its run out of it.
    workflow = yaml.safe_load(path.read_text())
    conditional = any("if" in job for job in workflow["jobs"].values())
    assert not (conditional and "concurrency" in workflow)


def test_ci_checks_what_a_push_can_break_with_each_python(
    runner: Runner, sim: SimProcess, tmp_path: Path
) -> None:
    (tmp_path / "sudo").write_text("#!/bin/sh\n")
    (tmp_path / "sudo").chmod(0o755)
    install = runner.checkout / "install.sh"
    text = install.read_text()
    install.write_text('#!/bin/sh\necho "install.sh $*"\n')
    before = get(sim, "git/ref/heads/main")["object"]["sha"]
    sim.control(push={"repo": REPO, "branch": "main", "path": "docs/x.md", "content": "x"})
    after = get(sim, "git/ref/heads/main")["object"]["sha"]
    try:
        ran = runner.run(
            "push",
            WORKFLOWS / "amd64-ci.yml",
            payload={"ref": "refs/heads/main", "before": before, "after": after},
            env={"PATH": f"{tmp_path}:{runner.env['PATH']}"},
        )
    finally:
        install.write_text(text)

    assert ran.code == 0, ran.text()
    assert ran.said().count("install.sh --test tests/docs") == 2
