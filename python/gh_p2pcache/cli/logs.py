"""`gh p2pcache logs`."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import click

from gh_p2pcache import paths
from gh_p2pcache.cli.output import examples

_POLL_SECONDS = 0.2


@click.command(
    epilog=examples("gh p2pcache logs", "gh p2pcache logs -n 200", "gh p2pcache logs -f")
)
@click.option("-f", "--follow", is_flag=True, help="go on as lines come, until Ctrl-C")
@click.option("-n", "--lines", type=click.IntRange(0), default=50, show_default=True, metavar="N")
def command(*, follow: bool, lines: int) -> None:
    """Show the last lines of the daemon's log."""
    path = paths.state_dir(os.environ) / "log/daemon.log"
    try:
        position = _show_last(path, lines)
        if follow:
            for text in _new(path, position or 0):
                click.echo(text, nl=False)
        elif position is None:
            click.echo(f"There is no log yet ({path}).", err=True)
    except KeyboardInterrupt:
        click.echo()


def _show_last(path: Path, lines: int) -> int | None:
    """Print the last lines; returns where the file ended, None without a file."""
    try:
        with path.open(encoding="utf-8", errors="replace") as log:
            for line in deque(log, maxlen=lines):
                click.echo(line, nl=False)
            return log.tell()
    except FileNotFoundError:
        return None


def _new(path: Path, position: int) -> Iterator[str]:
    """Yield what is appended from `position` on; starts over in a log that was cut (rotated)."""
    while True:
        if path.exists():
            with path.open("rb") as log:
                if log.seek(0, os.SEEK_END) < position:
                    position = 0
                log.seek(position)
                added = log.read()
                position = log.tell()
            if added:
                yield added.decode("utf-8", "replace")
        time.sleep(_POLL_SECONDS)
