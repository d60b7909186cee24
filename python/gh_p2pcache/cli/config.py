"""`gh p2pcache config list | get | set | unset`: environment over config.toml over default."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from gh_p2pcache import paths, settings
from gh_p2pcache.cli import configfile
from gh_p2pcache.cli.output import examples, heading, say_json, table
from gh_p2pcache.errors import UsageError
from gh_p2pcache.settings import Effective, Name, Settings

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_MASK = "********"
_RULES = "rules."


def _keys(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the settings that begin so, for the shell's completion."""
    from click.shell_completion import CompletionItem

    del ctx, param
    begun = incomplete.lower()
    names = {name.key: name.help for name in settings.NAMES if name.key.startswith(begun)}
    if incomplete.startswith("CACHE_"):
        names = {n.name: n.help for n in settings.NAMES if n.name.startswith(incomplete)}
    return [CompletionItem(name, help=text) for name, text in names.items()]


class Described(click.Group):
    """A group whose help names every setting."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, then that of the settings."""
        super().format_commands(ctx, formatter)
        with formatter.section("Settings"):
            formatter.write_dl([(name.key, name.help) for name in settings.NAMES])


@click.group(
    cls=Described,
    epilog=examples(
        "gh p2pcache config list",
        "gh p2pcache config set default_ttl 10m",
        "gh p2pcache config set 'rules.api.github.com/repos/acme/*' 1h",
    ),
)
def command() -> None:
    """List, get, set and unset settings.

    KEY is a name as in the environment (CACHE_MAX_SIZE), or as in config.toml (max_size), or
    rules.PATTERN for how long answers under HOST/PATH are fresh. The environment overrules
    config.toml, which overrules the default.
    """


@command.command(
    "list", epilog=examples("gh p2pcache config list", "gh p2pcache config list --json")
)
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def list_(*, as_json: bool) -> None:
    """Show every setting, its value and where that comes from: env, file or default."""
    path = paths.config_file(os.environ)
    there = _load()
    if as_json:
        rows = {
            name.name: {"value": _shown(name, there), "source": _source(name, there)}
            for name in settings.NAMES
        }
        say_json({"file": str(path), "settings": rows, "rules": dict(there.rules)})
        return
    click.echo(f"{path}{'' if path.exists() else ' (not there yet)'}\n")
    lines = [heading("setting", "value", "from")]
    for name in settings.NAMES:
        value = _shown(name, there) or name.default_note.replace("`", "")
        lines.append([name.key, value, _source(name, there)])
    lines += [[_RULES + pattern, f"{seconds:g}", "file"] for pattern, seconds in there.rules]
    click.echo(table(lines))
    _warn(there)


@command.command(epilog=examples("gh p2pcache config get max_size"))
@click.argument("key", shell_complete=_keys)
def get(key: str) -> None:
    """Print the value in force; where it comes from goes to stderr."""
    there = _load()
    if key.startswith(_RULES):
        rules = dict(there.rules)
        if (pattern := key.removeprefix(_RULES)) not in rules:
            raise UsageError(f"there is no rule '{pattern}' (gh p2pcache config list)")
        click.echo(f"{rules[pattern]:g}")
        return
    name = configfile.name_of(key)
    click.echo(_shown(name, there))
    click.echo(f"from {_source(name, there)}", err=True)
    _warn(there)


@command.command(
    "set",
    epilog=examples(
        "gh p2pcache config set max_size 1GiB",
        "gh p2pcache config set share 'acme/*,acme-labs/*'",
        "gh p2pcache config set p2p_shared_secret        # asks for it",
    ),
)
@click.argument("key", shell_complete=_keys)
@click.argument("value", required=False)
def set_(key: str, value: str | None) -> None:
    """Write a setting to config.toml; comments and everything else in it stay.

    Without VALUE it is asked for, or read from a pipe: a secret never need be on a command line.
    """
    path = paths.config_file(os.environ)
    name = None if key.startswith(_RULES) else configfile.name_of(key)
    if value is None:
        value = _ask(key, secret=bool(name and name.secret))
    if name is None:
        configfile.set_rule(path, key.removeprefix(_RULES), value)
    else:
        configfile.set_value(path, name, value)
    _written(key, name)


@command.command(
    epilog=examples(
        "gh p2pcache config unset max_size",
        "gh p2pcache config unset 'rules.api.github.com/repos/acme/*'",
    )
)
@click.argument("key", shell_complete=_keys)
def unset(key: str) -> None:
    """Remove a setting from config.toml, whatever its name: its default holds again."""
    path = paths.config_file(os.environ)
    if not configfile.unset(path, key):
        click.echo(f"config.toml does not set '{key}'.")
        return
    name = None if key.startswith(_RULES) else configfile.find(key)
    _written(key, name)


def _load() -> Settings:
    return settings.load(os.environ, settings.read_file(paths.config_file(os.environ)))


def _effective(name: Name[object], there: Settings) -> Effective:
    return there.effective[name.name]


def _shown(name: Name[object], there: Settings) -> str:
    text = _effective(name, there).text
    return _MASK if name.secret and text else text


def _source(name: Name[object], there: Settings) -> str:
    return _effective(name, there).source


def _ask(key: str, *, secret: bool) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    answer: str = click.prompt(key, hide_input=secret, confirmation_prompt=secret, err=True)
    return answer


def _warn(there: Settings) -> None:
    for line in there.warnings:
        click.echo(f"gh-p2pcache: {line}", err=True)


def _written(key: str, name: Name[object] | None) -> None:
    """Say what keeps the change from being in force at once."""
    from gh_p2pcache.supervisor.commands import is_alive

    if name is not None and os.environ.get(name.name):
        click.echo(f"{name.name} is set in the environment too, which overrules config.toml.")
    running = is_alive(str(paths.state_dir(os.environ)))
    if running and (name is None or "D" in name.read_by):
        click.echo(f"{key} is in force after: gh p2pcache restart")
