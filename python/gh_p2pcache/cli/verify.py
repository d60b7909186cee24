"""`gh p2pcache verify`."""

from __future__ import annotations

import os
from collections.abc import Mapping

import click

from gh_p2pcache import paths
from gh_p2pcache.cli import control, gh
from gh_p2pcache.cli.output import examples, say_json, table
from gh_p2pcache.errors import RejectedError
from gh_p2pcache.supervisor import client

_MEANING = {
    "ok": "CID, seal and key are right",
    "unknown key": "CID is right; sealed for a token that is not gh's here and was not used lately",
    "corrupt": "moved to quarantine: the next call asks GitHub",
    "unreadable": "the disk would not give them: gh p2pcache logs",
    "gone": "removed meanwhile",
}
_BAD = ("corrupt", "unreadable")


@click.command(epilog=examples("gh p2pcache verify", "gh p2pcache verify --json | jq .corrupt"))
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> None:
    """Check every record's CID, seal and key. Exit code 8 when one is corrupt or unreadable."""
    state = paths.state_dir(os.environ)
    client.start(state, os.environ)
    counts = control.post(state, "/verify", {}, token=gh.any_token(os.environ), timeout=None)
    if as_json:
        say_json({verdict: counts.get(verdict, 0) for verdict in _MEANING})
    else:
        click.echo(text(counts))
    if any(counts.get(verdict) for verdict in _BAD):
        ctx.exit(RejectedError.exit_code)


def text(counts: Mapping[str, int]) -> str:
    """Return the verdicts for people."""
    rows = [
        (f"{counts[verdict]:,}", verdict, meaning)
        for verdict, meaning in _MEANING.items()
        if counts.get(verdict)
    ]
    return table(rows, right=frozenset({0})) if rows else "Nothing is kept."
