"""Several tokens on one machine: what each may be given of what another fetched."""

import base64

import pytest

from support.gateway import Gateway, GatewayFactory
from support.sim import SECRETS, SimProcess

ISSUES = "/repos/acme/private/issues"
COMMITS = "/repos/acme/private/commits"
LABELS = "/repos/acme/widgets/labels"


def calibrate(gateway: Gateway, *tokens: str) -> None:
    """Let each see one answer of its own, so that its kind of token's ETags can be told."""
    for token in tokens:
        assert gateway.ask("/repos/octo/hello/languages", token=token).status == 200


# --- Without a shared secret ---


def test_tokens_share_nothing(gateway: Gateway, sim: SimProcess) -> None:
    for token in ("alice", "bob", "carol", None):
        assert gateway.ask(LABELS, token=token).source == "MISS"
    assert sim.state()["billed"] == 4
    for token in ("alice", "bob", "carol", None):
        assert gateway.ask(LABELS, token=token).source == "HIT"
    assert gateway.records() == 4


def test_a_token_is_the_same_however_it_is_sent(gateway: Gateway, sim: SimProcess) -> None:
    secret = SECRETS["alice"]
    gateway.ask("/user")
    bearer = gateway.ask("/user", headers={"Authorization": f"Bearer {secret}"})
    assert (bearer.source, bearer.json["login"]) == ("HIT", "alice")
    basic = base64.b64encode(f"x:{secret}".encode()).decode()
    other = gateway.ask("/user", headers={"Authorization": f"Basic {basic}"})
    assert other.json["login"] == "alice"
    assert sim.calls() == 2


def test_who_sends_no_token_never_gets_what_a_token_fetched(gateway: Gateway) -> None:
    assert gateway.ask(ISSUES).status == 200
    for door in ("ttl", "exact"):
        assert gateway.ask(ISSUES, token=None, door=door).status == 404


def test_a_revoked_token_gets_githubs_401_and_loses_what_it_held(
    gateway: Gateway, sim: SimProcess
) -> None:
    gateway.ask("/user")
    gateway.ask(LABELS)
    sim.control(revoke=["alice"])
    assert gateway.ask("/user", door="exact").status == 401
    assert gateway.ask(LABELS).status == 401
    sim.control(faults=[{"kind": "down"}])
    assert gateway.ask(LABELS).status == 502


# --- With one ---


def test_another_token_is_given_a_record_after_its_own_free_proof(
    team_gateway: Gateway, sim: SimProcess
) -> None:
    calibrate(team_gateway, "job1")
    kept = team_gateway.ask(ISSUES)
    sim.control(reset="counters")
    proof = team_gateway.ask(ISSUES, token="job1")
    assert (proof.source, proof.plain) == ("REVALIDATED", kept.plain)
    assert sim.state()["billed"] == 0
    assert team_gateway.ask(ISSUES, token="job1").source == "HIT"
    other = team_gateway.ask("/repos/acme/private/issues/1", token="alice")
    assert team_gateway.ask("/repos/acme/private/issues/1", token="job1").body == other.body
    assert sim.state()["tokens"] == {"job1": 1, "alice": 1}


def test_the_next_jobs_token_costs_nothing_either(team_gateway: Gateway, sim: SimProcess) -> None:
    """Actions tokens change with every job; ETags are told from the kind of token."""
    calibrate(team_gateway, "job1")
    team_gateway.ask(ISSUES, token="job1")
    sim.control(reset="counters")
    assert team_gateway.ask(ISSUES, token="job2").source == "REVALIDATED"
    assert sim.state()["billed"] == 0


@pytest.mark.parametrize("token", ["mallory", None])
def test_who_has_no_access_gets_githubs_refusal(
    team_gateway: Gateway, sim: SimProcess, token: str | None
) -> None:
    assert team_gateway.ask(ISSUES).status == 200
    for door in ("ttl", "exact"):
        assert team_gateway.ask(ISSUES, token=token, door=door).status == 404
    sim.control(faults=[{"kind": "down"}])
    refused = team_gateway.ask(ISSUES, token=token, door="exact")
    assert (refused.status, b"private matter" in refused.plain) == (502, False)
    assert team_gateway.ask(ISSUES, door="exact").source == "STALE"


def test_access_to_one_class_is_none_to_another(team_gateway: Gateway, sim: SimProcess) -> None:
    """carol may read issues of acme/private, not its contents."""
    for target in (ISSUES, COMMITS):
        assert team_gateway.ask(target).status == 200
        team_gateway.ask(target, token="carol")
    assert team_gateway.ask(ISSUES, token="carol").source == "HIT"
    assert team_gateway.ask(COMMITS, token="carol").status == 403
    sim.control(faults=[{"kind": "down"}])
    assert team_gateway.ask(COMMITS, token="carol").status == 502


def test_proofs_outlive_a_restart_but_not_a_refusal(team_gateway: Gateway, sim: SimProcess) -> None:
    calibrate(team_gateway, "job1")
    team_gateway.ask(ISSUES)
    team_gateway.ask(ISSUES, token="job1")
    team_gateway.restart()
    assert team_gateway.ask(ISSUES, token="job1").source == "HIT"
    sim.control(revoke=["job1"])
    assert team_gateway.ask(ISSUES, token="job1", door="exact").status == 401
    assert team_gateway.ask(ISSUES, token="job1").status == 401
    assert team_gateway.ask(ISSUES, token="alice").source == "HIT"


def test_who_may_not_see_the_repository_any_more_gets_none_of_its_plain_fields(
    team_gateway: Gateway, sim: SimProcess
) -> None:
    query = '{ repository(owner: "acme", name: "widgets") { name description } }'
    assert team_gateway.graphql(query, token="alice").status == 200
    assert team_gateway.ask(LABELS, token="bob").status == 200
    assert team_gateway.graphql(query, token="bob").source == "HIT"

    sim.control(faults=[{"kind": "status", "status": 404, "match": "GET /repos/acme/widgets"}])
    assert team_gateway.ask("/repos/acme/widgets", token="bob", door="exact").status == 404

    assert team_gateway.graphql(query, token="bob").source == "MISS"
    assert team_gateway.graphql(query, token="alice").source == "HIT"


def test_a_refusal_withdraws_what_was_proven_record_by_record(
    team_gateway: Gateway, sim: SimProcess
) -> None:
    labels = "/repos/acme/private/labels"
    calibrate(team_gateway, "bob")
    team_gateway.ask(labels, token="alice")
    sim.control(grant={"token": "bob", "repo": "acme/private"})
    assert team_gateway.ask(labels, token="bob").status == 200
    assert team_gateway.ask(labels, token="bob").source == "HIT"

    sim.control(grant={"token": "bob", "repo": "acme/private", "classes": []})
    assert team_gateway.ask(labels, token="bob", door="exact").status == 404

    assert team_gateway.ask(labels, token="bob").status == 404
    team_gateway.restart()
    assert team_gateway.ask(labels, token="bob").status == 404
    sim.control(grant={"token": "bob", "repo": "acme/private"})
    assert team_gateway.ask(labels, token="bob").status == 200
    assert team_gateway.ask(labels, token="bob").source == "HIT", "proven anew"
    sim.control(faults=[{"kind": "down"}])
    assert team_gateway.ask(labels, token="bob").status == 200


def test_what_is_a_tokens_own_stays_its_own(team_gateway: Gateway) -> None:
    """Private routes, whatever the secret; and GitHub's words about one caller go to no other."""
    own = ["/user", "/notifications", "/repos/acme/widgets/releases"]
    for target in own:
        team_gateway.ask(target)
        assert team_gateway.ask(target, token="bob").source == "MISS"
    first = team_gateway.ask(LABELS)
    assert first.field("x-ratelimit-remaining")
    assert first.field("x-oauth-scopes") == "gist, read:org, repo, workflow"
    shared = team_gateway.ask(LABELS)
    assert shared.source == "HIT"
    about_the_caller = {"x-oauth-scopes", "x-ratelimit-remaining", "x-github-request-id"}
    assert not about_the_caller & {name for name, _ in shared.headers}


def test_only_the_named_repositories_are_shared(gateways: GatewayFactory, sim: SimProcess) -> None:
    gateway = gateways(
        f"unix://{sim.unix}", CACHE_P2P_SHARED_SECRET="p2pcache_x", CACHE_SHARE="octo/*,acme/WID*"
    )
    calibrate(gateway, "bob")
    for target, source in ((LABELS, "REVALIDATED"), ("/repos/acme/many/labels", "MISS")):
        gateway.ask(target)
        assert gateway.ask(target, token="bob").source == source


def test_a_fleet_of_equals_needs_no_proof(gateways: GatewayFactory, sim: SimProcess) -> None:
    gateway = gateways(
        f"unix://{sim.unix}", CACHE_P2P_SHARED_SECRET="p2pcache_x", CACHE_TRUST="team"
    )
    gateway.ask(ISSUES)
    sim.control(faults=[{"kind": "down"}])
    assert gateway.ask(ISSUES, token="job1").source == "HIT"
    assert gateway.ask(ISSUES, token="job1", door="exact").source == "STALE"


def test_another_secret_opens_nothing(gateways: GatewayFactory, sim: SimProcess) -> None:
    gateway = gateways(f"unix://{sim.unix}", CACHE_P2P_SHARED_SECRET="p2pcache_one")
    gateway.ask(ISSUES)
    gateway.stop()
    gateway.env["CACHE_P2P_SHARED_SECRET"] = "p2pcache_two"
    gateway.start()
    assert gateway.ask(ISSUES).source == "MISS"
    gateway.stop()
    gateway.env["CACHE_P2P_SHARED_SECRET"] = "p2pcache_one"
    gateway.start()
    assert gateway.ask(ISSUES).source == "HIT"


def test_an_unknown_etag_formula_costs_calls_and_nothing_else(
    team_gateway: Gateway, sim: SimProcess
) -> None:
    sim.control(etag_formula="other")
    calibrate(team_gateway, "job1")
    kept = team_gateway.ask(ISSUES)
    other = team_gateway.ask(ISSUES, token="job1")
    assert (other.source, other.plain) == ("MISS", kept.plain)
    assert team_gateway.ask(ISSUES, token="job1").source == "HIT"


# --- Other GitHubs ---


@pytest.mark.parametrize(
    ("host", "root"),
    [("ghes.example", "/api/v3"), ("ghes.example:8443", "/api/v3"), ("api.acme.ghe.com", "")],
)
def test_another_host_is_another_github(
    gateway: Gateway, sim: SimProcess, host: str, root: str
) -> None:
    elsewhere = {"host": host}
    for where in ({}, elsewhere):
        target = root + LABELS if where else LABELS
        assert [gateway.ask(target, **where).source for _ in range(2)] == ["MISS", "HIT"]
    body = b'{"name":"new","color":"ffffff"}'
    assert gateway.ask(root + LABELS, method="POST", body=body, **elsewhere).status == 201
    assert gateway.ask(LABELS).source == "HIT"
    assert b'"new"' in gateway.ask(root + LABELS, **elsewhere).plain
    assert {request["host"] for request in sim.state()["requests"]} == {"api.github.com", host}


def test_uploads_of_a_tenant_reach_its_own_records(gateway: Gateway) -> None:
    gateway.ask("/repos/acme/widgets/releases", host="api.acme.ghe.com")
    gateway.ask("/repos/acme/widgets/releases")
    gateway.ask(
        "/repos/acme/widgets/releases/1/assets?name=x", method="POST", host="uploads.acme.ghe.com",
        body=b"x",
    )  # fmt: skip
    assert gateway.ask("/repos/acme/widgets/releases").source == "HIT"


# --- A token that git saw refused ---


def test_a_forgotten_token_has_to_prove_its_access_anew(
    team_gateway: Gateway, sim: SimProcess
) -> None:
    team_gateway.ask(LABELS, token="alice")
    for target in (LABELS, "/user"):
        team_gateway.ask(target, token="bob")
        assert team_gateway.ask(target, token="bob").source == "HIT"
    team_gateway.ask("/user", token="alice")

    said = team_gateway.ask("/forget", method="POST", door="control", token="bob", body=b"{}")

    assert (said.status, said.json) == (200, {"removed": 1})
    calls = sim.calls()
    assert team_gateway.ask(LABELS, token="bob").source != "HIT"
    assert team_gateway.ask("/user", token="bob").source == "MISS"
    assert sim.calls() == calls + 2
    assert team_gateway.ask(LABELS, token="alice").source == "HIT"
    assert team_gateway.ask("/user", token="alice").source == "HIT"


def test_who_names_no_token_has_none_forgotten(gateway: Gateway) -> None:
    gateway.ask(LABELS, token=None)

    said = gateway.ask("/forget", method="POST", door="control", token=None, body=b"{}")

    assert said.status == 400
    assert gateway.records() == 1
