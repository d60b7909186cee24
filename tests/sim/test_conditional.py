"""Conditional requests: what is 304, what it costs, and the lies GitHub tells."""

import pytest

from gh_p2pcache.sim.sim import Sim
from support.ask import ask, field, still_sim

PAGE = "/repos/acme/many/issues?per_page=5&page=19"


@pytest.fixture
def sim_here() -> Sim:
    return still_sim()


@pytest.mark.parametrize("form", ['"{}"', 'W/"{}"', '"x", W/"{}"', "*"])
def test_not_modified_is_free(sim_here: Sim, form: str) -> None:
    first = ask(sim_here, "GET", "/repos/acme/widgets")
    opaque = field(first, "etag").strip('"')
    again = ask(sim_here, "GET", "/repos/acme/widgets", if_none_match=form.format(opaque))
    assert (again.status, again.body) == (304, b"")
    assert field(again, "etag") == f'"{opaque}"'
    assert field(again, "x-ratelimit-used") == field(first, "x-ratelimit-used") == "1"
    assert (sim_here.journal.billed, sim_here.journal.not_modified) == (1, 1)


def test_changed_is_answered_whole(sim_here: Sim) -> None:
    etag = field(ask(sim_here, "GET", "/repos/acme/widgets/issues/1"), "etag")
    ask(sim_here, "PATCH", "/repos/acme/widgets/issues/1", "bob", {"title": "Other"})
    again = ask(sim_here, "GET", "/repos/acme/widgets/issues/1", if_none_match=etag)
    assert again.status == 200
    assert b'"title":"Other"' in again.body


def test_an_error_has_no_validator(sim_here: Sim) -> None:
    missing = ask(sim_here, "GET", "/repos/acme/nothing", if_none_match="*")
    assert missing.status == 404
    assert not field(missing, "etag")


def test_link_comes_with_a_304(sim_here: Sim) -> None:
    first = ask(sim_here, "GET", "/repos/acme/many/issues")
    again = ask(sim_here, "GET", "/repos/acme/many/issues", if_none_match=field(first, "etag"))
    assert again.status == 304
    assert field(again, "link") == field(first, "link") != ""


@pytest.mark.parametrize("lie", [True, False])
def test_a_full_last_page_that_gains_a_successor(sim_here: Sim, *, lie: bool) -> None:
    sim_here.switches.last_page_lie = lie
    page = f"{PAGE}&direction=asc"
    last = ask(sim_here, "GET", page)
    assert 'rel="next"' not in field(last, "link")
    ask(sim_here, "POST", "/repos/acme/many/issues", body={"title": "One more"})
    again = ask(sim_here, "GET", page, if_none_match=field(last, "etag"))
    if lie:
        assert (again.status, field(again, "link")) == (304, "")
    else:
        assert again.status == 200
        assert 'rel="next"' in field(again, "link")


def test_if_modified_since_lies_within_a_second(sim_here: Sim) -> None:
    ask(sim_here, "PATCH", "/repos/acme/widgets/issues/1", body={"title": "First"})
    seen = ask(sim_here, "GET", "/repos/acme/widgets/issues/1")
    ask(sim_here, "PATCH", "/repos/acme/widgets/issues/1", body={"title": "Second"})
    since = field(seen, "last-modified")
    target = "/repos/acme/widgets/issues/1"
    assert ask(sim_here, "GET", target, if_modified_since=since).status == 304
    both = ask(sim_here, "GET", target, if_modified_since=since, if_none_match='"x"')
    assert both.status == 200


def test_head_is_get_without_a_body(sim_here: Sim) -> None:
    get, head = ask(sim_here, "GET", "/user"), ask(sim_here, "HEAD", "/user")
    assert head.body == b""
    for name in ("etag", "content-length", "content-type"):
        assert field(head, name) == field(get, name)
