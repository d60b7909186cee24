"""The peers' packages come after the engine's, whole or not at all, and never in their way."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from support.installing import Machine, snapshot, wait_for

_WITHOUT = "without peers (gh p2pcache setup tries again)"


def _sets(machine: Machine) -> list[Path]:
    return sorted((machine.data / "peers").iterdir())


def _want_others(machine: Machine) -> None:
    """Have the next set-up install another set."""
    machine.peer_lock_file.write_text(f"# newer\n{machine.peer_lock_file.read_text()}")


def test_they_come_after_the_engine_and_a_second_run_changes_nothing(machine: Machine) -> None:
    steps = machine.install().stdout
    assert steps.index("pinned packages") < steps.index("git ghapi is") < steps.index("peers")
    assert machine.peers_run()
    (site,) = machine.engine.glob("lib/python3*/site-packages")
    assert not (site / "libp2p").exists()

    before = snapshot(machine.home)
    assert "peers are in order" in machine.install("--setup").stdout
    assert snapshot(machine.home) == before


@pytest.mark.parametrize("options", [(), ("--setup",)])
def test_a_failure_is_one_line_and_the_engine_works(
    installed: Machine, options: tuple[str, ...]
) -> None:
    right = installed.peer_lock_file.read_text()
    installed.peer_lock_file.write_text(f"gh-p2pcache-peer-leaf==1.0 --hash=sha256:{'0' * 64}\n")
    said = installed.install(*options)

    (line,) = [line for line in said.stdout.splitlines() if _WITHOUT in line]
    assert "HASHES" in line
    assert said.stderr == ""
    assert said.stdout.splitlines()[-1].startswith(("Done. Next", "Next"))
    assert installed.engine_runs()
    assert not installed.peers_run()
    assert len(_sets(installed)) == 1, "the one of before; nothing half-made"

    installed.peer_lock_file.write_text(right)
    installed.install("--setup")
    assert installed.peers_run()


def test_packages_that_do_not_import_are_not_used(installed: Machine) -> None:
    (installed.checkout / "python/gh_p2pcache/peer/node.py").write_text("import libp2p.absent\n")
    said = installed.install("--setup").stdout
    assert f"{_WITHOUT}: ModuleNotFoundError: No module named 'libp2p.absent'" in said
    assert installed.engine_runs()
    assert not (installed.engine / "peer-site").is_symlink()


def test_in_the_background_they_are_set_up_too(installed: Machine) -> None:
    _want_others(installed)
    installed.install("--background-setup")
    assert len(_sets(installed)) == 1
    assert installed.peers_run()
    assert "  peers …" in (installed.home / ".local/state/gh-p2pcache/log/setup.log").read_text()


def test_two_at_once_install_them_once(installed: Machine) -> None:
    _want_others(installed)
    both = [installed.start_install("--setup") for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert sum("peers are in order" in text for text in said) == 1
    assert installed.peers_run()


def test_a_set_up_killed_half_way_leaves_the_engine_and_the_next_one_completes_it(
    installed: Machine,
) -> None:
    _want_others(installed)
    process = installed.start_install("--setup")
    wait_for(lambda: not (installed.engine / "peer-site").is_symlink())
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=10)
    assert process.returncode == -signal.SIGKILL
    assert installed.engine_runs()
    assert not installed.peers_run()

    installed.install("--setup")

    assert installed.peers_run()
    assert len(_sets(installed)) == 1


def test_damaged_ones_are_made_anew(installed: Machine) -> None:
    shutil.rmtree(installed.engine / "peer-site/libp2p")
    assert not installed.peers_run()
    installed.install("--setup")
    assert installed.peers_run()


def test_engines_share_them_and_what_an_engine_may_still_use_stays(installed: Machine) -> None:
    (one,) = _sets(installed)

    (installed.checkout / "python/gh_p2pcache/new.py").write_text("")
    assert "peers are in order" in installed.install("--setup").stdout
    assert _sets(installed) == [one]
    assert installed.peers_run()

    (installed.checkout / "python/gh_p2pcache/new.py").write_text("2")
    _want_others(installed)
    installed.install("--setup")
    assert installed.peers_run()
    assert len(_sets(installed)) == 2
    assert one in _sets(installed), "a daemon of the engine of before may still run with them"

    (installed.checkout / "python/gh_p2pcache/new.py").write_text("3")
    installed.install("--setup")
    assert one not in _sets(installed)


def test_uninstall_takes_them(installed: Machine) -> None:
    installed.install("--uninstall")
    assert not installed.data.exists()
