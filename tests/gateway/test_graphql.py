"""GraphQL as gh sends it: queries are kept, mutations pass and bury, errors never stay."""

import json
from collections.abc import Iterator

import pytest

from support.gateway import Gateway, GatewayFactory, Reply
from support.origin import Asked, ScriptedOrigin, answer
from support.sim import SimProcess
from support.wait import until

ISSUE = (
    "query Issue($owner: String!, $name: String!, $number: Int!) "
    "{ repository(owner: $owner, name: $name) { issue(number: $number) { id title state } } }"
)
FIRST = {"owner": "acme", "name": "widgets", "number": 1}
RENAME = (
    "mutation Rename($id: ID!, $title: String!) "
    "{ updateIssue(input: {id: $id, title: $title}) { issue { id } } }"
)
VIEWER = "{ viewer { login } }"


def issue(reply: Reply) -> dict[str, str]:
    found: dict[str, str] = reply.json["data"]["repository"]["issue"]
    return found


# --- What is one question ---


def test_a_query_is_asked_once(gateway: Gateway, sim: SimProcess) -> None:
    first, second = gateway.graphql(ISSUE, FIRST), gateway.graphql(ISSUE, FIRST)
    assert (first.source, second.source) == ("MISS", "HIT")
    assert second.body == first.body
    assert issue(second)["title"] == "Widget is broken"
    assert sim.calls() == 1


def test_layout_and_the_order_of_variables_make_no_other_question(
    gateway: Gateway, sim: SimProcess
) -> None:
    gateway.graphql(ISSUE, FIRST)
    spread = ISSUE.replace(" { ", "\n  {\n    ").replace("id title", "id,\n title # said\n")
    backwards = dict(reversed(FIRST.items()))
    assert gateway.graphql(spread, backwards).source == "HIT"
    assert sim.calls() == 1


def test_other_variables_and_fields_are_another_question(gateway: Gateway) -> None:
    gateway.graphql(ISSUE, FIRST)
    assert issue(gateway.graphql(ISSUE, FIRST | {"number": 2}))["title"].startswith("Größe")
    more = gateway.graphql(ISSUE.replace("state", "state body"), FIRST)
    assert (more.source, "body" in issue(more)) == ("MISS", True)


def test_chunked_documents_are_understood(gateway: Gateway) -> None:
    """gh sends what it reads from stdin so."""
    sent = json.dumps({"query": VIEWER}).encode()
    replies = [
        gateway.ask("/graphql", method="POST", body=iter([sent[:9], sent[9:]])) for _ in range(2)
    ]
    assert [reply.source for reply in replies] == ["MISS", "HIT"]
    assert replies[1].json["data"]["viewer"]["login"] == "alice"


@pytest.mark.parametrize("length", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_a_document_that_is_cut_off_is_not_sent(
    gateways: GatewayFactory, origin: ScriptedOrigin, length: str
) -> None:
    gateway = gateways(origin.upstream)
    with gateway.connect() as connection:
        head = f"POST /graphql HTTP/1.1\r\nHost: api.github.com\r\n{length}\r\n\r\n"
        connection.sendall(head.encode() + (b"2\r\n{}\r\n" if "chunked" in length else b"{}"))
    until(lambda: gateway.stats().get("broken_off") == 1)
    assert origin.asked == []


# --- Writes ---


def rename(gateway: Gateway, title: str) -> None:
    named = issue(gateway.graphql(ISSUE, FIRST))["id"]
    reply = gateway.graphql(RENAME, {"id": named, "title": title})
    assert (reply.status, reply.source) == (200, "BYPASS")
    assert "errors" not in reply.json


def test_a_mutation_passes_and_the_next_query_sees_it(gateway: Gateway) -> None:
    rename(gateway, "Renamed")
    assert issue(gateway.graphql(ISSUE, FIRST))["title"] == "Renamed"


def test_a_mutation_reaches_what_rest_keeps(gateway: Gateway) -> None:
    for target in ("/repos/acme/widgets/issues", "/search/issues?q=repo:acme/widgets+Renamed"):
        gateway.ask(target)
    rename(gateway, "Renamed")
    assert b'"Renamed"' in gateway.ask("/repos/acme/widgets/issues").plain
    found = gateway.ask("/search/issues?q=repo:acme/widgets+Renamed")
    assert found.json["total_count"] == 1


def test_a_rest_write_reaches_what_graphql_keeps(gateway: Gateway) -> None:
    gateway.graphql(ISSUE, FIRST)
    gateway.ask("/repos/acme/widgets/issues/1", method="PATCH", body=b'{"title":"By REST"}')
    assert issue(gateway.graphql(ISSUE, FIRST))["title"] == "By REST"


def test_a_mutation_leaves_other_repositories_alone(gateway: Gateway) -> None:
    gateway.ask("/repos/octo/hello/labels")
    rename(gateway, "Renamed")
    assert gateway.ask("/repos/octo/hello/labels").source == "HIT"


def test_a_mutation_that_names_what_was_never_seen_may_change_anything(
    gateways: GatewayFactory, origin: ScriptedOrigin
) -> None:
    """An issue moves from a repository that is known to one whose id no answer has shown."""
    listed = (
        'query($name: String!) { repository(owner: "a", name: $name) { issues { nodes { id } } } }'
    )
    move = "mutation($i: TransferIssueInput!) { transferIssue(input: $i) { issue { id } } }"
    issue = '{"data":{"repository":{"issues":{"nodes":[{"id":"I_kwDO%s1"}]}}}}'
    moved = b'{"data":{"transferIssue":{"issue":{"id":"I_kwDOdd2"}}}}'

    def told(asked: Asked) -> Iterator[bytes]:
        sent = json.loads(asked.body)
        if sent["query"].startswith("mutation"):
            return iter([answer(200, moved)])
        return iter([answer(200, (issue % sent["variables"]["name"]).encode())])

    origin.answers = told
    gateway = gateways(origin.upstream)
    for name in ("here", "there"):
        assert gateway.graphql(listed, {"name": name}).source == "MISS"

    named = {"issueId": "I_kwDOhere1", "repositoryId": "R_kgDOdd"}
    assert gateway.graphql(move, {"i": named}).status == 200

    for name in ("here", "there"):
        assert gateway.graphql(listed, {"name": name}).source == "MISS"


def test_what_is_not_understood_passes_and_buries_all(gateway: Gateway, sim: SimProcess) -> None:
    gateway.ask("/user")
    reply = gateway.ask("/graphql", method="POST", body=b'{"query": "{ nonsense"}')
    assert reply.source == "BYPASS"
    sim.control(reset="counters")
    gateway.ask("/user")
    assert sim.calls() == 1


# --- Who sees what ---


def test_what_asks_for_the_viewer_is_the_tokens_own(team_gateway: Gateway) -> None:
    for token in ("alice", "bob", "alice", "bob"):
        said = team_gateway.graphql(VIEWER, token=token)
        assert said.json["data"]["viewer"]["login"] == token


def test_a_shared_answer_is_for_who_proved_access(team_gateway: Gateway, sim: SimProcess) -> None:
    private = FIRST | {"name": "private"}
    assert issue(team_gateway.graphql(ISSUE, private))["title"] == "A private matter"
    refused = team_gateway.graphql(ISSUE, private, token="mallory")
    assert refused.json["data"]["repository"] is None
    allowed = team_gateway.graphql(ISSUE, private, token="carol")
    assert (issue(allowed)["title"], allowed.source) == ("A private matter", "MISS")
    sim.control(reset="counters")
    assert team_gateway.graphql(ISSUE, private, token="carol").source == "HIT"
    assert sim.calls() == 0


# --- What never stays ---

ERRORS = {
    "an error": b'{"errors":[{"message":"Something went wrong"}]}',
    "half an answer": b'{"data":{"viewer":{"login":null}},"errors":[{"message":"timeout"}]}',
    "a limit": b'{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}',
    "no data": b'{"data":null}',
    "no JSON": b"<html>Unicorn!</html>",
}


@pytest.mark.parametrize("said", ERRORS.values(), ids=ERRORS.keys())
def test_an_error_is_handed_on_and_never_kept(
    gateways: GatewayFactory, origin: ScriptedOrigin, said: bytes
) -> None:
    gateway = gateways(origin.upstream)
    origin.says(answer(200, said))
    reply = gateway.graphql(VIEWER)
    assert (reply.status, reply.body) == (200, said)
    assert gateway.records() == 0


def test_errors_do_not_replace_what_is_kept(
    gateways: GatewayFactory, origin: ScriptedOrigin
) -> None:
    """Nor are they given where something stale can be: a limit is bridged, an error is not."""
    gateway = gateways(origin.upstream)
    good = b'{"data":{"viewer":{"login":"alice"}}}'
    limit = answer(200, ERRORS["a limit"], ("X-RateLimit-Remaining", "0"))
    origin.says(answer(200, good), limit)
    gateway.graphql(VIEWER)
    again = {"X-P2PCache-Mode": "refresh"}
    assert (gateway.graphql(VIEWER, headers=again).body) == good
    assert gateway.graphql(VIEWER, headers=again).source == "STALE"


# --- gh's own cache above us (X-GH-CACHE-TTL) ---

PINNED = {"X-GH-CACHE-TTL": "24h0m0s"}


def test_ghs_own_ttl_shortens_ours(gateway: Gateway) -> None:
    gateway.graphql(VIEWER)
    assert gateway.graphql(VIEWER, headers=PINNED).source == "HIT"
    assert gateway.graphql(VIEWER, headers={"X-GH-CACHE-TTL": "0s"}).source == "MISS"
    until(lambda: gateway.graphql(VIEWER, headers={"X-GH-CACHE-TTL": "1s"}).source == "MISS")


@pytest.mark.parametrize("value", ["soon", "-1s", "24h", "1h30m", "99999999h"])
def test_any_value_of_it_is_survived_and_none_goes_to_github(
    gateway: Gateway, sim: SimProcess, value: str
) -> None:
    assert gateway.graphql(VIEWER, headers={"X-GH-CACHE-TTL": value}).status == 200
    assert "x-gh-cache-ttl" not in sim.state()["requests"][-1]["headers"]


@pytest.mark.parametrize(
    "trouble",
    [{"limits": [{"token": "alice", "resource": "graphql", "remaining": 0}]},
     {"secondary": {"token": "alice", "seconds": 60}},
     {"faults": [{"kind": "down"}]}],
    ids=["primary limit", "secondary limit", "outage"],
)  # fmt: skip
def test_nothing_is_given_that_gh_would_pin_for_a_day(
    gateway: Gateway, sim: SimProcess, trouble: dict[str, object]
) -> None:
    """gh keeps any answer below 500 but 403: what is not GitHub's own fresh word becomes 503."""
    gateway.graphql(VIEWER)
    sim.control(**trouble)
    refreshing = {"X-P2PCache-Mode": "refresh"}
    assert gateway.graphql(VIEWER, headers=refreshing).source == "STALE"
    for _ in range(2):
        assert gateway.graphql(VIEWER, headers=PINNED | {"Cache-Control": "no-cache"}).status == 503


def test_githubs_own_fresh_error_is_given_all_the_same(gateway: Gateway) -> None:
    """Plain gh would have got, and kept, the same."""
    missing = gateway.ask("/repos/acme/nothing", headers=PINNED)
    assert (missing.status, missing.json["message"]) == (404, "Not Found")


# --- Status ---


def test_a_status_is_current_in_profile_exact(gateway: Gateway, sim: SimProcess) -> None:
    rollup = (
        '{ repository(owner: "acme", name: "widgets") { pullRequest(number: 9) '
        "{ commits(last: 1) { nodes { commit { statusCheckRollup { state } } } } } } }"
    )
    for _ in range(2):
        gateway.graphql(rollup, door="exact")
    assert sim.calls() == 2
