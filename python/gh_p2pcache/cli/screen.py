"""What `gh p2pcache monitor` draws of a snapshot, with rich; and the same as plain lines."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from gh_p2pcache.cli.output import counted, duration, size
from gh_p2pcache.cli.peers import line as peers_line
from gh_p2pcache.cli.since import SOURCES, summary

_COLOURS = {
    "hit": "green",
    "peer": "cyan",
    "revalidated": "green",
    "coalesced": "green",
    "stale": "yellow",
    "miss": "blue",
    "bypass": "bright_black",
    "absent": "red",
}
_CALLERS = 5
_ANY_WIDTH = 1000
_LEAST_CALLS = 5
_LEAST_WIDTHS = (8, 6, 7, 7, 10)
_LINES = 7
"""Beside sources, callers, budgets and calls: headline, headings, peers, blanks."""

Snapshot = Mapping[str, Any]


def drawn(
    seen: Snapshot, calls: Sequence[Mapping[str, Any]], width: int, height: int
) -> RenderableType:
    """Return the whole view for a terminal: `calls` are the newest last, as many as fit."""
    room = height - _LINES - len(seen["status"]["budgets"])
    upper, lines = _upper(seen, width, room - _LEAST_CALLS)
    lower = [_budgets(seen), _peers(seen), Text(), _calls(calls[-max(room - lines, 1) :])]
    return Group(headline(seen), Text(), *upper, Text(), *lower)


def _upper(seen: Snapshot, width: int, most: int) -> tuple[list[RenderableType], int]:
    """Return sources and callers, side by side if they fit, and how many lines they take.

    Of more than `most` lines the sources that gave nothing go first, then callers.
    """
    sources, callers = _sources(seen), _callers(seen)
    both = Table.grid(padding=(0, 3))
    both.add_row(sources, callers)
    if Console(width=_ANY_WIDTH).measure(both).maximum <= width:
        return [both], 1 + max(sources.row_count, callers.row_count)
    if 3 + sources.row_count + callers.row_count > most:
        sources = _sources(seen, idle=False)
        callers = _callers(seen, max(most - 3 - sources.row_count, 0))
    if not callers.row_count:
        return [sources], 1 + sources.row_count
    return [sources, Text(), callers], 3 + sources.row_count + callers.row_count


def headline(seen: Snapshot) -> Text:
    """Return the line that matters most: hit rate, calls saved, what is kept."""
    stats = seen["stats"]
    totals: Counter[str] = Counter(stats["totals"])
    answers, saved = sum(totals[name] for name in SOURCES), stats["calls_saved"]
    rate = f"{100 * saved / answers:.0f} %" if answers else "·"
    store = stats["store"]
    return Text.assemble(
        (f"{rate} ", "bold green"), "of calls saved: ", (f"{saved:,}", "bold"), f" of {answers:,}",
        f", {size(totals['bytes_served'])} served, {counted(store['records'], 'record')} kept",
        f" ({size(store['bytes'])})",
    )  # fmt: skip


def call_line(call: Mapping[str, Any]) -> str:
    """Return one call as a plain line."""
    at, source, seconds, served, caller, asked = _call_cells(call)
    return f"{at}  {source:11}  {seconds:>8}  {served:>8}  {caller:15}  {asked}"


def plain(view: RenderableType, width: int) -> str:
    """Return a view as text without colours or trailing blanks."""
    console = Console(width=width, no_color=True, force_terminal=False, highlight=False)
    with console.capture() as captured:
        console.print(view)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _table(*heads: str, right: Iterable[int] = (), least: Sequence[int] = ()) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="bold")
    for place, head in enumerate(heads):
        width = least[place] if place < len(least) else None
        justify: Literal["left", "right"] = "right" if place in right else "left"
        table.add_column(head, justify=justify, no_wrap=True, min_width=width)
    return table


def _sources(seen: Snapshot, *, idle: bool = True) -> Table:
    totals, latency = seen["stats"]["totals"], seen["activity"]["latency"]
    answers = sum(totals.get(name, 0) for name in SOURCES)
    table = _table("source", "answers", "", "half within", "99 % within", right=(1, 2, 3, 4))
    for name in SOURCES:
        count, took = totals.get(name, 0), latency.get(name)
        if not count and not idle:
            continue
        table.add_row(
            Text(name, _COLOURS[name]),
            f"{count:,}",
            f"{100 * count / answers:.0f} %" if answers else "",
            _took(took["p50"]) if took else "·",
            _took(took["p99"]) if took else "·",
        )
    return table


def _callers(seen: Snapshot, most: int = _CALLERS) -> Table:
    table = _table("asked today by", "answers", "saved", right=(1, 2))
    for row in summary(seen["history"]["days"])["callers"][: min(most, _CALLERS)]:
        table.add_row(Text(row["caller"]), f"{row['answers']:,}", f"{row['saved']:,}")
    return table


def _budgets(seen: Snapshot) -> RenderableType:
    status = seen["status"]
    if not status["budgets"]:
        return Text("limits: none known yet", "bright_black")
    table = _table("limit", "left", "of", "full again in", "token", right=(1, 2, 3))
    for budget in status["budgets"]:
        left = max(budget["reset"] - time.time(), 0)
        low = budget["remaining"] * 10 < budget["limit"]
        table.add_row(
            Text(f"{budget['resource']} ({budget['site']})"),
            Text(f"{budget['remaining']:,}", "red" if low else ""),
            f"{budget['limit']:,}",
            duration(left),
            budget["token"],
        )
    return table


def _peers(seen: Snapshot) -> Text:
    peers = seen["peers"]
    members = [peer for peer in peers["peers"] if not peer["banned"]]
    said = Text(f"peers: {peers_line(peers)}")
    for peer in members[:3]:
        said.append(f"  {peer['id'][-6:]} ↓{size(peer['bytes_in'])} ↑{size(peer['bytes_out'])}")
    return said


def _calls(calls: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("last calls", "", "took", "bytes", "by", "", right=(2, 3), least=_LEAST_WIDTHS)
    for call in calls:
        at, source, *rest = map(Text, _call_cells(call))
        source.stylize(_COLOURS.get(call["source"], ""))
        table.add_row(at, source, *rest)
    return table


def _call_cells(call: Mapping[str, Any]) -> tuple[str, str, str, str, str, str]:
    host = "" if call["host"] == "api.github.com" else call["host"]
    status = "" if call["status"] < 400 else f" ({call['status']})"
    return (
        f"{datetime.fromtimestamp(call['at']).astimezone():%H:%M:%S}",
        call["source"],
        _took(call["seconds"]),
        size(call["bytes"]),
        call["caller"],
        f"{call['method']} {host}{call['target']}{status}",
    )


def _took(seconds: float) -> str:
    if seconds < 0.01:
        return f"{seconds * 1000:.2f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:.0f} s"
