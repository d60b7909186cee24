"""`gh p2pcache help`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gh_p2pcache.cli.entry import HandedOver, become
from gh_p2pcache.cli.output import examples

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def _commands(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Return the commands of what was named before, for the shell's completion."""
    from gh_p2pcache.cli.main import commands

    shown: click.Command = commands
    for name in ctx.params.get(param.name or "") or ():
        found = shown.get_command(ctx, name) if isinstance(shown, click.Group) else None
        if found is None:
            return []
        shown = found
    if not isinstance(shown, click.Group):
        return []
    items = shown.shell_complete(click.Context(shown, parent=ctx), incomplete)
    return [item for item in items if not item.value.startswith("-")]


@click.command(epilog=examples("gh p2pcache help", "gh p2pcache help config set"))
@click.argument("names", metavar="[COMMAND]...", nargs=-1, shell_complete=_commands)
@click.pass_context
def command(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Show the man page of COMMAND, or of gh p2pcache.

    In a pipe, or without `man`, the text of --help is printed.
    """
    shown = ctx.parent
    assert shown is not None
    for name in names:
        group = shown.command
        found = group.get_command(shown, name) if isinstance(group, click.Group) else None
        if found is None:
            raise click.UsageError(f"No such command {name!r}.", ctx)
        if isinstance(found, HandedOver):
            become(os.environ, [name, "--help"])
        shown = click.Context(found, info_name=name, parent=shown)
    if not (sys.stdout.isatty() and _show_page(shown)):
        click.echo(shown.get_help())


def _show_page(ctx: click.Context) -> bool:
    """Have `man` show it; False where that can't."""
    from gh_p2pcache.cli import man

    program = shutil.which("man")
    if program is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"{man.name_of(ctx)}.1")
        file.write_text(man.page(ctx), encoding="utf-8")
        return subprocess.run([program, str(file)], check=False).returncode == 0
