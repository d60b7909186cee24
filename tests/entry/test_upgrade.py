"""After `gh extension upgrade` the engine follows by itself, once."""

import shutil
import subprocess
from pathlib import Path

import pytest

from support.entry import Entry
from support.wait import until


def git(checkout: Path, *arguments: str) -> str:
    command = ["git", "-C", str(checkout), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(checkout: Path) -> str:
    git(checkout, "commit", "-q", "--allow-empty", "-m", "more")
    return git(checkout, "rev-parse", "HEAD")


@pytest.fixture
def installed(entry: Entry) -> Entry:
    """An engine in its usual place, built from the checkout's commit; no GH_P2PCACHE_ENGINE."""
    del entry.env["GH_P2PCACHE_ENGINE"]
    entry.data.mkdir(parents=True, exist_ok=True)
    (entry.data / "engine").symlink_to(entry.root / "built")
    shutil.copytree(entry.daemon.python.parents[1], entry.root / "built", symlinks=True)
    git(entry.extension, "init", "-q")
    (entry.root / "built/BUILD").write_text(f"0.1.0 {commit(entry.extension)}\n")
    return entry


def api(entry: Entry) -> str:
    said = entry.api("user", CACHE_DISABLE="1")
    assert said.answer["github"]
    return said.err


def test_nothing_happens_while_engine_and_checkout_agree(installed: Entry) -> None:
    assert api(installed) == ""
    git(installed.extension, "pack-refs", "--all")
    assert api(installed) == ""
    git(installed.extension, "checkout", "-q", "--detach")
    assert api(installed) == ""
    assert installed.installed == []


@pytest.mark.parametrize("packed", [False, True])
def test_a_new_commit_sets_the_engine_up_again_once(installed: Entry, packed: bool) -> None:
    commit(installed.extension)
    if packed:
        git(installed.extension, "pack-refs", "--all")

    assert "the engine is being brought up to date in the background" in api(installed)
    assert api(installed) == ""
    until(lambda: installed.installed == ["--background-setup"])

    commit(installed.extension)
    assert "brought up to date" in api(installed)
    until(lambda: installed.installed == ["--background-setup"] * 2)


def test_another_checkout_leaves_the_installed_engine_alone(installed: Entry) -> None:
    other = installed.root / "other"
    shutil.copytree(installed.extension, other)
    commit(other)

    said = installed.run(other / "gh-p2pcache", "api", "user", CACHE_DISABLE="1")

    assert said.answer["github"]
    assert said.err == ""
    assert installed.installed == []


def test_git_ghapi_and_exec_look_at_the_checkout_too(installed: Entry) -> None:
    commit(installed.extension)
    assert "up to date" in installed.run("git-ghapi", "user", CACHE_DISABLE="1").err

    commit(installed.extension)
    assert "up to date" in installed.run("gh-p2pcache", "exec", "true").err


def test_the_daemon_that_is_then_started_is_the_installed_engine(installed: Entry) -> None:
    installed.run("gh", "api", "user")
    until(installed.daemon.is_alive)

    assert installed.daemon.status()["engine"] == str(installed.root / "built")


def test_a_checkout_without_git_is_left_alone(installed: Entry) -> None:
    shutil.rmtree(installed.extension / ".git")

    assert api(installed) == ""
    assert installed.installed == []
