"""`gh p2pcache credential`, asked by git itself."""

import subprocess
import sys

import pytest

from support.gh import GH
from support.machine import Machine
from support.shells import CHECKOUT
from support.sim import SECRETS

US = f"!{CHECKOUT}/gh-p2pcache credential"
HOSTS = """\
github.com:
    user: alice
    oauth_token: gho_alice
ghe.example.com:
    user: bob
    oauth_token: gho_bob
"""


@pytest.fixture
def git(machine: Machine) -> Machine:
    """A machine whose gh is logged in to two hosts and whose git asks us."""
    del machine.env["GH_TOKEN"]
    (machine.gh_config / "hosts.yml").write_text(HOSTS)
    engine = machine.root / "python"
    engine.write_text(f'#!/bin/sh\nshift\nexec {sys.executable} "$@"\n')  # not -I: PYTHONPATH
    engine.chmod(0o755)
    machine.env |= {"GH_P2PCACHE_ENGINE": str(engine), "GIT_TERMINAL_PROMPT": "0"}
    machine.env["GIT_CONFIG_NOSYSTEM"] = "1"
    helpers(machine, US)
    return machine


def helpers(machine: Machine, *values: str) -> None:
    (machine.root / ".gitconfig").unlink(missing_ok=True)
    for value in values:
        add = ["git", "config", "--global", "--add", "credential.helper", value]
        subprocess.run(add, env=machine.env, check=True)


def script(machine: Machine, name: str, text: str) -> str:
    path = machine.root / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def credential(machine: Machine, operation: str, *rows: str) -> dict[str, str]:
    said = subprocess.run(
        ["git", "credential", operation],
        input="\n".join(["protocol=https", *rows, "", ""]),
        env=machine.env,
        cwd=machine.root,
        capture_output=True,
        text=True,
        check=False,
    )
    return dict(row.split("=", 1) for row in said.stdout.splitlines())


@pytest.mark.parametrize("version", sorted(GH))
@pytest.mark.parametrize(
    ("host", "token"), [("github.com", "gho_alice"), ("ghe.example.com", "gho_bob")]
)
def test_git_has_gh_s_token_of_each_host(git: Machine, version: str, host: str, token: str) -> None:
    (git.root / "bin").mkdir()
    (git.root / "bin/gh").symlink_to(GH[version])
    git.env["PATH"] = f"{git.root}/bin:{git.env['PATH']}"

    assert credential(git, "fill", f"host={host}")["password"] == token
    assert credential(git, "fill", f"host={host}", "path=o/r.git")["password"] == token


def test_a_user_that_gh_does_not_know_is_another_helpers(git: Machine) -> None:
    other = script(git, "other", "test $1 != get || printf 'username=carol\\npassword=theirs\\n'")
    url = "url=https://carol@github.com/acme/widgets.git"

    for order in ((US, other), (other, US)):
        helpers(git, *order)
        assert credential(git, "fill", url)["password"] == "theirs"
    helpers(git, US, other)
    assert credential(git, "fill", "host=github.com", "username=alice")["password"] == "gho_alice"


def test_a_host_that_gh_does_not_know_is_left_to_others(git: Machine) -> None:
    assert credential(git, "fill", "host=gitlab.example") == {}


def test_quit_reaches_git(git: Machine) -> None:
    (git.root / "bin").mkdir()
    script(git, "bin/gh", "echo quit=1")
    asked = git.root / "asked"
    helpers(git, US, script(git, "other", f"touch {asked}"))
    git.env["PATH"] = f"{git.root}/bin:{git.env['PATH']}"

    credential(git, "fill", "host=github.com")

    assert not asked.exists()


def test_store_keeps_nothing(git: Machine) -> None:
    before = sorted(git.root.rglob("*"))

    credential(git, "approve", "host=github.com", "username=x", "password=ghp_secret")
    credential(git, "reject", "host=github.com", "username=x", "password=ghp_secret")

    new = [path for path in sorted(git.root.rglob("*")) if path not in before]
    assert [path for path in new if path.is_file() and path.name != "device-id"] == []


def test_a_token_that_git_saw_refused_is_forgotten(git: Machine) -> None:
    alice, bob = ({"GH_TOKEN": SECRETS[name]} for name in ("alice", "bob"))
    git.do("start")
    for token in (alice, bob):
        git.env |= token
        git.do("explain", "user")
        git.api("user")
    assert len(git.records()) == 2

    credential(git, "reject", "host=github.com", "username=x", f"password={SECRETS['alice']}")

    assert len(git.records()) == 1
    calls = git.sim.calls()
    git.api("user")
    assert git.sim.calls() == calls, "bob's record is his still"
    git.env |= alice
    git.api("user")
    assert git.sim.calls() == calls + 1


def test_a_pipe_without_a_credential_is_no_error(git: Machine) -> None:
    assert git.do("credential", "erase", given="protocol=https\n\n").exit_code == 0
    assert not git.state.exists()


@pytest.mark.parametrize("operation", ["get", "store", "erase"])
def test_help_of_each(git: Machine, operation: str) -> None:
    said = subprocess.run(
        [CHECKOUT / "gh-p2pcache", "credential", operation, "--help"],
        env=git.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.stdout.startswith(f"Usage: gh p2pcache credential {operation}")


def test_an_operation_of_a_later_git_is_ignored(git: Machine) -> None:
    said = subprocess.run(
        [CHECKOUT / "gh-p2pcache", "credential", "capability"],
        env=git.env,
        input="protocol=https\nhost=github.com\n\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
