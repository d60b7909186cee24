"""`gh p2pcache stats`."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gh_p2pcache import paths
from gh_p2pcache.cli import since as of_days
from gh_p2pcache.cli.output import counted, examples, heading, say_json, size, table
from gh_p2pcache.errors import DaemonError
from gh_p2pcache.supervisor.commands import is_alive

_Said = Callable[[dict[str, Any]], str]
FORMS = ["text", "json", "markdown"]
_ANSWERS = {
    "hit": "from the cache, GitHub not asked",
    "peer": "from a member of the team, GitHub not asked",
    "revalidated": "from the cache, confirmed by GitHub (304: free)",
    "coalesced": "shared with a call in flight",
    "stale": "from the cache, bridging a limit or an outage",
    "miss": "from GitHub, kept where allowed",
    "bypass": "from GitHub, never kept (writes, logs, downloads)",
}


def read(state: Path) -> dict[str, Any]:
    """Return the running daemon's statistics, else what it last saved (`daemon` says which)."""
    if is_alive(str(state)):
        from gh_p2pcache.cli import control

        try:
            return {"daemon": True} | control.get(state, "/stats")
        except DaemonError as error:
            click.echo(f"gh-p2pcache: {error}", err=True)
    return {"daemon": False} | _saved(state / "stats.json")


def text(told: dict[str, Any]) -> str:
    """Return the statistics for people."""
    totals: Counter[str] = Counter(told["totals"])
    answers = sum(totals[name] for name in _ANSWERS)
    if not answers:
        return "No call has come through the cache yet. Try: gh p2pcache api user"
    rows = [
        (name, f"{totals[name]:,}", f"{100 * totals[name] / answers:.0f} %", meaning)
        for name, meaning in _ANSWERS.items()
    ]
    right = frozenset({1, 2})
    parts = [table([("answers", f"{answers:,}", "", ""), *rows], right=right)]
    parts.append(_sums(told, totals))
    if told["routes"]:
        parts.append(_routes(told["routes"]))
    if not told["daemon"]:
        parts.append("(no daemon answers: these are the figures it saved last)")
    return "\n\n".join(parts)


def _sums(told: dict[str, Any], totals: Counter[str]) -> str:
    rows = [
        ("calls saved", f"{told['calls_saved']:,}", "of GitHub's rate limit"),
        ("calls to GitHub", f"{totals['upstream']:,}", ""),
        ("errors", f"{totals['error']:,}", "answers with 5xx"),
        ("served", size(totals["bytes_served"]), ""),
        ("fetched", size(totals["bytes_fetched"]), ""),
    ]
    if store := told.get("store"):
        rows.append(("kept", size(store["bytes"]), counted(store["records"], "record")))
    return table(rows, right=frozenset({1}))


def _routes(routes: dict[str, dict[str, int]]) -> str:
    rows = [[route, *_row(counts)] for route, counts in _by_calls(routes)]
    right = frozenset(range(1, 1 + len(_ANSWERS)))
    return table([heading("route", *_ANSWERS), *rows], right=right)


def _by_calls(routes: dict[str, dict[str, int]]) -> list[tuple[str, dict[str, int]]]:
    return sorted(routes.items(), key=lambda item: -sum(item[1].values()))


def _row(counts: dict[str, int]) -> list[str]:
    return [f"{counts[name]:,}" if counts.get(name) else "·" for name in _ANSWERS]


def _saved(path: Path) -> dict[str, Any]:
    empty: dict[str, Any] = {"totals": {}, "calls_saved": 0, "routes": {}}
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return empty
    except ValueError as error:
        raise DaemonError(f"{path} is not readable: {error}") from error
    return empty | kept if isinstance(kept, dict) else empty


def markdown(told: dict[str, Any]) -> str:
    """Return the statistics as tables of Markdown."""
    totals: Counter[str] = Counter(told["totals"])
    answers = [(f"{name}: {meaning}", f"{totals[name]:,}") for name, meaning in _ANSWERS.items()]
    sums = [
        ("calls saved", f"{told['calls_saved']:,}"),
        ("calls to GitHub", f"{totals['upstream']:,}"),
    ]
    routes = [(route, *_row(counts)) for route, counts in _by_calls(told["routes"])]
    made = [of_days.markdown_table(("answers", "calls"), [*answers, *sums])]
    made += [of_days.markdown_table(("route", *_ANSWERS), routes)] if routes else []
    return "\n\n".join(made)


_FORMATS: dict[str, tuple[_Said, _Said]] = {
    "text": (text, of_days.text),
    "markdown": (markdown, of_days.markdown),
}


@click.command(
    epilog=examples(
        "gh p2pcache stats",
        "gh p2pcache stats --since 7d --format markdown",
        "gh p2pcache stats --json | jq .calls_saved",
    )
)
@click.option("--since", metavar="DAYS", help="what was saved by day, route and caller: 1d, 7d")
@click.option("--format", "form", type=click.Choice(FORMS), help="[default: text]")
@click.option("--json", "as_json", is_flag=True, help="the same as --format json")
def command(*, since: str | None, form: str | None, as_json: bool) -> None:
    """Show what the cache did so far, also when the daemon is down.

    --since 1d is today, 7d today and the six days before; days begin at midnight, local time.
    """
    if as_json and form not in {None, "json"}:
        raise click.BadOptionUsage("form", f"--json and --format {form} exclude each other.")
    state = paths.state_dir(os.environ)
    told = read(state) if since is None else of_days.read(state, of_days.days_of(since))
    if as_json or form == "json":
        say_json(told)
    else:
        plain, by_day = _FORMATS[form or "text"]
        click.echo((plain if since is None else by_day)(told))
