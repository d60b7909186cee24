"""install.sh --uninstall, and what it must leave to its owner."""

from support.installing import Machine, snapshot


def test_nothing_is_left(machine: Machine) -> None:
    machine.install()
    for place in (".local/state", ".cache", ".config"):
        (machine.home / place / "gh-p2pcache").mkdir(parents=True)
        (machine.home / place / "gh-p2pcache" / "file").touch()

    said = machine.install("--uninstall").stdout

    assert set(snapshot(machine.home)) <= {".gitconfig"}
    assert (machine.home / ".gitconfig").read_text() == ""
    for place in (".local/share", ".local/state", ".cache", ".config"):
        assert f"{machine.home / place}/gh-p2pcache" in said
    assert machine.install("--uninstall").returncode == 0


def test_keep_cache_leaves_what_a_later_set_up_can_use(machine: Machine) -> None:
    machine.install()
    kept = [
        machine.home / place / "gh-p2pcache/file" for place in (".local/state", ".cache", ".config")
    ]
    for file in kept:
        file.parent.mkdir(parents=True)
        file.touch()
    machine.install("--uninstall", "--keep-cache")
    assert all(file.exists() for file in kept)
    assert not machine.data.exists()


def test_an_alias_of_the_users_own_stays(machine: Machine) -> None:
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


def test_a_checkout_that_moved_is_registered_anew(machine: Machine) -> None:
    machine.install()
    machine.checkout = machine.checkout.rename(machine.checkout.with_name("moved"))
    (machine.checkout.with_name("gh-p2pcache")).symlink_to("nowhere")
    machine.install()
    assert machine.run("gh", "p2pcache", "x").stdout.endswith("|x|")
    assert machine.run("git", "ghapi", "y").stdout.endswith("|api|y|")
