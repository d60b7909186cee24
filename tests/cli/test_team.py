"""team: create, invite, join, list, leave, rotate, trust, untrust; and the daemon is told."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gh_p2pcache import settings
from gh_p2pcache.cli.main import commands
from gh_p2pcache.teams import load_teams, memberships
from support.small_daemon import SmallDaemon, small_daemon

PEER = "12D3KooW9pP4Seg3kZYhySpuVjn1RPdQBsUFZKiFxGMGQN5MeL6A"
TAKEN_OVER = "The daemon has taken it over.\n"


@pytest.fixture
def daemon() -> Iterator[SmallDaemon]:
    with small_daemon() as small:
        yield small


def do(state: Path, *arguments: str, given: str = "", **more: str) -> Result:
    env: dict[str, str | None] = dict.fromkeys(os.environ)
    # No keyring of the machine that the tests run on.
    env |= {"CACHE_STATE_DIR": str(state), "HOME": str(state), "TZ": "UTC"}
    env |= {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring", **more}
    return CliRunner().invoke(
        commands, ["team", *arguments], input=given, env=env, prog_name="gh p2pcache"
    )


def listed(state: Path) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(do(state, "list", "--json").stdout)
    return rows


def test_from_creation_to_a_second_machine(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"

    made = do(one, "create", "acme", "--share", "acme/*", "--share", "octo/hello")
    assert made.exit_code == 0, made.output
    assert made.stdout.startswith("Team acme shares acme/*, octo/hello. Its secret is in a file")
    assert "gh p2pcache team invite acme" in made.stdout

    word = do(one, "invite").stdout
    assert re.fullmatch(r"p2pcacheinvite_\w+\n", word)
    for arguments in (["join"], ["join", "-"], ["join", word.strip()]):
        said = do(other, *arguments, given=word if len(arguments) < 2 or "-" in arguments else "")
        assert said.exit_code == 0, said.output
        assert "Shared with its members: acme/*, octo/hello." in said.stdout
        assert word.strip() not in said.output
    (here,), (there,) = listed(one), listed(other)
    assert there == here | {"joined": there["joined"]}
    row = do(other, "list").stdout.splitlines()[1]
    assert re.split(r"  +", row)[:2] == ["acme", "acme/*, octo/hello"]


def test_a_machine_joins_those_that_have_a_bare_secret(tmp_path: Path) -> None:
    said = do(tmp_path, "join", "--secret", "fleet", "--share", "acme/*", given="correct horse\n")
    assert said.exit_code == 0, said.output
    assert "This machine is in team fleet." in said.stdout
    assert "correct horse" not in said.output
    (team,) = load_teams(settings.load({"CACHE_STATE_DIR": str(tmp_path)}, {}), pytest.fail)
    assert (team.secret, team.share) == ("correct horse", ("acme/*",))

    again = do(tmp_path, "join", "--secret", "fleet", "--share", "octo/*", given="correct horse")
    assert "is in team fleet already; what it shares was renewed" in again.stdout
    assert listed(tmp_path)[0]["share"] == ["octo/*"]
    other = do(tmp_path, "join", "--secret", "fleet", "--share", "acme/*", given="other")
    assert other.exit_code == 2
    assert "in a team 'fleet' of another secret" in other.stderr
    invited = do(tmp_path, "invite", "fleet")
    assert invited.exit_code == 2
    assert "was joined by its secret" in invited.stderr


def test_a_bare_secret_comes_with_what_it_shares(tmp_path: Path) -> None:
    for arguments in (["--secret", "fleet"], ["--share", "acme/*"]):
        said = do(tmp_path, "join", *arguments, given="x")
        assert said.exit_code == 2
        assert "--secret and --share go together" in said.stderr


def test_no_command_prints_the_secret_but_in_an_invite(tmp_path: Path) -> None:
    do(tmp_path, "create", "acme", "--share", "acme/*")
    secret = memberships(tmp_path, pytest.fail)[0].team.secret
    said = [do(tmp_path, *words) for words in (["list"], ["list", "--json"], ["rotate"])]
    said.append(do(tmp_path, "invite"))
    assert secret not in "".join(result.output for result in said)


def test_what_is_shared_must_be_named(tmp_path: Path) -> None:
    said = do(tmp_path, "create", "acme")
    assert said.exit_code == 2
    assert "Missing option '--share'" in said.stderr
    assert listed(tmp_path) == []


def test_patterns_are_of_the_host_that_gh_is_told_of(tmp_path: Path) -> None:
    share = ["--share", "acme/*,octo/x", "--share", "github.com/a/b"]
    created = do(tmp_path, "create", "acme", *share, GH_HOST="github.acme.dev")
    named = "github.acme.dev/acme/*, github.acme.dev/octo/x, github.com/a/b"
    assert f"shares {named}." in created.stdout
    secret = ["--secret", "all", "--share", "*"]
    joined = do(tmp_path, "join", *secret, given="correct horse", GH_HOST="github.acme.dev")
    assert "Shared with its members: *." in joined.stdout


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda word: word[:-4], "this invite is damaged"),
        (lambda word: word.replace("_", "_2", 1), "this invite is damaged"),
        (lambda _: "hello", "this is not an invite"),
        (lambda _: "", "this is not an invite"),
    ],
)
def test_an_invite_that_did_not_come_through_is_refused(
    tmp_path: Path, change: object, why: str
) -> None:
    do(tmp_path / "one", "create", "acme", "--share", "acme/*")
    word = do(tmp_path / "one", "invite").stdout.strip()
    assert callable(change)

    said = do(tmp_path / "other", "join", given=change(word))

    assert said.exit_code == 2
    assert said.stderr.startswith(f"gh-p2pcache: {why}")
    assert said.stderr.count("\n") == 1
    assert listed(tmp_path / "other") == []


def test_every_change_is_given_to_a_running_daemon_with_its_own_environment(
    daemon: SmallDaemon,
) -> None:
    changing = (
        ["create", "acme", "--share", "acme/*"],
        ["rotate", "--grace", "1d"],
        ["untrust", PEER],
        ["trust", PEER],
        ["trust", "--only", PEER],
        ["trust", "--all"],
        ["invite", "--bootstrap", "/ip4/192.0.2.7/tcp/9100"],
        ["leave", "acme"],
    )
    for number, arguments in enumerate(changing, 1):
        said = do(daemon.state, *arguments)
        assert said.exit_code == 0, said.output
        assert TAKEN_OVER in said.output
        assert len(daemon.restarts) == number
    assert all("env" not in restart for restart in daemon.restarts)

    for arguments in (["list"], ["list", "--json"]):
        assert TAKEN_OVER not in do(daemon.state, *arguments).output


def test_an_invite_in_a_pipe_is_the_invite_alone(daemon: SmallDaemon) -> None:
    do(daemon.state, "create", "acme", "--share", "acme/*")
    said = do(daemon.state, "invite", "--bootstrap", "/ip4/192.0.2.7/tcp/9100")
    assert re.fullmatch(r"p2pcacheinvite_\w+\n", said.stdout)


def test_rotation_says_what_to_hand_out(tmp_path: Path) -> None:
    do(tmp_path, "create", "acme", "--share", "acme/*")

    said = do(tmp_path, "rotate").stdout
    assert "what the old one sealed is readable for 7 d more" in said
    assert "gh p2pcache team invite acme" in said
    assert "file, the old one until" in do(tmp_path, "list").stdout
    assert listed(tmp_path)[0]["rotations"] == 1

    assert "readable no longer" in do(tmp_path, "rotate", "acme", "--grace", "0").stdout
    assert listed(tmp_path)[0]["old_secret_until"] is None

    said_no = do(tmp_path, "rotate", "--grace", "soon")
    assert (said_no.exit_code, listed(tmp_path)[0]["rotations"]) == (2, 2)
    assert "--grace takes a duration" in said_no.stderr


def test_with_several_teams_one_must_be_named(tmp_path: Path) -> None:
    assert "there is none" in do(tmp_path, "invite").stderr
    for name in ("acme", "web"):
        do(tmp_path, "create", name, "--share", f"{name}/*")
    said = do(tmp_path, "invite")
    assert (said.exit_code, "say which team (acme, web)" in said.stderr) == (2, True)

    assert do(tmp_path, "untrust", PEER, "--team", "web").exit_code == 0
    assert [row["untrusted"] for row in listed(tmp_path)] == [[], [PEER]]
    assert do(tmp_path, "untrust", PEER).exit_code == 0
    assert [row["untrusted"] for row in listed(tmp_path)] == [[PEER], [PEER]]
    assert "every member but 1" in do(tmp_path, "list").stdout


@pytest.mark.parametrize("arguments", [[], ["--only"], ["--all", PEER], ["--all", "--only"]])
def test_trust_says_whom(tmp_path: Path, arguments: list[str]) -> None:
    do(tmp_path, "create", "acme", "--share", "acme/*")
    said = do(tmp_path, "trust", *arguments)
    assert (said.exit_code, "takes PEER, --only PEER or --all" in said.stderr) == (2, True)


def test_a_fingerprint_tells_whether_the_secret_is_the_same(tmp_path: Path) -> None:
    here, there, other = (tmp_path / name for name in ("here", "there", "other"))
    for machine in (here, other):
        do(machine, "create", "acme", "--share", "acme/*")
    invite = do(here, "invite", "acme").stdout.split()[-1]
    assert do(there, "join", invite).exit_code == 0

    prints = [listed(machine)[0]["fingerprint"] for machine in (here, there, other)]

    assert prints[0] == prints[1] != prints[2]
    assert prints[0] in do(there, "list").stdout


def test_the_bare_secret_is_listed_last(tmp_path: Path) -> None:
    said = do(tmp_path, "list", CACHE_P2P_SHARED_SECRET="hunter2", CACHE_SHARE="octo/*")
    assert re.split(r"  +", said.stdout.splitlines()[1])[:2] == ["shared", "octo/*"]
    assert "hunter2" not in said.output
    assert "in no team" in do(tmp_path, "list").stdout
