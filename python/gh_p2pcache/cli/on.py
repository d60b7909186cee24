"""`gh p2pcache on`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gh_p2pcache import paths
from gh_p2pcache.cli import proposal
from gh_p2pcache.cli.output import examples
from gh_p2pcache.errors import UsageError
from gh_p2pcache.shell import profile

YES = click.option("--yes", is_flag=True, help="do not ask")


@click.command(epilog=examples("gh p2pcache on", "gh p2pcache on --shell fish --yes"))
@click.option(
    "--shell", type=click.Choice(profile.SHELLS), help="that one's profile [default: of $SHELL]"
)
@YES
def command(*, shell: str | None, yes: bool) -> None:
    """Have every gh of your shells go through the cache.

    Adds one line to the profile of interactive shells, once you have seen it. The line starts no
    process, and does nothing where the cache is gone.
    """
    chosen = shell or login_shell()
    if not (paths.data_dir(os.environ) / "shim/gh").exists():
        raise UsageError("there is no shim for a shell to use yet (gh p2pcache setup)")
    path = profile.path(chosen, os.environ)
    before = profile.read(path)
    after = profile.added(before, profile.line(chosen, os.environ))
    if not proposal.offer({path: after}, yes=yes):
        click.echo(f"{proposal.shown(path)} has it already.")
        return
    _say_written(path, chosen)


def login_shell() -> str:
    """Return the user's shell by $SHELL. Raises UsageError for one that we know nothing of."""
    name = Path(os.environ.get("SHELL", "")).name
    if name not in profile.SHELLS:
        raise UsageError(f"SHELL is '{name}': choose one with --shell bash, zsh or fish")
    return name


def _say_written(path: Path, shell: str) -> None:
    here = "gh p2pcache shellenv | source" if shell == "fish" else 'eval "$(gh p2pcache shellenv)"'
    click.echo(f"On in every new {shell} by {proposal.shown(path)}; in this one after: {here}")
