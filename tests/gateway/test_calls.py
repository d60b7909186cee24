"""The line that `gh p2pcache api` prints about its call, whatever its pages were answered from."""

from pathlib import Path

import pytest

from gh_p2pcache.engine import answer
from gh_p2pcache.engine.answer import Answer
from gh_p2pcache.gateway.calls import Calls

ONE, OTHER = "12D3KooWone", "12D3KooWother"


def line(tmp_path: Path, *pages: Answer) -> str:
    calls = Calls(tmp_path)
    for page in pages:
        calls.note("id", "/repos/acme/site", page)
    return (tmp_path / "id").read_text()


def page(source: str, detail: str = "", age: int = 0) -> Answer:
    return Answer(200, (), b"", source, age=age, detail=detail)


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        ([page(answer.PEER, ONE, 4)], f"🌐 P2P shared: … (from {ONE}, 4 s old)"),
        (
            [page(answer.PEER, ONE, 4), page(answer.HIT), page(answer.PEER, OTHER, 9)],
            f"🌐 P2P shared: … (from {ONE} and {OTHER}, 9 s old, 3 pages)",
        ),
        ([page(answer.PEER, ONE), page(answer.PEER, ONE)], f"(from {ONE}, 0 s old, 2 pages)"),
        ([page(answer.PEER, ONE), page(answer.MISS)], "⚡ Cache miss: … (2 pages)"),
        ([page(answer.REVALIDATED), page(answer.PEER, ONE)], f"P2P shared: … (from {ONE}"),
    ],
)
def test_a_call_that_members_answered(tmp_path: Path, pages: list[Answer], said: str) -> None:
    told = line(tmp_path, *pages)
    assert told.startswith("info ")
    assert said.replace("…", "/repos/acme/site") in told


def test_a_stale_answer_is_a_warning_whoever_gave_the_other_pages(tmp_path: Path) -> None:
    told = line(tmp_path, page(answer.PEER, ONE), page(answer.STALE, "rate limit", 60))
    assert told == "warning 🔄 Stale cache: /repos/acme/site (60 s old, rate limit, 2 pages)\n"
