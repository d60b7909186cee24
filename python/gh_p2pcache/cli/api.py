"""`gh p2pcache api`: the entry script's own."""

from __future__ import annotations

import click

from gh_p2pcache.cli.entry import HandedOver
from gh_p2pcache.cli.output import examples

_FLAGS = """\b
All flags of gh api, and:
  --ttl DURATION  take a kept answer that is no older (300, 10m, 2h)
  --refresh       have GitHub confirm what is kept
  --offline       ask nobody: exit code 3 when nothing usable is kept

"""


@click.command(
    "api",
    cls=HandedOver,
    options_metavar="ENDPOINT [gh api flags] [--ttl DURATION | --refresh | --offline]",
    epilog=_FLAGS
    + examples(
        "gh p2pcache api user --jq .login",
        "gh p2pcache api --paginate repos/cli/cli/issues --ttl 10m",
        "gh p2pcache api --offline repos/cli/cli",
    ),
)
def command() -> None:
    """Do what `gh api` does, with the same output and exit code, from the cache where possible."""
