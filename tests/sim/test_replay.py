"""Recorded answers of the real GitHub come back byte for byte, with validators of their own."""

import json
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest

from support.recordings import FILE, load
from support.sim import SimProcess

ROWS = load()


@pytest.fixture(scope="module")
def replaying(sim_factory: Callable[..., SimProcess]) -> SimProcess:
    return sim_factory("--replay", str(FILE))


def step(row: dict[str, Any]) -> int:
    """Which recording of its URL a row is."""
    same = [r for r in ROWS if all(r[k] == row[k] for k in ("host", "target", "accept"))]
    return same.index(row)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['scenario']} {row['target'][-40:]}")
def test_a_recording_is_served_again(replaying: SimProcess, row: dict[str, Any]) -> None:
    replaying.control(replay_step=step(row))
    sent = {"accept": row["accept"]}
    answer = replaying.request("GET", row["target"], token="alice", headers=sent, host=row["host"])
    status, headers, body = answer
    expected = b64decode(row["base64"]) if "base64" in row else row["body"].encode()
    assert (status, body) == (row["status"], expected)
    recorded = {name.lower(): value for name, value in row["headers"]}
    for name in ("content-type", "content-length", "link", "location", "last-modified"):
        assert headers.get(name) == recorded.get(name), name
    assert {name.lower() for name in headers} >= recorded.keys() - {"connection"}
    if status != 200 or "etag" not in recorded or row["host"] != "api.github.com":
        return
    again = replaying.request(
        "GET",
        row["target"],
        token="alice",
        headers=sent | {"If-None-Match": headers["etag"]},
        host=row["host"],
    )
    assert (again[0], again[2]) == (304, b"")


def test_nothing_else_is_there(replaying: SimProcess) -> None:
    status, _, body = replaying.request("GET", "/repos/acme/widgets", token="alice")
    assert (status, json.loads(body)["message"]) == (404, "Not Found")
