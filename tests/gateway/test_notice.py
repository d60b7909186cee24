"""The standing notice: what it says, to whom, from which moment on and until when."""

from pathlib import Path

import pytest

from gh_p2pcache.gateway.notice import Notice
from gh_p2pcache.policy.freshness import EXACT_STALE
from gh_p2pcache.sim.faults import Fault
from support.engine import Bench
from support.gateway import Gateway
from support.sim import SimProcess
from support.wait import until

LABELS = "/repos/acme/widgets/labels"
OTHER = "/repos/acme/widgets/milestones"
AGE = "its answers may be up to 15 min old"


class Board:
    """An engine on a virtual clock with its notice; nothing but answers of GitHub moves it."""

    def __init__(self, directory: Path) -> None:
        self.bench = Bench(directory)
        self.path = directory / "notice"

    async def start(self) -> None:
        await self.bench.start()
        assert self.bench.house is not None
        self.notice = Notice(self.path, self.bench.house)
        self.notice.update()

    @property
    def line(self) -> str:
        """What the shim would print."""
        return self.path.read_text() if self.path.exists() else ""

    async def ask(self, target: str, token: str = "alice") -> str:
        """Ask in profile `exact`; returns where the answer is from."""
        return (await self.bench.ask(target, token=token, profile="exact")).source

    def fails(self, kind: str) -> None:
        self.bench.sim.faults.waiting.append(Fault(kind))

    def works(self) -> None:
        self.bench.sim.faults.waiting.clear()

    def limit(self, token: str, resource: str = "core", remaining: int = 0) -> None:
        sim = self.bench.sim
        named = sim.world.tokens[token]
        sim.limits.set(named, resource, sim.clock.now(), remaining=remaining, reset_in=600)


@pytest.fixture
async def board(tmp_path: Path) -> Board:
    made = Board(tmp_path)
    await made.start()
    return made


# --- Outages ---


async def test_an_outage_is_said_from_its_first_stale_answer_on_until_github_answers(
    board: Board,
) -> None:
    await board.ask(LABELS)
    assert board.line == ""

    board.fails("down")
    assert await board.ask(LABELS) == "STALE"
    assert board.line.startswith("GitHub could not be reached at ")
    assert board.line.endswith(f": {AGE}\n")

    board.works()
    assert await board.ask(LABELS) == "REVALIDATED"
    assert board.line == ""


async def test_a_write_that_passes_ends_it_too(board: Board) -> None:
    await board.ask(LABELS)
    board.fails("down")
    await board.ask(LABELS)
    assert board.line
    board.works()
    await board.bench.ask(LABELS, method="POST", body=b'{"name":"x","color":"ffffff"}')
    assert board.line == ""


async def test_a_bridged_failure_of_github_is_said_with_its_status(board: Board) -> None:
    await board.ask(LABELS)
    board.fails("status")
    assert await board.ask(LABELS) == "STALE"
    assert board.line.startswith("GitHub answered 502 at ")


async def test_a_failure_that_nothing_bridged_is_githubs_own_answer_and_no_more(
    board: Board,
) -> None:
    """gh says it; the next answer is none the older for it."""
    board.fails("status")
    assert await board.ask(LABELS) == "MISS"
    assert board.line == ""


async def test_a_script_whose_first_call_fails_knows_it_at_its_first_stale_one(
    board: Board,
) -> None:
    await board.ask(LABELS)
    board.fails("down")
    assert (await board.bench.ask(OTHER)).status == 502
    assert board.line.startswith("GitHub could not be reached at ")


async def test_an_outage_that_nobody_looked_after_is_over_when_nothing_is_left_to_bridge_it(
    board: Board,
) -> None:
    await board.ask(LABELS)
    board.fails("down")
    await board.ask(LABELS)
    board.bench.time.advance(EXACT_STALE - 1)
    board.notice.update()
    assert board.line
    board.bench.time.advance(2)
    board.notice.update()
    assert board.line == ""
    assert await board.ask(LABELS) != "STALE"


async def test_another_site_is_named_and_ends_by_its_own_answers(board: Board) -> None:
    assert board.bench.house is not None
    outages = board.bench.house.outages
    outages.failed("github.acme.example", "could not be reached")
    await board.ask(LABELS)
    assert board.line.startswith("github.acme.example could not be reached at ")
    outages.answered("github.acme.example")
    assert board.line == ""


# --- Limits ---


async def test_a_limit_is_said_before_the_answer_that_told_it_is_given(board: Board) -> None:
    await board.ask(LABELS)
    board.limit("alice")
    assert await board.ask(LABELS) == "STALE"
    assert board.line.startswith("GitHub limits one of this machine's tokens until ")


async def test_the_last_call_of_a_budget_says_so_already(board: Board) -> None:
    board.limit("alice", remaining=1)
    await board.ask(LABELS)
    assert " (core): " in board.line


async def test_the_line_claims_nothing_of_other_tokens_and_other_resources(board: Board) -> None:
    board.limit("alice", "search")
    await board.ask("/search/issues?q=repo:acme/widgets")
    assert await board.ask(LABELS, token="bob") == "MISS"
    assert "this account" not in board.line
    assert board.line.startswith("GitHub limits one of this machine's tokens until ")
    assert board.line.endswith(f" (search): {AGE}\n")


async def test_a_limit_and_an_outage_are_one_line(board: Board) -> None:
    await board.ask(LABELS)
    board.limit("alice")
    await board.ask(OTHER)
    board.fails("down")
    await board.ask(OTHER, token="bob")
    assert board.line.count("\n") == 1
    assert "GitHub limits one of this machine's tokens" in board.line
    assert "; GitHub could not be reached at " in board.line


# --- In the gateway ---


def test_the_line_is_there_when_the_first_stale_answer_is(
    gateway: Gateway, sim: SimProcess
) -> None:
    gateway.ask(LABELS, door="exact")
    sim.control(faults=[{"kind": "down"}])
    for _ in range(3):
        assert gateway.ask(LABELS, door="exact").source == "STALE"
        line = (gateway.run / "notice").read_text()
        assert line.startswith("GitHub could not be reached at ")
        assert gateway.control("GET", "/status")["notice"] == line.strip()
    sim.control(faults=[])
    assert gateway.ask(LABELS, door="exact").source == "REVALIDATED"
    assert not (gateway.run / "notice").exists()


def test_a_gateway_that_starts_anew_knows_no_outage(gateway: Gateway, sim: SimProcess) -> None:
    gateway.ask(LABELS, door="exact")
    sim.control(faults=[{"kind": "down"}])
    gateway.ask(LABELS, door="exact")
    gateway.kill()
    gateway.start()
    until(lambda: not (gateway.run / "notice").exists())
