"""Lists of several pages: GitHub's links, and where its validators are known to lie."""

import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from support.gateway import Gateway, Reply
from support.sim import SimProcess

FIRST = "/repos/acme/many/issues?per_page=40"
_NEXT = re.compile(r'<([^<>]+)>; rel="next"')


def following(reply: Reply) -> str | None:
    """Return the target that an answer's Link calls the next page."""
    found = _NEXT.search(reply.field("link"))
    if found is None:
        return None
    url = urlsplit(found[1])
    return f"{url.path}?{url.query}"


def pages(gateway: Gateway, target: str | None, door: str = "ttl") -> Iterator[Reply]:
    while target is not None:
        reply = gateway.ask(target, door=door)
        yield reply
        target = following(reply)


def titles(replies: Iterator[Reply]) -> list[str]:
    return [issue["title"] for reply in replies for issue in reply.json]


def open_issue(sim: SimProcess, title: str) -> None:
    """Open an issue past the gateway, as somebody else does."""
    sent = json.dumps({"title": title}).encode()
    assert sim.request("POST", "/repos/acme/many/issues", token="bob", body=sent)[0] == 201


@pytest.fixture
def _bob_may_write(sim: SimProcess) -> None:
    sim.control(grant={"token": "bob", "repo": "acme/many"})


def test_links_lead_on_by_repository_id_and_every_page_is_kept(
    gateway: Gateway, sim: SimProcess
) -> None:
    cold = list(pages(gateway, FIRST))
    assert [len(reply.json) for reply in cold] == [40, 40, 15]
    assert "/repositories/" in cold[0].field("link")
    sim.control(reset="counters")
    assert [reply.body for reply in pages(gateway, FIRST)] == [reply.body for reply in cold]
    assert sim.calls() == 0
    again = list(pages(gateway, FIRST, "exact"))
    assert [reply.body for reply in again] == [reply.body for reply in cold]
    assert {reply.source for reply in again} == {"REVALIDATED"}


def test_a_write_by_name_reaches_the_pages_by_id(gateway: Gateway) -> None:
    before = titles(pages(gateway, FIRST))
    sent = json.dumps({"title": "Number 96"}).encode()
    gateway.ask("/repos/acme/many/issues", method="POST", body=sent)
    assert titles(pages(gateway, FIRST)) == ["Number 96", *before]


def test_a_write_by_id_reaches_the_pages_by_name(gateway: Gateway) -> None:
    before = titles(pages(gateway, FIRST))
    sent = json.dumps({"title": "Number 96"}).encode()
    made = gateway.ask("/repositories/500001003/issues", method="POST", body=sent)
    assert made.status == 201
    assert titles(pages(gateway, FIRST)) == ["Number 96", *before]


@pytest.mark.usefixtures("_bob_may_write")
def test_a_full_last_page_is_asked_for_without_a_condition(
    gateway: Gateway, sim: SimProcess
) -> None:
    """GitHub says 304 to its ETag, without a Link, when a page has come behind it."""
    last = "/repos/acme/many/issues?per_page=19&page=5&direction=asc"
    full = gateway.ask(last)
    assert (len(full.json), following(full)) == (19, None)
    open_issue(sim, "Number 96")
    now = gateway.ask(last, door="exact")
    assert "if-none-match" not in sim.state()["requests"][-1]["headers"]
    assert (now.json, len(titles(pages(gateway, following(now))))) == (full.json, 1)


@pytest.mark.usefixtures("_bob_may_write")
def test_no_later_page_is_from_before_the_first_ones_change(
    gateway: Gateway, sim: SimProcess
) -> None:
    """Page 1 is asked for anew, page 2 would still be fresh: its first item would come twice."""
    before = titles(pages(gateway, FIRST))
    open_issue(sim, "Number 96")
    first = gateway.ask(FIRST, headers={"X-P2PCache-Mode": "refresh"})
    rest = titles(pages(gateway, following(first)))
    assert [issue["title"] for issue in first.json] + rest == ["Number 96", *before]
