"""What never leaves the machine, in any scope, whoever asks for it elsewhere."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gh_p2pcache.store import head
from support.gateway import Reply
from support.owners import owned_by
from support.sim import SimProcess
from support.team import Daemon, wait

from .conftest import Team

WIDGETS = "/repos/acme/widgets"
PRIVATE = (
    "/user",
    "/user/repos",
    "/notifications",
    "/user/orgs",
    "/gists",
    f"{WIDGETS}/releases",
    f"{WIDGETS}/releases/latest",
    f"{WIDGETS}/issues/1/timeline",
    f"{WIDGETS}/issues/1/events",
    f"{WIDGETS}/pulls/9/reviews",
    f"{WIDGETS}/collaborators",
    f"{WIDGETS}/hooks",
    f"{WIDGETS}/subscription",
    "/orgs/acme",
    "/orgs/acme/repos",
    "/search/issues?q=widget",
    "/search/repositories?q=widget",
    "/users/alice",
    "/repos/octo/hello",
    "/repos/octo/hello/issues/1",
    "/repos/octo/hello/contents/README.md",
)
"""The last ones are of a repository that the team does not share."""

QUERIES = (
    "query { viewer { login } }",
    (
        'query { repository(owner: "acme", name: "widgets") { viewerPermission issue(number: 1)'
        " { title } } }"
    ),
    (
        'query { repository(owner: "acme", name: "widgets") { pullRequest(number: 9)'
        " { reviews(first: 5) { nodes { body } } } } }"
    ),
    (
        'query { repository(owner: "acme", name: "widgets") { releases(first: 5)'
        " { nodes { tagName isDraft } } } }"
    ),
    'query { search(query: "widget", type: ISSUE, first: 5) { issueCount } }',
    'query { repository(owner: "octo", name: "hello") { issue(number: 1) { title } } }',
    'query { me: user(login: "alice") { login } }',
)
SHARED = [f"{WIDGETS}/issues/{number}" for number in range(1, 9)]


@pytest.fixture(scope="module")
def pair(lasting_team: Team) -> Iterator[list[Daemon]]:
    """Two machines of a team that shares what is acme's."""
    return lasting_team(2, {"CACHE_SHARE": "acme/*"})


def query(one: Daemon, text: str, token: str) -> Reply:
    """Ask by GraphQL."""
    body = json.dumps({"query": text}).encode()
    more = {"Content-Type": "application/json"}
    return one.ask("/graphql", method="POST", token=token, headers=more, body=body)


def everything(one: Daemon, token: str) -> list[Reply]:
    """Ask for all that is private."""
    rest = [one.ask(target, token=token) for target in PRIVATE]
    return rest + [query(one, text, token) for text in QUERIES]


def records(one: Daemon) -> list[Path]:
    """Return the files of all records that a machine keeps."""
    return [path for path in (one.root / "cache/records").glob("*/*") if path.is_file()]


def test_nothing_private_is_announced_fetched_or_served(
    pair: list[Daemon], shared_sim: SimProcess
) -> None:
    one, other = pair
    asked = len(PRIVATE) + len(QUERIES)
    assert [reply.source for reply in everything(one, "alice")] == ["MISS"] * asked
    kept = records(one)
    assert len(kept) > asked / 2
    assert not any(head.peek_head(path.read_bytes())[0].signature for path in kept)

    for token in ("alice", "bob"):
        shared_sim.control(reset="counters")
        assert {reply.source for reply in everything(other, token)} == {"MISS"}
        assert shared_sim.calls() == asked
    given = [peer for machine in pair for peer in machine.peers()["peers"]]
    assert len(given) == 2
    assert all(not peer["records_in"] and not peer["records_out"] for peer in given)

    target = next(owned_by(one, pair, SHARED))
    one.ask(target)
    assert other.ask(target, token="bob").source == "REVALIDATED"
    wait(lambda: other.peers()["peers"][0]["records_in"] == 1, 30, other)


def test_no_machine_writes_down_what_it_was_asked_or_given(pair: list[Daemon]) -> None:
    one, other = pair
    words = (b"Widget is broken", b"acme/widgets", b"not-a-secret", b"p2pcache_tests", b"viewer")
    for machine in (one, other):
        everything(machine, "alice")
        for path in machine.root.rglob("*"):
            if path.is_file() and path.name != "daemon.log":
                data = path.read_bytes()
                assert [word for word in words if word in data] == [], path
        assert not any(word.decode() in machine.log() for word in words)
