"""What `gh p2pcache stats --since 7d` says: what the cache saved by day, by route and by caller."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from gh_p2pcache.cli.output import heading, size, table
from gh_p2pcache.engine.history import KEPT_DAYS, History
from gh_p2pcache.engine.stats import SAVING
from gh_p2pcache.errors import DaemonError, UsageError
from gh_p2pcache.supervisor.commands import is_alive

SOURCES = ("hit", "peer", "revalidated", "coalesced", "stale", "miss", "bypass")
_MOST = 20
"""Rows of a table for people."""

_HEAD = ("answers", "saved", "of all", *SOURCES, "served")
Row = dict[str, Any]
Table = Callable[[Sequence[str], Iterable[Sequence[str]]], str]


def days_of(text: str) -> int:
    """Return the days in `1d`, `7d`. Raises UsageError."""
    found = re.fullmatch(r"([1-9]\d?)d", text)
    if found is None or int(found[1]) > KEPT_DAYS:
        raise UsageError(
            f"--since takes days, 1d to {KEPT_DAYS}d: 1d is today ('{text}' was given)"
        )
    return int(found[1])


def read(state: Path, days: int) -> dict[str, Any]:
    """Return the days with today; the running daemon's, else as they were last saved."""
    daemon = is_alive(str(state))
    told: list[Row] = []
    if daemon:
        from gh_p2pcache.cli import control

        try:
            told = control.get(state, f"/history?days={days}")["days"]
        except DaemonError as error:
            click.echo(f"gh-p2pcache: {error}", err=True)
            daemon = False
    if not daemon:
        told = History(state / "history").days(days)
    return {"daemon": daemon} | summary(told)


def summary(days: Sequence[Row]) -> dict[str, Any]:
    """Return sums of days as /history tells them: in all, by day, by route, by caller."""
    rows = [(day["day"], row) for day in days for row in day["rows"]]
    by_day = _sums("day", ((day, row) for day, row in rows))
    quiet = [{"day": day["day"]} | _counts(Counter()) for day in days]
    of_day = {row["day"]: row for row in (*quiet, *by_day)}
    return {
        "since": days[0]["day"],
        "totals": _counts(_added(row for _, row in rows)),
        "days": list(of_day.values()),
        "routes": _by_size(_sums("route", ((row["route"], row) for _, row in rows))),
        "callers": _by_size(_sums("caller", ((row["caller"], row) for _, row in rows))),
    }


def _sums(name: str, rows: Iterable[tuple[str, Row]]) -> list[Row]:
    groups: dict[str, list[Row]] = {}
    for key, row in rows:
        groups.setdefault(key, []).append(row)
    return [{name: key} | _counts(_added(group)) for key, group in groups.items()]


def _added(rows: Iterable[Row]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update({name: row.get(name, 0) for name in (*SOURCES, "bytes")})
    return counts


def _counts(counts: Mapping[str, int]) -> Row:
    answers = sum(counts.get(name, 0) for name in SOURCES)
    saved = sum(counts.get(name, 0) for name in SAVING)
    sources = {name: counts.get(name, 0) for name in SOURCES}
    return {"answers": answers, "saved": saved, **sources, "bytes": counts.get("bytes", 0)}


def _by_size(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (-row["saved"], -row["answers"]))


def text(told: Mapping[str, Any]) -> str:
    """Return the summary for people."""
    if not told["totals"]["answers"]:
        return f"No call has come through the cache since {told['since']}."
    parts = [_first(told), *_tables(told, _plain)]
    if not told["daemon"]:
        parts.append("(no daemon answers: these are the figures it saved last)")
    return "\n\n".join(parts)


def markdown(told: Mapping[str, Any]) -> str:
    """Return the summary as tables of Markdown."""
    return "\n\n".join([_first(told), *_tables(told, markdown_table)])


def _first(told: Mapping[str, Any]) -> str:
    totals = told["totals"]
    return (
        f"Since {told['since']}: {totals['saved']:,} of {totals['answers']:,} calls saved"
        f" ({_share(totals)}), {size(totals['bytes'])} served."
    )


def _tables(told: Mapping[str, Any], made: Table) -> list[str]:
    tables = []
    for name in ("day", "route", "caller"):
        rows = told[f"{name}s"]
        shown = rows if name == "day" else rows[:_MOST]
        left = len(rows) - len(shown)
        cells = [[str(row[name]), *_cells(row)] for row in shown]
        cells += [[f"… and {left} more", *[""] * len(_HEAD)]] if left else []
        tables.append(made((name, *_HEAD), cells))
    return tables


def _cells(row: Row) -> list[str]:
    counts = [f"{row[name]:,}" if row[name] else "·" for name in SOURCES]
    return [f"{row['answers']:,}", f"{row['saved']:,}", _share(row), *counts, size(row["bytes"])]


def _share(row: Row) -> str:
    return f"{100 * row['saved'] / row['answers']:.0f} %" if row["answers"] else "·"


def _plain(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return table([heading(*head), *rows], right=frozenset(range(1, len(head))))


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of GitHub's Markdown; all columns but the first are aligned to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )
