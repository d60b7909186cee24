"""What CI runs for which change, and what the other scripts make of what GitHub says."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.act import REPO, SCRIPTS
from support.gh import GH
from support.origin import Asked, ScriptedOrigin, answer
from support.sim import SECRETS, SimProcess

PAGES = "install.sh --test tests/docs tests/actions/test_bundle.py"
COPILOT = "copilot-pull-request-reviewer[bot]"
PULL = {"EVENT": "pull_request", "NUMBER": "9", "BEFORE": "", "AFTER": ""}
PUSH = {"EVENT": "push", "NUMBER": "", "BEFORE": "a" * 40, "AFTER": "b" * 40}


@pytest.fixture
def env(tmp_path: Path, sim: SimProcess) -> dict[str, str]:
    """Of a job, with a checkout whose install.sh says how it was called."""
    said = 'echo "install.sh $*"; env | grep -E "^(GH_TOKEN|CACHE_|PATH=.*nowhere)"; true'
    (tmp_path / "install.sh").write_text(f"#!/bin/sh\n{said}\n")
    (tmp_path / "install.sh").chmod(0o755)
    (tmp_path / "config").mkdir()
    config = f'version: "1"\nhttp_unix_socket: {sim.unix}\n'
    (tmp_path / "config/config.yml").write_text(config)
    return {
        # Of a job that is behind the cache, as far as the tests would notice.
        "PATH": f"/nowhere/gh-p2pcache/shim:{max(GH.values()).parent}:{os.environ['PATH']}",
        "CACHE_DIR": "/nowhere/store",
        "GH_CONFIG_DIR": str(tmp_path / "config"),
        "GH_TOKEN": SECRETS["job1"],
        "GITHUB_REPOSITORY": REPO,
    }


def ci(folder: Path, env: dict[str, str], **more: str) -> str:
    done = script("ci.sh", folder=folder, env=env | more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def script(
    name: str, *arguments: str, folder: Path, env: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    command = [str(SCRIPTS / name), *arguments]
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def github(env: dict[str, str], origin: ScriptedOrigin) -> ScriptedOrigin:
    """In place of the small GitHub: for what that one does not do."""
    config = f'version: "1"\nhttp_unix_socket: {origin.unix}\n'
    (Path(env["GH_CONFIG_DIR"]) / "config.yml").write_text(config)
    return origin


def said(document: object, status: int = 200) -> bytes:
    return answer(status, json.dumps(document).encode())


def push(sim: SimProcess, path: str) -> dict[str, str]:
    def head() -> str:
        _, _, body = sim.request(
            "GET",
            f"/repos/{REPO}/commits/main",
            token="alice",
            headers={"Accept": "application/vnd.github.sha"},
        )
        return body.decode()

    before = head()
    sim.control(push={"repo": REPO, "branch": "main", "path": path, "content": path})
    return {"EVENT": "push", "NUMBER": "", "BEFORE": before, "AFTER": head()}


@pytest.mark.parametrize("page", ["docs/teams.md", "README.md"])
def test_a_push_of_pages_has_the_pages_checked(
    tmp_path: Path, env: dict[str, str], sim: SimProcess, page: str
) -> None:
    assert PAGES in ci(tmp_path, env, **push(sim, page)).splitlines()


def test_a_push_of_code_has_everything_checked(
    tmp_path: Path, env: dict[str, str], sim: SimProcess
) -> None:
    before = push(sim, "docs/teams.md")
    after = push(sim, "docs/example.py")
    ran = ci(tmp_path, env, **{**after, "BEFORE": before["BEFORE"]})
    assert ran.splitlines() == ["install.sh --test"]


def test_a_pull_request_of_code_has_everything_checked(tmp_path: Path, env: dict[str, str]) -> None:
    assert ci(tmp_path, env, **PULL).splitlines() == ["install.sh --test"]


@pytest.mark.parametrize(
    ("files", "runs"),
    [
        pytest.param([{"filename": "docs/a b.md"}, {"filename": "README.md"}], PAGES, id="pages"),
        pytest.param(
            [{"filename": "docs/a.md", "previous_filename": "python/a.py"}],
            "install.sh --test",
            id="code that became a page",
        ),
        pytest.param(
            [{"filename": f"docs/{n}.md"} for n in range(300)], "install.sh --test", id="too many"
        ),
    ],
)
def test_only_what_is_surely_of_pages_has_the_pages_checked(
    tmp_path: Path,
    env: dict[str, str],
    github: ScriptedOrigin,
    files: list[dict[str, str]],
    runs: str,
) -> None:
    github.says(said(files))
    assert ci(tmp_path, env, **PULL).splitlines()[-1] == runs
    github.says(said({"files": files}))
    assert ci(tmp_path, env, **PUSH).splitlines()[-1] == runs


@pytest.mark.parametrize("event", ["schedule", "push"])
def test_what_cannot_be_told_has_everything_checked(
    tmp_path: Path, env: dict[str, str], event: str
) -> None:
    unknown = {"EVENT": event, "NUMBER": "", "BEFORE": "0" * 40, "AFTER": "main"}
    assert ci(tmp_path, env, **unknown).splitlines() == ["install.sh --test"]


def test_a_report_goes_into_the_summary_only(
    tmp_path: Path, env: dict[str, str], sim: SimProcess
) -> None:
    title = {"title": "so ##[add-path]/tmp"}
    sim.request("PATCH", f"/repos/{REPO}/pulls/9", token="alice", body=title)
    summary = tmp_path / "summary"
    ran = script(
        "report.sh", "pulls", folder=tmp_path, env=env | {"GITHUB_STEP_SUMMARY": str(summary)}
    )

    assert ran.returncode == 0, ran.stderr
    lines = summary.read_text().splitlines()
    assert "- #9 so ##[add-path]/tmp" in lines
    assert ran.stdout == f"pulls: {len(lines) - 2}\n"


def test_an_issue_of_many_failures_is_cut_to_what_github_takes(
    tmp_path: Path, env: dict[str, str], github: ScriptedOrigin
) -> None:
    run = {
        "conclusion": "failure",
        "head_branch": "main",
        "name": "CI",
        "html_url": "https://github.com/acme/widgets/actions/runs/1",
        "head_sha": "a" * 40,
    }
    jobs = [{"id": n, "name": f"job {n}", "conclusion": "failure"} for n in range(10)]
    log = "".join(f"2025-05-30T10:00:02.0Z FAILED {n} {'é' * 400} end\n" for n in range(60))

    def answers(asked: Asked) -> Iterator[bytes]:
        path = asked.target.partition("?")[0]
        if path.endswith("/logs"):
            yield answer(200, log.encode(), ("Content-Type", "text/plain; charset=utf-8"))
        elif path.endswith("/jobs"):
            yield said({"jobs": jobs})
        elif path.endswith("/issues"):
            yield said([]) if asked.method == "GET" else said({"number": 5}, 201)
        else:
            yield said(run)

    github.answers = answers
    ran = script("auto-heal.sh", "1", folder=tmp_path, env=env)

    assert (ran.returncode, ran.stdout) == (0, "Opened #5.\n"), ran.stderr
    body = json.loads(github.asked[-1].body)["body"]
    assert 50_000 < len(body.encode()) < 65_536
    assert "The run has more than is listed here." in body
    assert "### job 0" in body
    assert " end" not in body


@pytest.mark.parametrize(
    ("reviewer", "listed", "says"),
    [
        ("alice", ["Copilot"], "did not take"),
        ("alice", ["alice2"], "did not take"),
        ("alice", ["Copilot", "Alice"], "was asked"),
        (COPILOT, ["Copilot"], "was asked"),
        (COPILOT, ["alice"], "did not take"),
    ],
)
def test_it_says_whether_github_took_a_reviewer(
    env: dict[str, str], github: ScriptedOrigin, reviewer: str, listed: list[str], says: str
) -> None:
    github.says(said({}, 201), said({"users": [{"login": login} for login in listed]}))
    ran = script("request-review.sh", "9", reviewer, folder=SCRIPTS, env=env)

    assert ran.returncode == 0, ran.stderr
    assert says in ran.stdout


def test_a_draft_that_could_not_be_opened_is_opened_by_the_next_run(
    tmp_path: Path, env: dict[str, str], sim: SimProcess
) -> None:
    opening = f"POST /repos/{REPO}/pulls"
    sim.control(fault={"kind": "status", "status": 403, "times": 1, "match": opening})
    first = script("issue-to-draft-pr.sh", "1", folder=tmp_path, env=env)
    assert first.returncode != 0

    again = script("issue-to-draft-pr.sh", "1", folder=tmp_path, env=env)
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("Opened #")


def test_waiting_for_a_team_without_the_extension_says_so(
    tmp_path: Path, env: dict[str, str]
) -> None:
    empty = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    ran = script("wait-for-peers.sh", "1", folder=tmp_path, env=env | empty)

    assert ran.returncode == 1
    assert ran.stderr == "there is no gh p2pcache here: the cache was not set up\n"
