"""What CI runs for which change."""

import os
import subprocess
from pathlib import Path

import pytest

from support.act import REPO, SCRIPTS
from support.gh import GH
from support.sim import SECRETS, SimProcess

CI = str(SCRIPTS / "ci.sh")


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
    done = subprocess.run(
        [CI], cwd=folder, env=env | more, capture_output=True, text=True, check=True
    )
    return done.stdout


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
    assert "install.sh --test tests/docs" in ci(tmp_path, env, **push(sim, page)).splitlines()


def test_a_push_of_code_has_everything_checked(
    tmp_path: Path, env: dict[str, str], sim: SimProcess
) -> None:
    before = push(sim, "docs/teams.md")
    after = push(sim, "docs/example.py")
    said = ci(tmp_path, env, **{**after, "BEFORE": before["BEFORE"]})
    assert said.splitlines() == ["install.sh --test"]


def test_a_pull_request_of_code_has_everything_checked(tmp_path: Path, env: dict[str, str]) -> None:
    pull = {"EVENT": "pull_request", "NUMBER": "9", "BEFORE": "", "AFTER": ""}
    assert ci(tmp_path, env, **pull).splitlines() == ["install.sh --test"]


@pytest.mark.parametrize("event", ["schedule", "push"])
def test_what_cannot_be_told_has_everything_checked(
    tmp_path: Path, env: dict[str, str], event: str
) -> None:
    unknown = {"EVENT": event, "NUMBER": "", "BEFORE": "0" * 40, "AFTER": "main"}
    assert ci(tmp_path, env, **unknown).splitlines() == ["install.sh --test"]
