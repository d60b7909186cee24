"""The dashboard as a browser shows it: its figures, live, in both schemes, narrow, by keyboard."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from support import browser as browsers
from support.browser import Browser, Tab
from support.gateway import Gateway

pytestmark = pytest.mark.skipif(
    browsers.find() is None, reason="no Chromium here (on Debian: apt-get install chromium)"
)

LABELS = "/repos/acme/widgets/labels"
DRAWN = "document.querySelector('main:not([hidden])')?.dataset.drawn"
SOURCES = ("hit", "peer", "revalidated", "coalesced", "stale", "miss", "bypass")
ENTER, ESCAPE = ("Enter", 13), ("Escape", 27)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsers.running() as running:
        yield running


def url(gateway: Gateway) -> str:
    address: str = gateway.control("POST", "/dashboard", {})["url"]
    return address


def opened(gateway: Gateway, browser: Browser, **how: Any) -> Tab:
    tab = browser.tab(url(gateway), **how)
    tab.until(DRAWN)
    return tab


def shown(tab: Tab) -> dict[str, int]:
    """The answers by source on the page, and calls saved."""
    read = "Object.fromEntries([...document.querySelectorAll('[data-source]')]"
    read += ".map((e) => [e.dataset.source, Number(e.textContent.replaceAll(',', ''))]))"
    counts: dict[str, int] = tab.js(read)
    return counts | {"saved": int(tab.text("#saved").replace(",", ""))}


def told(gateway: Gateway) -> dict[str, int]:
    stats = gateway.control("GET", "/stats")
    counts = {source: stats["totals"].get(source, 0) for source in SOURCES}
    return counts | {"saved": stats["calls_saved"]}


def test_its_figures_are_those_of_stats_and_follow_them(gateway: Gateway, browser: Browser) -> None:
    for target in (LABELS, LABELS, "/user", "/rate_limit"):
        gateway.ask(target)
    gateway.ask(LABELS, door="exact")
    tab = opened(gateway, browser)

    assert shown(tab) == told(gateway)
    assert tab.text("#rate") == "40 %"
    assert tab.js("location.hash + location.search") == ""
    assert "of 5,000 left" in tab.text("#budgets")
    assert "GET /repos/{owner}/{repo}/labels" in tab.text("#routes")
    assert tab.js("document.querySelector('#chart svg').getAttribute('aria-label')") == (
        "2 of 5 calls saved"
    )
    assert tab.js("document.querySelectorAll('#calls tr').length") == 5

    gateway.ask("/zen")
    tab.until("document.querySelector('#calls tr').textContent.includes('/zen')")
    tab.until(
        f"document.querySelector('[data-source=miss]').textContent === '{told(gateway)['miss']}'"
    )
    assert shown(tab) == told(gateway)


def test_it_asks_nobody_else_and_breaks_no_rule(lasting_gateway: Gateway, browser: Browser) -> None:
    lasting_gateway.ask(LABELS)
    tab = opened(lasting_gateway, browser)
    tab.js("document.querySelector('[data-days=\"31\"]').click()")
    tab.until("document.querySelectorAll('#chart g').length === 31")

    asked = {urlsplit(e["request"]["url"]).netloc for e in tab.events("Network.requestWillBeSent")}
    assert len(asked) == 1
    assert tab.events("Runtime.exceptionThrown") == []
    assert [entry["entry"]["text"] for entry in tab.events("Log.entryAdded")] == []


def test_a_call_is_explained_by_keyboard(gateway: Gateway, browser: Browser) -> None:
    gateway.ask(LABELS)
    tab = opened(gateway, browser)
    tab.js("document.querySelector('#calls button').focus()")
    tab.press(*ENTER)
    tab.until("document.querySelector('dialog[open] dd')")
    why = tab.text("#why")
    assert f"GET https://api.github.com{LABELS}" in why
    assert "is answered from the cache" in why
    tab.press(*ESCAPE)
    tab.until("!document.querySelector('dialog[open]')")
    gateway.ask("/zen")
    tab.until("document.querySelectorAll('#calls tr').length === 2")
    assert LABELS in tab.js("document.activeElement.textContent")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1200])
def test_nothing_is_cut_off_in_either_scheme(
    lasting_gateway: Gateway, browser: Browser, width: int, scheme: str
) -> None:
    lasting_gateway.ask(
        "/repos/acme/many/issues?per_page=50&state=open&labels=a-rather-long-label-of-ours"
    )
    tab = opened(lasting_gateway, browser, width=width, scheme=scheme)
    assert tab.js("document.documentElement.scrollWidth") <= width
    back = tab.js("getComputedStyle(document.body).backgroundColor")
    assert (sum(json.loads(f"[{back[4:-1]}]")) < 200) == (scheme == "dark")
    small = "[...document.querySelectorAll('section')].filter((s) => s.scrollWidth > s.clientWidth)"
    assert tab.js(f"{small}.length") == 0


def test_what_comes_from_outside_is_text(lasting_gateway: Gateway, browser: Browser) -> None:
    lasting_gateway.ask("/repos/<img%20src=x%20onerror=alert(1)>/<b>x</b>")
    tab = opened(lasting_gateway, browser)
    assert "<b>x</b>" in tab.text("#calls")
    assert tab.js("document.querySelectorAll('main img, main b:not([id])').length") == 0


def test_peers_are_drawn_with_what_they_exchange(
    lasting_gateway: Gateway, browser: Browser
) -> None:
    tab = opened(lasting_gateway, browser)
    peer = {"scopes": ["acme"], "rtt": 0.004, "records_in": 12, "records_out": 3, "banned": False,
            "bytes_in": 40_960, "bytes_out": 100, "why": ""}  # fmt: skip
    peers = [peer | {"id": f"12D3Koo{n}abcdef{n}", "bytes_in": 40_960 * n} for n in range(3)]
    peers += [peer | {"id": "12D3KooBANNED", "banned": True, "why": "forged"}]
    made = f"import('./charts.js').then((c) => c.peerMap({json.dumps(peers)}).outerHTML)"
    drawn = tab.js(made)
    assert drawn.count("<circle") == 5
    assert "…bcdef2: 80.0 KiB in, 100 B out" in drawn
    assert 'stroke-width="6"' in drawn


def test_a_used_address_is_refused(lasting_gateway: Gateway, browser: Browser) -> None:
    address = url(lasting_gateway)
    first = browser.tab(address)
    first.until(DRAWN)
    first.do("Page.reload")
    first.until(f"performance.getEntriesByType('navigation')[0].type === 'reload' && {DRAWN}")

    second = browser.tab(address)
    second.until("document.getElementById('state')?.textContent.includes('used up')")
    assert second.js("document.querySelector('main').hidden") is True
    assert second.text("#calls") == ""


def test_another_origin_reads_nothing(lasting_gateway: Gateway, browser: Browser) -> None:
    """A page of another port on the same host, which has no path, ticket or session to know."""
    tab = opened(lasting_gateway, browser)
    session = tab.js("sessionStorage.getItem('p2pcache-session')")
    page = tab.js("location.href")
    other = browser.tab(url(lasting_gateway).replace("127.0.0.1", "localhost"))
    other.until("document.readyState === 'complete'")
    assert other.js("sessionStorage.getItem('p2pcache-session')") != session
    steal = f"fetch('{page}api/stats', {{headers: {{'X-P2PCache-Session': '{session}'}}}})"
    assert other.js(f"{steal}.then(() => 'read', () => 'refused')") == "refused"
    assert other.js(f"fetch('{page}').then(() => 'read', () => 'refused')") == "refused"
    assert tab.js("fetch('api/stats').then((a) => a.status)") == 403


def test_it_says_when_the_daemon_is_gone(gateway: Gateway, browser: Browser) -> None:
    tab = opened(gateway, browser)
    gateway.stop()
    tab.until("document.getElementById('state')?.textContent.includes('does not answer')")
