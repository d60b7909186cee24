"""`gh p2pcache completion`, and what the scripts that it prints ask for.

gh completes its extensions' names, not what comes after them (cli/cli#5309). Its scripts ask `gh
__complete WORD…`, so the shim answers those that are about us, by gh's own protocol (cobra's).
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import click
from click.shell_completion import CompletionItem, ShellComplete

from gh_p2pcache.cli import gh
from gh_p2pcache.cli.on import login_shell
from gh_p2pcache.cli.output import examples
from gh_p2pcache.errors import P2PCacheError
from gh_p2pcache.shell import profile

FILES, NO_FILES, FOLDERS = 0, 4, 16
"""Directives of cobra's (ShellCompDirective): which of the files to offer besides."""

_ASKED = re.compile(r"(\$\{words\[[01]\]\}|\$args\[1\]) __complete")


@click.command(
    epilog=examples(
        "gh p2pcache completion -s bash > ~/.local/share/gh-completion.bash",
        "gh p2pcache completion -s fish > ~/.config/fish/completions/gh.fish",
    )
)
@click.option(
    "-s", "--shell", type=click.Choice(profile.SHELLS), help="for this one [default: $SHELL]"
)
def command(*, shell: str | None) -> None:
    """Print what completes gh, gh p2pcache and git ghapi: gh's own script, with ours in it.

    Keep it in a file that the shell's profile reads, after what loads its completions.
    """
    chosen = shell or login_shell()
    text, count = _ASKED.subn("_gh_p2pcache_gh __complete", _of_gh(chosen))
    if not count:
        raise P2PCacheError(f"gh's completion for {chosen} is of a form that is not known here")
    bridge = Path(profile.__file__).with_name(f"completion.{chosen}")
    click.echo(text + "\n" + bridge.read_text(encoding="utf-8"), nl=False)


def _of_gh(shell: str) -> str:
    program = gh.find(os.environ)
    if program is None:
        raise P2PCacheError("gh is not in PATH (https://cli.github.com)")
    asked = [str(program), "completion", "-s", shell]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout


def answer(words: list[str]) -> str:
    """Return what may come in place of the last word, as cobra's `__complete` prints it."""
    from gh_p2pcache.cli.main import commands

    *before, incomplete = words or [""]
    shell = ShellComplete(commands, {}, "gh p2pcache", "")
    items = shell.get_completions(before, incomplete)
    directive = NO_FILES
    rows = []
    for item in items:
        match item.type:
            case "file":
                directive = FILES
            case "dir":
                directive = FOLDERS
            case _:
                rows.append(f"{item.value}\t{item.help}" if item.help else str(item.value))
    return "".join(f"{row}\n" for row in (*rows, f":{directive}"))


def of_gh(words: list[str], incomplete: str) -> list[CompletionItem[str]]:
    """Return what gh itself would complete after these words."""
    program = gh.find(os.environ)
    if program is None:
        return []
    asked = [str(program), "__complete", *words, incomplete]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    *rows, last = said.splitlines() or [""]
    items = []
    for row in rows:
        value, _, text = row.partition("\t")
        items.append(CompletionItem(value, help=text or None))
    if last == f":{FILES}":
        items.append(CompletionItem(incomplete, type="file"))
    return items
