"""`gh p2pcache off`."""

from __future__ import annotations

import os

import click

from gh_p2pcache.cli import proposal
from gh_p2pcache.cli.on import YES
from gh_p2pcache.cli.output import examples
from gh_p2pcache.shell import profile


@click.command(epilog=examples("gh p2pcache off", "gh p2pcache off --shell fish --yes"))
@click.option(
    "--shell",
    type=click.Choice(profile.SHELLS),
    help="that one's profile alone [default: every one that has it]",
)
@YES
def command(*, shell: str | None, yes: bool) -> None:
    """Take the line of `gh p2pcache on` out of your profiles."""
    there = profile.where_on(os.environ)
    if shell:
        there = [path for path in there if path == profile.path(shell, os.environ)]
    wanted = {path: profile.removed(profile.read(path)) for path in there}
    changed = proposal.offer(wanted, yes=yes)
    if not changed:
        click.echo("It is on in no profile.")
        return
    files = ", ".join(map(proposal.shown, changed))
    click.echo(f"Off in every new shell ({files}); shells that run keep it, or: CACHE_DISABLE=1")
