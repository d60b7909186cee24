"""install.sh --uninstall, and what it must leave to its owner."""

import shutil
from pathlib import Path

import pytest

from gh_p2pcache.shell import profile
from support.installing import Machine, snapshot


def test_nothing_is_left(installed: Machine) -> None:
    for place in (".local/state", ".cache", ".config"):
        (installed.home / place / "gh-p2pcache").mkdir(parents=True)
        (installed.home / place / "gh-p2pcache" / "file").touch()

    said = installed.install("--uninstall").stdout

    assert set(snapshot(installed.home)) <= {".gitconfig"}
    assert (installed.home / ".gitconfig").read_text() == ""
    for place in (".local/share", ".local/state", ".cache", ".config"):
        assert f"{installed.home / place}/gh-p2pcache" in said
    assert installed.install("--uninstall").returncode == 0


def test_profiles_are_left_as_they_were(installed: Machine) -> None:
    bashrc = installed.home / ".bashrc"
    bashrc.write_text("alias l=ls\n")
    line = profile.line("bash", installed.env)
    bashrc.write_text(profile.added(bashrc.read_text(), line))
    found = installed.run("bash", "-i", "-c", "command -v gh", check=False).stdout
    assert found.strip() == str(installed.data / "shim/gh")

    assert f"{bashrc} no longer puts gh" in installed.install("--uninstall").stdout
    assert bashrc.read_text() == "alias l=ls\n"


def test_keep_cache_leaves_what_a_later_set_up_can_use(installed: Machine) -> None:
    kept = [
        installed.home / place / "gh-p2pcache/file"
        for place in (".local/state", ".cache", ".config")
    ]
    for file in kept:
        file.parent.mkdir(parents=True)
        file.touch()
    installed.install("--uninstall", "--keep-cache")
    assert all(file.exists() for file in kept)
    assert not installed.data.exists()


def test_an_alias_of_the_users_own_stays(machine: Machine, built: Path) -> None:
    shutil.copytree(built, machine.data, symlinks=True)
    machine.run("git", "config", "--global", "alias.ghapi", "!echo mine")
    assert "!echo mine" in machine.install().stdout
    assert machine.run("git", "ghapi").stdout == "mine\n"
    machine.install("--uninstall")
    assert machine.run("git", "ghapi").stdout == "mine\n"


def test_another_extension_of_this_name_stops_the_set_up_and_stays(machine: Machine) -> None:
    other = machine.home / ".local/share/gh/extensions/gh-p2pcache"
    other.mkdir(parents=True)
    (other / "gh-p2pcache").touch()
    before = snapshot(machine.home)

    said = machine.install(check=False)

    assert said.returncode == 1
    assert "gh extension remove p2pcache" in said.stderr
    machine.install("--uninstall")
    assert snapshot(machine.home) == before


def test_a_checkout_that_moved_is_registered_anew(installed: Machine) -> None:
    installed.checkout = installed.checkout.rename(installed.checkout.with_name("moved"))
    installed.checkout.with_name("gh-p2pcache").symlink_to("nowhere")
    installed.install()
    assert installed.run("gh", "p2pcache", "x").stdout.endswith("|x|")
    assert installed.run("git", "ghapi", "y").stdout.endswith("|api|y|")


def test_a_place_that_the_user_named_is_the_users_to_remove(machine: Machine) -> None:
    machine.data.mkdir(parents=True)
    named = machine.home / "documents"
    named.mkdir()
    (named / "thesis").touch()

    said = machine.install("--uninstall", CACHE_DIR=str(named), CACHE_STATE_DIR=str(named)).stdout

    assert f"{named} is yours to remove" in said
    assert (named / "thesis").exists()


@pytest.mark.parametrize("options", [(), ("--setup",), ("--background-setup",), ("--uninstall",)])
def test_a_clone_where_the_engine_would_lie_is_refused_and_stays(
    machine: Machine, options: tuple[str, ...]
) -> None:
    machine.data.parent.mkdir(parents=True)
    machine.checkout = machine.checkout.rename(machine.data)
    (machine.checkout / "lock").touch()
    (machine.checkout / "dev").touch()
    before = snapshot(machine.home)

    for prefix in ((), ("--prefix", str(machine.home / "elsewhere"))):
        said = machine.install(*options, *prefix, check=False)
        assert said.returncode == 1
        assert "choose another --prefix, or move the clone" in said.stderr
    assert snapshot(machine.home) == before


@pytest.mark.parametrize("prefix", ["..", ".", "../linked"])
@pytest.mark.parametrize("options", [(), ("--uninstall",)])
def test_a_prefix_that_is_at_the_clone_is_refused(
    machine: Machine, prefix: str, options: tuple[str, ...]
) -> None:
    linked = machine.checkout.with_name("linked")
    linked.mkdir()
    (linked / "gh-p2pcache").symlink_to(machine.checkout)
    place = machine.checkout / prefix

    said = machine.install("--prefix", str(place), *options, check=False)

    assert said.returncode == 1
    assert "choose another --prefix, or move the clone" in said.stderr
    assert machine.git("status", "--porcelain", "--ignored") == ""
    assert not machine.data.is_symlink()


def test_only_what_a_set_up_made_is_removed(installed: Machine) -> None:
    for name in ("dev", "gh"):  # of --test and --demo
        (installed.data / name).mkdir()
    (installed.data / "set-up-tried").touch()
    (installed.data / "thesis").touch()

    said = installed.install("--uninstall").stdout

    assert f"{installed.data} stays, for what is not of the set-up: thesis\n" in said
    assert [path.name for path in installed.data.iterdir()] == ["thesis"]


def test_a_prefix_without_a_set_up_is_left_and_so_is_the_set_up_elsewhere(
    machine: Machine, tmp_path: Path
) -> None:
    machine.install("--setup", "--prefix", str(tmp_path / "big disk"))
    other = tmp_path / "other/gh-p2pcache"
    (other / "dev").mkdir(parents=True)
    (other / "dev/thesis").touch()

    machine.install("--uninstall", "--prefix", str(other.parent))

    assert (other / "dev/thesis").exists()
    assert machine.engine_runs()


def test_a_link_of_the_users_is_not_followed_and_the_rest_is_removed(installed: Machine) -> None:
    big = installed.home.parent / "big disk"
    links = [installed.data / "engines"]
    links += [installed.home / place / "gh-p2pcache" for place in (".local/state", ".cache")]
    for number, link in enumerate(links):
        there = big / str(number)
        there.mkdir(parents=True)
        (there / "thesis").touch()
        link.parent.mkdir(parents=True, exist_ok=True)
        if link.exists():
            link.rename(link.with_name("dev"))
        link.symlink_to(there)
    (installed.home / ".config/gh-p2pcache").mkdir(parents=True)

    said = installed.install("--uninstall").stdout

    for number, link in enumerate(links):
        assert f"{big}/{number} is yours to remove: {link} led there\n" in said
        assert (big / str(number) / "thesis").exists()
    assert set(snapshot(installed.home)) <= {".gitconfig"}
    assert not (installed.home / ".config/gh-p2pcache").exists()


def test_a_profile_that_cannot_be_written_is_named_and_the_rest_is_taken_back(
    installed: Machine,
) -> None:
    line = profile.line("bash", installed.env) + "\n"
    # A new file of so long a name cannot be made beside it, by root either.
    fixed = installed.home.parent / ("x" * 255)
    fixed.write_text(line)
    (installed.home / ".bashrc").symlink_to(fixed)
    (installed.home / ".zshrc").write_text(line)

    said = installed.install("--uninstall").stdout

    assert f"'{profile.MARK}' out of {installed.home}/.bashrc yourself: " in said
    assert fixed.read_text() == line
    assert (installed.home / ".zshrc").read_text() == ""
    assert not installed.data.exists()
