"""`gh p2pcache COMMAND`: a module a command, imported when it is called for."""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gh_p2pcache import __version__, paths
from gh_p2pcache.cli.output import examples
from gh_p2pcache.errors import P2PCacheError, StoreError, UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SECTIONS = {
    "Calls": {
        "api": "gh api, answered from the cache",
        "exec": "run a command whose every gh goes through the cache",
    },
    "Shell": {
        "on": "have every gh of your shells go through the cache",
        "off": "take that back",
        "shellenv": "print what does it for one shell",
        "completion": "print what completes gh p2pcache and git ghapi on TAB",
    },
    "Daemon": {
        "start": "start the daemon (the first call does so by itself)",
        "stop": "stop the daemon; the next call starts it again",
        "restart": "start again, with the settings and the engine of now",
        "status": "what runs, since when, with which limits",
        "logs": "show the daemon's log",
        "serve": "be the daemon, in the foreground",
    },
    "Cache": {
        "stats": "what the cache did: hits, misses, calls saved",
        "monitor": "watch it work: hit rate, limits, peers, calls as they happen",
        "dashboard": "the same in the browser, with charts",
        "explain": "why a call is answered as it is",
        "purge": "remove records",
        "verify": "check every record",
    },
    "Team": {
        "team": "who shares with this machine: create, invite, join, leave, rotate",
        "peers": "the other machines: who, where, since when, what went each way",
    },
    "Machine": {
        "init": "have a project use the cache: VS Code, GitHub Actions",
        "doctor": "check everything this needs, and say what to do",
        "config": "list, get, set and unset settings",
        "setup": "set the engine up, or renew it",
        "credential": "git's credential helper: gh's token, of which nothing is kept",
        "version": "print the version",
        "help": "show the man page of a command",
    },
}
COMMANDS = {name: line for section in SECTIONS.values() for name, line in section.items()}


class Lazy(click.Group):
    """Imports `gh_p2pcache.cli.NAME` for command NAME; ends our errors and the disk's in a line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of their sections."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, None for an unknown name."""
        del ctx
        if cmd_name not in COMMANDS and cmd_name != "__complete":
            return None
        module = f"gh_p2pcache.cli.{cmd_name.lstrip('_')}"
        command: click.Command = importlib.import_module(module).command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Return commands without importing them, and flags."""
        from click.shell_completion import CompletionItem

        names = {name: line for name, line in COMMANDS.items() if name.startswith(incomplete)}
        items = [CompletionItem(name, help=line) for name, line in names.items()]
        return items + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        del ctx
        for section, commands in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(f"{name:8}", line) for name, line in commands.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what a user can act on is one line, not a traceback."""
        try:
            return super().invoke(ctx)
        except UsageError as error:
            fail(str(error), error.exit_code)
        except P2PCacheError as error:
            _fail_without_state()
            fail(str(error), error.exit_code)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            _fail_without_state()
            where = f"{error.filename}: " if error.filename else ""
            fail(f"{where}{error.strerror or error}", 1)


def _fail_without_state() -> None:
    """End for want of a state directory where there can be none: all else follows from that."""
    if problem := paths.unusable("state directory", paths.state_dir(os.environ)):
        fail(problem, StoreError.exit_code)


def fail(message: str, exit_code: int) -> NoReturn:
    """End with one line on stderr."""
    click.echo(f"gh-p2pcache: {message}", err=True)
    raise click.exceptions.Exit(exit_code)


@click.group(
    cls=Lazy,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "gh p2pcache api repos/cli/cli/releases --jq '.[].tag_name'",
        "gh p2pcache exec -- ./nightly.sh",
        "gh p2pcache doctor",
    ),
)
@click.version_option(__version__, prog_name="gh-p2pcache", message="%(prog)s %(version)s")
@click.pass_context
def commands(ctx: click.Context) -> None:
    """Answer gh's calls from an encrypted cache, or from GitHub when it must be."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        ctx.color = False
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main() -> None:
    """Run the command line of this process and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal of another encoding has no ✔; that must not end a command.
            stream.reconfigure(errors="replace")
    commands.main(prog_name="gh p2pcache")
