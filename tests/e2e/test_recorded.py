"""What GitHub really answered, served through us: byte for byte, cold, warm and revalidated."""

from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from support.gateway import Gateway, GatewayFactory, Reply
from support.recordings import FILE, load
from support.sim import SimProcess

Row = dict[str, Any]

PASSES = (("cold", "ttl"), ("warm", "ttl"), ("revalidated", "exact"))
FIELDS = ("content-type", "link", "location", "last-modified", "content-disposition")


@dataclass
class Replaying:
    """A gateway in front of a sim that serves recordings: of one URL several, `step` by step."""

    gateway: Gateway
    sim: SimProcess

    def turn_to(self, step: int) -> list[Row]:
        """Forget what was kept, and return the recordings of this step."""
        self.gateway.control("POST", "/purge", {"all": True})
        self.sim.control(replay_step=step)
        seen: Counter[tuple[str, str, str]] = Counter()
        rows = []
        for row in load():
            key = (row["host"], row["target"], row["accept"])
            if seen[key] == step:
                rows.append(row)
            seen[key] += 1
        return rows

    def ask(self, row: Row, door: str, coding: str) -> Reply:
        headers = {"Accept": row["accept"], "Accept-Encoding": coding}
        return self.gateway.ask(row["target"], host=row["host"], door=door, headers=headers)


@pytest.fixture(scope="module")
def replaying(
    sim_factory: Callable[..., SimProcess], lasting_gateways: GatewayFactory
) -> Replaying:
    sim = sim_factory("--replay", str(FILE))
    return Replaying(lasting_gateways(f"unix://{sim.unix}"), sim)


def body(row: Row) -> bytes:
    return b64decode(row["base64"]) if "base64" in row else row["body"].encode()


def said(row: Row, name: str) -> str:
    return ", ".join(value for field, value in row["headers"] if field.lower() == name)


def test_the_recordings_are_of_all_kinds() -> None:
    rows = load()
    assert len(rows) >= 32
    assert {row["status"] for row in rows} == {200, 301, 302, 404}
    assert any("base64" in row for row in rows)


@pytest.mark.parametrize("coding", ["gzip", ""], ids=["gzip", "identity"])
@pytest.mark.parametrize("step", [0, 1])
def test_every_recording_is_served_as_it_was(replaying: Replaying, step: int, coding: str) -> None:
    rows = replaying.turn_to(step)
    sources: dict[str, Counter[str]] = {}
    for passed, door in PASSES:
        sources[passed] = Counter()
        for row in rows:
            reply = replaying.ask(row, door, coding)
            assert (reply.status, reply.plain) == (row["status"], body(row)), row["target"]
            for name in FIELDS:
                assert reply.field(name) == said(row, name), (row["target"], name)
            sources[passed][reply.source] += 1
    kept = [row for row in rows if row["status"] in {200, 301} and row["host"] == "api.github.com"]
    assert sources["cold"]["MISS"] >= len(kept) > 0
    assert sources["warm"]["HIT"] == len(kept)
    assert sources["revalidated"]["REVALIDATED"] == sum(bool(said(row, "etag")) for row in kept)
