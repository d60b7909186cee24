"""verify: what is right, what is corrupt, what cannot be told."""

import json

import pytest

from gh_p2pcache.cli.verify import text
from support.machine import Machine
from support.sim import SECRETS
from support.wait import until

PATHS = ("user", "repos/acme/widgets", "repos/octo/hello")


@pytest.fixture
def full(running: Machine) -> Machine:
    """A machine that keeps a record of each of PATHS and nothing else."""
    running.do("purge", "--all", "--yes")
    for path in PATHS:
        running.api(path)
    until(lambda: len(running.records()) == len(PATHS), what="the records to be written")
    return running


def counts(machine: Machine, **env: str) -> tuple[int, dict[str, int]]:
    said = machine.do("verify", "--json", env=env)
    return said.exit_code, {name: n for name, n in json.loads(said.stdout).items() if n}


def test_whole_records_are_whole(full: Machine) -> None:
    assert counts(full) == (0, {"ok": 3})


def test_the_token_is_introduced_to_a_daemon_that_forgot_it(full: Machine) -> None:
    full.do("restart")

    assert counts(full) == (0, {"ok": 3})


def test_gits_credential_will_do(full: Machine) -> None:
    full.do("restart")
    helper = f"!f() {{ echo username=x; echo password={SECRETS['alice']}; }}; f"
    git = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "credential.helper"}

    assert counts(full, GH_TOKEN="", GIT_CONFIG_VALUE_0=helper, **git) == (0, {"ok": 3})


def test_records_of_an_unknown_token_are_counted_apart(full: Machine) -> None:
    full.do("restart")

    assert counts(full, GH_TOKEN=SECRETS["bob"]) == (0, {"unknown key": 3})


def test_one_flipped_bit_is_found_and_taken_away(full: Machine) -> None:
    victim = full.records()[1]
    blob = bytearray(victim.read_bytes())
    blob[len(blob) // 2] ^= 1
    victim.write_bytes(blob)

    assert counts(full) == (8, {"ok": 2, "corrupt": 1})
    assert not victim.exists()
    assert counts(full) == (0, {"ok": 2})


def test_for_people() -> None:
    said = text({"ok": 1234, "corrupt": 1})

    assert said.splitlines()[0].startswith("1,234  ok")
    assert "    1  corrupt  moved to quarantine" in said
    assert text({}) == "Nothing is kept."
