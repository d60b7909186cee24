"""Every command line of the real gh gets a sensible answer, and no document is unknown."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from support.capture import DATA
from support.commands import READS, WRITES, Command
from support.gh import GH, Gh, GhFactory
from support.sim import SECRETS, SimProcess

ROWS = json.loads(DATA.read_text())
KNOWN = {row["query"] for row in ROWS}
VERSIONS = {row["version"] for row in ROWS}


def run(gh: Gh, command: Command) -> str:
    """Return what was wrong with a command's end, nothing if it was right."""
    done = gh.run(*command.args, stdin=command.stdin)
    return "" if done.code == command.code else f"{command.name}: {done.code} {done.err}"


def graphql(request: dict[str, Any]) -> bool:
    return bool(request["target"] == "/graphql" and request["status"] == 200)


def test_all_command_lines(gh: Gh, sim: SimProcess) -> None:
    gh.socket = sim.unix
    gh.configure()
    reads = [command for command in READS if command.runs_in(gh.version)]
    assert len(reads) > 100
    with ThreadPoolExecutor(4) as pool:
        wrong = [*filter(None, pool.map(lambda command: run(gh, command), reads))]
    # writes build on one another
    wrong += [*filter(None, [run(gh, command) for command in WRITES])]
    assert wrong == []
    sent = [json.loads(r["body"])["query"] for r in sim.state()["requests"] if graphql(r)]
    if gh.version in VERSIONS:
        assert [query for query in sent if query not in KNOWN] == []


def test_lists_and_views_read_well(gh: Gh, sim: SimProcess) -> None:
    gh.socket = sim.unix
    gh.configure()
    said = {
        words: gh.run(*words.split(), "-R", "acme/widgets").out.decode()
        for words in ("pr list", "issue view 1", "pr checks 11", "release list", "label list")
    }
    assert "9\tAdd the feature\tfeature\tOPEN" in said["pr list"]
    assert "10\tFix größe\tfix-größe\tDRAFT" in said["pr list"]
    assert "labels:\tbug" in said["issue view 1"]
    assert "milestone:\tv2" in said["issue view 1"]
    assert "build\tpass\t1m35s" in said["pr checks 11"]
    assert "Widgets 1.1.0\tLatest\tv1.1.0" in said["release list"]
    assert "größe\tEverything about size\t#c5def5" in said["label list"]


def test_a_created_issue_is_listed(gh: Gh, sim: SimProcess) -> None:
    gh.socket = sim.unix
    gh.configure()
    made = gh.run("issue", "create", "-R", "acme/widgets", "--title", "Neu ✨", "--body", "b")
    assert made.out == b"https://github.com/acme/widgets/issues/12\n"
    assert "12\tOPEN\tNeu ✨" in gh.run("issue", "list", "-R", "acme/widgets").out.decode()


@pytest.mark.parametrize(
    ("host", "variable", "url"),
    [
        ("ghes.example", "GH_ENTERPRISE_TOKEN", "https://ghes.example/api/v3/users/alice"),
        ("tenant.ghe.com", "GH_TOKEN", "https://api.tenant.ghe.com/users/alice"),
    ],
)
def test_other_hosts_than_github_com(
    ghs: GhFactory, sim: SimProcess, host: str, variable: str, url: str
) -> None:
    newest = max(GH, key=lambda version: [int(part) for part in version.split(".")])
    if newest == "2.23.0" and host.endswith(".ghe.com"):
        pytest.skip("gh 2.23 takes *.ghe.com for a GHES host")
    more = {"GH_HOST": host, variable: SECRETS["alice"]}
    there = ghs(newest, socket=sim.unix, token=None, more=more)
    assert there.run("api", "user", "-q", ".url").out.decode() == f"{url}\n"
    assert b"9\tAdd the feature" in there.run("pr", "list", "-R", f"{host}/acme/widgets").out
