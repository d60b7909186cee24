"""The sh entry point `gh-p2pcache`: where it lies, and handing a call over to it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import click

from gh_p2pcache import paths
from gh_p2pcache.errors import P2PCacheError

NAME = "gh-p2pcache"


def find(env: Mapping[str, str]) -> Path:
    """Return the script: the one that called us, the shim's, or this checkout's.

    Raises P2PCacheError where there is none (a package without a checkout).
    """
    if named := env.get("GH_P2PCACHE_ENTRY"):
        return Path(named)
    shim = paths.data_dir(env) / "shim/gh"
    beside = Path(__file__).parents[3] / NAME
    for candidate in (shim, beside):
        if candidate.exists():
            return candidate.resolve()
    raise P2PCacheError(f"the entry script {NAME} is not found: run ./install.sh of the checkout")


def become(env: Mapping[str, str], arguments: Sequence[str]) -> NoReturn:
    """Run the entry script in place of this process."""
    script = find(env)
    sys.stdout.flush()
    os.execve(script, [str(script), *arguments], dict(env))  # noqa: S606


class HandedOver(click.Command):
    """A command of the entry script's: its arguments are not looked at, `--help` included."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep every argument as it is."""
        ctx.args = list(args)
        return []

    def invoke(self, ctx: click.Context) -> NoReturn:
        """Become the entry script."""
        become(os.environ, [self.name or "", *ctx.args])
