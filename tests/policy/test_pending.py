"""Answers that are about to change."""

import json

import pytest

from gh_p2pcache.policy.pending import pending
from support.policy import asked, planned

DONE = {"status": "completed", "conclusion": "success"}
QUEUED = {"status": "queued", "conclusion": None}


@pytest.mark.parametrize(
    ("target", "body", "expected"),
    [
        ("/actions/runs", {"total_count": 1, "workflow_runs": [DONE]}, False),
        ("/actions/runs", {"total_count": 2, "workflow_runs": [DONE, QUEUED]}, True),
        ("/actions/runs", {"total_count": 0, "workflow_runs": []}, True),
        ("/actions/runs/1", DONE, False),
        ("/actions/runs/1", {"status": "a word of next year", "conclusion": None}, True),
        ("/actions/runs/1/jobs", {"jobs": [DONE | {"steps": [QUEUED]}]}, False),
        ("/actions/runs/1/jobs", {"jobs": [DONE | {"status": "waiting"}]}, True),
        ("/commits/main/check-runs", {"check_runs": []}, True),
        ("/commits/main/check-runs", {"check_runs": [DONE]}, False),
        ("/commits/main/check-suites", {"check_suites": [QUEUED]}, True),
        ("/commits/main/status", {"state": "pending", "statuses": []}, True),
        ("/commits/main/status", {"state": "success", "statuses": [{"state": "success"}]}, False),
        ("/commits/main/statuses", [], True),
        ("/commits/main/statuses", [{"state": "failure"}], False),
        ("/commits/main/statuses", [{"state": "success"}, {"state": "pending"}], True),
        ("/deployments/1/statuses", [{"state": "in_progress"}], True),
        ("/deployments/1/statuses", [{"state": "inactive"}], False),
        ("/pulls/1", {"state": "open", "mergeable": None, "mergeable_state": "unknown"}, True),
        ("/pulls/1", {"state": "open", "mergeable": True, "mergeable_state": "clean"}, False),
        ("/pulls/1", {"state": "open", "mergeable": True, "mergeable_state": "unknown"}, True),
        ("/pulls/1", {"state": "closed", "mergeable": None, "mergeable_state": "unknown"}, False),
        ("/actions/runs/1", {"status": {"odd": 1}, "state": ["queued"]}, False),
        ("/actions/runs/1", None, True),
    ],
)
def test_rest(target, body, expected):
    assert pending(planned(f"/repos/o/r{target}"), json.dumps(body).encode()) == expected


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff"])
def test_what_cannot_be_read_counts_as_pending(body):
    assert pending(planned("/repos/o/r/actions/runs"), body)


ROLLUP = """{repository(owner:"o",name:"r"){pullRequest(number:1){mergeable
  statusCheckRollup:commits(last:1){nodes{commit{statusCheckRollup{state
    contexts(first:9){nodes{__typename ... on CheckRun{how:status} ... on StatusContext{state}}}
  }}}}}}}"""


def pull(rollup, mergeable="MERGEABLE"):
    commits = {"nodes": [{"commit": {"statusCheckRollup": rollup}}]}
    found = {"mergeable": mergeable, "statusCheckRollup": commits}
    return {"data": {"repository": {"pullRequest": found}}}


GREEN = {"state": "SUCCESS", "contexts": {"nodes": [{"how": "COMPLETED"}, {"state": "SUCCESS"}]}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (pull(GREEN), False),
        (pull(GREEN, "UNKNOWN"), True),
        (pull(GREEN, "CONFLICTING"), False),
        (pull(None), True),
        (pull({"state": "PENDING"}), True),
        (pull({"state": "EXPECTED"}), True),
        (pull({"state": "SUCCESS", "contexts": {"nodes": []}}), True),
        (pull({"state": "SUCCESS", "contexts": {"checkRunCount": 3}}), False),
        (pull({"contexts": {"nodes": [{"how": "IN_PROGRESS"}]}}), True),
        (pull({"contexts": {"nodes": [{"how": "COMPLETED", "name": "QUEUED"}]}}), False),
    ],
)
def test_graphql_with_aliases(body, expected):
    """gh calls `commits` `statusCheckRollup` and has the field of that name within."""
    assert pending(asked(ROLLUP), json.dumps(body).encode()) == expected
