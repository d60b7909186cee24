"""`gh p2pcache explain`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from typing import Any

import click

from gh_p2pcache import paths
from gh_p2pcache.cli import entry
from gh_p2pcache.cli.output import duration, examples, pairs, say_json, size
from gh_p2pcache.errors import DaemonError
from gh_p2pcache.supervisor import client

_OURS = frozenset({"request", "route", "profile", "kept"})


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
    epilog=examples(
        "gh p2pcache explain repos/cli/cli",
        "gh p2pcache explain --json repos/cli/cli/pulls -X GET -f state=closed",
        "CACHE_PROFILE=exact gh p2pcache explain user",
    ),
)
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@click.argument("call", nargs=-1, required=True, metavar="ENDPOINT [gh api flags]...")
def command(*, call: tuple[str, ...], as_json: bool) -> None:
    """Show why `gh p2pcache api ENDPOINT` is answered as it is.

    Whether it would be kept, for whom, for how long and by which rule; what is held, how old it
    is and who fetched it; what the next call would do. Asks GitHub nothing, changes nothing.
    """
    told = ask(call)
    if as_json:
        say_json(told)
    else:
        click.echo(text(told))


def ask(call: Sequence[str]) -> dict[str, Any]:
    """Return the daemon's explanation of a `gh api` call. Raises DaemonError."""
    client.start(paths.state_dir(os.environ), os.environ)
    script = entry.find(os.environ)
    said = subprocess.run(
        [script, "api", "--offline", "-H", "X-P2PCache-Mode: explain", *call],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        told = json.loads(said.stdout)
    except ValueError:
        told = None
    if not isinstance(told, dict) or not told.keys() >= _OURS:
        raise DaemonError(said.stderr.strip() or "the call went past the daemon")
    return told


def text(told: dict[str, Any]) -> str:
    """Return the explanation for people."""
    rows = [
        ("call", told["request"]),
        ("route", told["route"]),
        ("profile", told["profile"]),
        ("kept", "yes" if told["kept"] else f"no: {told['why']}"),
    ]
    if told["kept"]:
        rows += _policy(told) + _held(told["held"])
    return pairs([*rows, ("next call", told["next"])])


def _policy(told: dict[str, Any]) -> list[tuple[str, str]]:
    access = told["access"] or ""
    if access and "access_proven" in told:
        proven = told["access_proven"]
        access += f" (proven {proven})" if proven else " (not proven by this token yet)"
    fresh = duration(told["fresh_for"]) if told["fresh_for"] else "asked of GitHub every time"
    return [
        ("for", "every token of the team" if told["scope"] == "team" else "this token alone"),
        ("access", access),
        ("rule", told["rule"]),
        ("fresh for", fresh),
        ("bridges", f"a limit or an outage, up to {duration(told['stale_for'])} old"),
        ("limit", told["resource"]),
    ]


def _held(held: dict[str, Any] | None) -> list[tuple[str, str]]:
    if held is None:
        return [("held", "nothing")]
    doubts = []
    if not held["alive"]:
        doubts.append("outdated by a write")
    if not held["readable"]:
        doubts.append("not for this token before it has proven access")
    state = f" ({'; '.join(doubts)})" if doubts else ""
    return [
        ("held", f"HTTP {held['status']}, {size(held['bytes'])}{state}"),
        ("age", duration(held["age"])),
        ("fetched", f"{held['fetched']} by {held['fetched_by']}"),
        ("confirmed", held["confirmed"] or ""),
        ("CID", held["cid"] or ""),
        ("tags", ", ".join(held["tags"])),
    ]
