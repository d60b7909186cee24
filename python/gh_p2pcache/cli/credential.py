"""`gh p2pcache credential get | store | erase`: a git credential helper (gitcredentials(7)).

`get` and `store` are the entry script's, which has `gh auth git-credential` answer.
"""

from __future__ import annotations

import os
import sys

import click

from gh_p2pcache import paths
from gh_p2pcache.cli import control
from gh_p2pcache.cli.entry import become
from gh_p2pcache.cli.output import examples
from gh_p2pcache.supervisor import client


@click.group(
    epilog=examples(
        "git config --global credential.https://github.com.helper '!gh p2pcache credential'",
        "printf 'protocol=https\\nhost=github.com\\n\\n' | gh p2pcache credential get",
    )
)
def command() -> None:
    """Hand git the token that gh has; git calls this, by its credential protocol.

    Nothing is kept of it. A token that git saw refused loses its keys here, and what it alone could
    read is dropped.
    """


@command.command(epilog=examples("gh p2pcache credential get < asked"))
def get() -> None:
    """Print the credential that gh has for what stdin names."""
    become(os.environ, ["credential", "get"])


@command.command(epilog=examples("gh p2pcache credential store < credential"))
def store() -> None:
    """Do nothing: gh keeps its own."""
    become(os.environ, ["credential", "store"])


@command.command(epilog=examples("gh p2pcache credential erase < credential"))
def erase() -> None:
    """Forget a token that git saw refused: its keys, and what it alone could read."""
    token = _given().get("password")
    state = paths.state_dir(os.environ)
    if not token or not state.is_dir():
        return
    client.start(state, os.environ)
    control.post(state, "/forget", {}, token=token, timeout=None)


def _given() -> dict[str, str]:
    """Return what git says: `key=value` lines up to an empty one."""
    told = {}
    for row in sys.stdin:
        key, equals, value = row.rstrip("\n").partition("=")
        if not equals:
            break
        told[key] = value
    return told
