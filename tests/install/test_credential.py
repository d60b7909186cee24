"""install.sh --credential-helper: only when asked for, and what was before comes back."""

from support.installing import Machine

KEY = "credential.https://{}.helper"


def helpers(machine: Machine, host: str = "github.com") -> list[str]:
    said = machine.run("git", "config", "--global", "--get-all", KEY.format(host), check=False)
    return said.stdout.splitlines()


def test_it_is_offered_and_not_set(installed: Machine) -> None:
    assert "./install.sh --credential-helper" in installed.install().stdout
    assert helpers(installed) == []


def test_git_asks_us_and_uninstall_sets_what_was_before(installed: Machine) -> None:
    for value in ("", "!before one", "store"):
        installed.run("git", "config", "--global", "--add", KEY.format("github.com"), value)
    (installed.home / ".config/gh").mkdir(parents=True)
    (installed.home / ".config/gh/hosts.yml").write_text("ghe.example.com:\n    user: mona\n")

    for _ in range(2):
        said = installed.install("--credential-helper").stdout
        assert "github.com, gist.github.com, ghe.example.com" in said
    assert helpers(installed)[0] == ""
    assert helpers(installed) == helpers(installed, "ghe.example.com")
    fill = "printf 'protocol=https\nhost=github.com\n\n' | git credential fill"
    filled = installed.run("sh", "-c", fill, check=False, GIT_TERMINAL_PROMPT="0", GIT_TRACE="1")
    assert "|credential|get|" in filled.stderr

    installed.install("--uninstall")
    assert helpers(installed) == ["", "!before one", "store"]
    assert helpers(installed, "ghe.example.com") == []


def test_a_later_set_up_renews_it_for_a_checkout_that_moved(installed: Machine) -> None:
    installed.install("--credential-helper")
    installed.checkout = installed.checkout.rename(installed.checkout.with_name("moved"))
    installed.run("rm", str(installed.home / ".local/share/gh/extensions/gh-p2pcache"))

    installed.install()

    assert helpers(installed)[1] == f"!'{installed.checkout}/gh-p2pcache' credential"
    installed.install("--uninstall")
    assert (installed.home / ".gitconfig").read_text() == ""


def test_what_the_user_added_since_stays(installed: Machine) -> None:
    key = KEY.format("github.com")
    installed.run("git", "config", "--global", "--add", key, "cache")
    installed.install("--credential-helper")
    installed.run("git", "config", "--global", "--add", key, "store")
    ours = helpers(installed)[1]

    installed.install()
    assert helpers(installed) == ["", ours, "store"]

    said = installed.install("--uninstall").stdout
    assert f"{key} is as it was before, with what was added since" in said
    assert helpers(installed) == ["cache", "store"]


def test_what_the_user_set_since_stays(installed: Machine) -> None:
    installed.install("--credential-helper")
    key = KEY.format("github.com")
    installed.run("git", "config", "--global", "--replace-all", key, "cache")

    installed.install("--uninstall")

    assert helpers(installed) == ["cache"]
