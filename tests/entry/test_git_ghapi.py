"""`git ghapi`, as install.sh defines it: files are named from where the user stands."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gh_p2pcache.installer import register
from gh_p2pcache.installer.progress import Progress
from support.sim import ROOT, SECRETS, SimProcess


@pytest.fixture
def env(tmp_path: Path, sim: SimProcess, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A home with the alias; gh's calls end at the sim without a daemon."""
    config = tmp_path / "config"
    config.mkdir()
    (config / "config.yml").write_text(f'version: "1"\nhttp_unix_socket: {sim.unix}\n')
    env = {
        "HOME": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "GH_CONFIG_DIR": str(config),
        "GH_TOKEN": SECRETS["alice"],
        "GH_TELEMETRY": "false",
        "CACHE_DISABLE": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C.UTF-8",
    }
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    register.add_alias(ROOT, Progress())
    return env


@pytest.fixture
def checkout(tmp_path: Path, env: dict[str, str]) -> Path:
    """A clone of acme/widgets with a worktree in `tree` and folders in both."""
    top = tmp_path / "widgets"
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    for command in (
        ("init", "-q", str(top)),
        ("-C", str(top), "remote", "add", "origin", "https://github.com/acme/widgets.git"),
        ("-C", str(top), *who, "commit", "-q", "--allow-empty", "-m", "first"),
        ("-C", str(top), "worktree", "add", "-q", str(tmp_path / "tree")),
    ):
        subprocess.run(["git", *command], env=env, check=True, capture_output=True)
    for place in (top, tmp_path / "tree"):
        (place / "a b/deeper").mkdir(parents=True)
    return top


def ghapi(env: dict[str, str], cwd: Path, *arguments: str) -> str:
    said = subprocess.run(
        ["git", *arguments], env=env, cwd=cwd, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    return said.stdout.strip()


@pytest.mark.parametrize("place", ["widgets", "widgets/a b/deeper", "tree/a b", "."])
def test_files_are_relative_to_where_the_user_stands(
    env: dict[str, str], checkout: Path, place: str
) -> None:
    here = checkout.parent / place
    (here / "title.json").write_text('{"title": "by --input"}')
    (here / "text").write_text("by @")
    issue = ("ghapi", "-X", "PATCH", "repos/acme/widgets/issues/1")

    assert ghapi(env, here, *issue, "--input", "title.json", "--jq", ".title") == "by --input"
    assert ghapi(env, here, *issue, "-F", "body=@text", "--jq", ".body") == "by @"
    assert ghapi(
        env, here.parent, "-C", here.name or ".", *issue, "-F", "body=@text", "-q", ".body"
    )


@pytest.mark.parametrize("place", ["widgets", "widgets/a b/deeper", "tree/a b"])
def test_the_repository_is_the_one_the_user_stands_in(
    env: dict[str, str], checkout: Path, place: str
) -> None:
    here = checkout.parent / place

    said = ghapi(env, here, "ghapi", "repos/{owner}/{repo}", "--jq", ".full_name")

    assert said == "acme/widgets"


def test_a_git_dir_of_the_callers_is_followed(env: dict[str, str], checkout: Path) -> None:
    git = ("--git-dir", "widgets/.git", "--work-tree", "widgets")

    said = ghapi(env, checkout.parent, *git, "ghapi", "repos/{owner}/{repo}", "-q", ".full_name")

    assert said == "acme/widgets"
