"""install.sh on a machine that has what it needs."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from support.installing import Machine, snapshot, wait_for


def test_everything_a_user_needs_is_there_and_a_second_run_changes_nothing(
    machine: Machine,
) -> None:
    said = machine.install().stdout

    assert said.splitlines()[-1].startswith("Done. Next: gh p2pcache api user")
    assert machine.engine_runs()
    assert machine.run("gh", "p2pcache", "api", "user").stdout.endswith("|api|user|")
    assert machine.run(str(machine.data / "shim/gh"), "pr").stdout.endswith("|pr|")
    assert (machine.data / "man/man1/gh-p2pcache.1").exists()
    assert (machine.data / "shell/env.sh").readlink().is_relative_to(machine.checkout)
    version_and_commit = (machine.engine / "BUILD").read_text().split()
    assert version_and_commit[1:] == [machine.git("rev-parse", "HEAD")]
    assert machine.git("status", "--porcelain", "--ignored") == ""

    before = snapshot(machine.home)
    assert "is in order" in machine.install().stdout
    assert snapshot(machine.home) == before


def test_git_ghapi_runs_in_the_callers_directory(installed: Machine) -> None:
    below = installed.checkout / "python/gh_p2pcache"
    said = installed.run("git", "ghapi", "-f", "title=two words", "it's", cwd=below).stdout
    assert said == f"{below}|api|-f|title=two words|it's|"


def test_an_upgrade_keeps_the_engine_a_daemon_may_still_run_and_no_older_one(
    installed: Machine,
) -> None:
    first = installed.engine.resolve()

    (installed.checkout / "README").write_text("other")
    commit = installed.commit("not the engine's business")
    installed.install("--setup")
    assert installed.engine.resolve() == first
    assert (installed.engine / "BUILD").read_text().split()[1] == commit

    for change in ("2", "3"):
        previous = installed.engine.resolve()
        (installed.checkout / "python/gh_p2pcache/new.py").write_text(change)
        installed.install("--setup")
        assert installed.engine.resolve() != previous
        assert previous.exists()
    assert not first.exists()


def test_the_folders_named_for_a_cache_are_those_that_a_set_up_fills(machine: Machine) -> None:
    named = [Path(line) for line in machine.install("--folders").stdout.splitlines()]
    assert not machine.data.exists()

    machine.install("--setup")
    assert named == [machine.engine.resolve(), (machine.engine / "peer-site").resolve()]

    (machine.checkout / "python/gh_p2pcache/new.py").write_text("2")
    after = [Path(line) for line in machine.install("--folders").stdout.splitlines()]
    assert after[0] != named[0]
    assert after[1] == named[1]


def test_two_at_once_wait_for_each_other(machine: Machine) -> None:
    both = [machine.start_install("--setup") for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert sum("  environment …" in text for text in said) == 1
    # The engine and the peers are locked one after the other, so each may wait for the other.
    assert any("waiting for another set-up" in text for text in said)
    assert machine.engine_runs()


def test_a_set_up_killed_half_way_is_never_used_and_the_next_one_starts_anew(
    machine: Machine,
) -> None:
    _kill_half_way(machine)
    assert not machine.engine.is_symlink()

    machine.install("--setup")
    assert machine.engine_runs()
    working = machine.engine.resolve()

    (machine.checkout / "python/gh_p2pcache/new.py").write_text("")
    _kill_half_way(machine)
    assert machine.engine.resolve() == working
    assert machine.engine_runs()


def test_a_damaged_engine_is_built_anew(installed: Machine) -> None:
    next(installed.engine.resolve().rglob("gh_p2pcache_leaf.py")).unlink()
    assert not installed.engine_runs()
    installed.install("--setup")
    assert installed.engine_runs()


def test_a_package_that_is_not_the_pinned_one_is_refused(machine: Machine) -> None:
    machine.lock_file.write_text(f"gh-p2pcache-leaf==1.0 --hash=sha256:{'0' * 64}\n")
    said = machine.install("--setup", check=False)
    assert said.returncode == 1
    assert "HASHES" in said.stderr
    assert not machine.engine.is_symlink()
    assert list((machine.data / "engines").iterdir()) == []


def test_prefix_holds_the_data_and_the_usual_place_leads_there(
    machine: Machine, tmp_path: Path
) -> None:
    place = tmp_path / "big disk"
    machine.install("--prefix", str(place))
    assert machine.data.readlink() == place / "gh-p2pcache"
    assert machine.engine_runs()

    before = snapshot(place)
    machine.install()
    assert snapshot(place) == before

    machine.install("--uninstall")
    assert list(place.iterdir()) == []
    assert not machine.data.is_symlink()


def test_prefix_does_not_hide_an_engine_that_is_elsewhere(machine: Machine, tmp_path: Path) -> None:
    (machine.data / "engines").mkdir(parents=True)
    said = machine.install("--prefix", str(tmp_path / "other"), check=False)
    assert said.returncode == 1
    assert "--uninstall" in said.stderr


def test_in_the_background_it_is_silent_and_writes_a_log(machine: Machine) -> None:
    said = machine.install("--background-setup")
    assert said.stdout + said.stderr == ""
    assert machine.engine_runs()
    assert (
        "pinned packages" in (machine.home / ".local/state/gh-p2pcache/log/setup.log").read_text()
    )


def test_in_the_background_it_holds_nothing_that_its_caller_has_open(machine: Machine) -> None:
    ours, callers = os.pipe()
    command = [machine.checkout / "install.sh", "--background-setup"]
    with subprocess.Popen(command, env=machine.env, pass_fds=(callers,)) as process:
        os.close(callers)
        assert os.read(ours, 1) == b"", "nobody has it open any more"
        assert not machine.engine.is_symlink(), "the set-up should still be at it"
    os.close(ours)

    assert process.returncode == 0
    assert machine.engine_runs()


def test_in_the_background_it_leaves_where_another_is_at_it(machine: Machine) -> None:
    other = machine.start_install("--setup")
    wait_for(lambda: any((machine.data / "engines").glob("*/pyvenv.cfg")))
    machine.install("--background-setup")
    assert other.poll() is None, "the other should still be at it, and we did not wait"
    other.communicate(timeout=60)
    assert other.returncode == 0
    assert "another set-up" in (machine.home / ".local/state/gh-p2pcache/log/setup.log").read_text()


def test_a_users_pip_settings_do_not_lead_the_packages_elsewhere(
    machine: Machine, tmp_path: Path
) -> None:
    machine.install("--setup", PIP_USER="1", PIP_TARGET=str(tmp_path / "elsewhere"))
    assert machine.engine_runs()


@pytest.mark.parametrize("gh", ["gh", "/usr/bin/gh"])
def test_gh_finds_the_extension_by_the_link(machine: Machine, gh: str) -> None:
    if not Path(gh).exists() and gh != "gh":
        pytest.skip("no gh of the system's")
    link = machine.home / ".local/share/gh/extensions/gh-p2pcache"
    link.parent.mkdir(parents=True)
    link.symlink_to(machine.checkout)
    assert machine.run(gh, "p2pcache", "api", "a b").stdout.endswith("|api|a b|")


def _kill_half_way(machine: Machine) -> None:
    built = set((machine.data / "engines").glob("*")) if machine.data.exists() else set()
    process = machine.start_install("--setup")
    wait_for(lambda: any(p.parent not in built for p in machine.data.glob("engines/*/pyvenv.cfg")))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=10)
    assert process.returncode == -signal.SIGKILL
