"""`gh p2pcache doctor`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict

import click

from gh_p2pcache.cli.checkup import CHECKS
from gh_p2pcache.cli.checkup.finding import Finding, broken
from gh_p2pcache.cli.output import examples, say_json

_MARKS = {"ok": ("✔", "green"), "note": ("!", "yellow"), "broken": ("✘", "red")}


@click.command(
    epilog=examples(
        "gh p2pcache doctor",
        "gh p2pcache doctor --json | jq '.[] | select(.verdict != \"ok\")'",
    )
)
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> None:
    """Check everything this needs and say what to do. Exit code 1 when something is broken.

    Starts the daemon when none runs, and asks GitHub for the rate limits (which costs none).
    """
    findings = []
    for finding in examine(os.environ):
        findings.append(finding)
        if not as_json:
            click.echo(line(finding))
    if as_json:
        say_json([asdict(finding) for finding in findings])
    if any(finding.verdict == "broken" for finding in findings):
        ctx.exit(1)


def examine(env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield every finding; a check that the system itself stops is a finding too."""
    for check in CHECKS:
        try:
            yield from check(env)
        except OSError as error:
            yield broken(f"{check.__name__}: {error}", "put that right, then doctor again")


def line(finding: Finding) -> str:
    """Return a finding for people: a mark, what, and below it what to do."""
    mark, colour = _MARKS[finding.verdict]
    text = f"{click.style(mark, fg=colour)} {finding.what}"
    return f"{text}\n    → {finding.do}" if finding.do else text
