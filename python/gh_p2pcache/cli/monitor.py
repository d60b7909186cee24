"""`gh p2pcache monitor`."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from gh_p2pcache import paths
from gh_p2pcache.cli import control
from gh_p2pcache.cli.output import examples
from gh_p2pcache.cli.peers import settled
from gh_p2pcache.errors import DaemonError
from gh_p2pcache.supervisor import client

_REMEMBERED = 200
_PIPE_WIDTH = 120


@click.command(
    epilog=examples(
        "gh p2pcache monitor",
        "gh p2pcache monitor --once",
        "gh p2pcache monitor --json --interval 60 >> cache.jsonl",
    )
)
@click.option("--once", is_flag=True, help="show it once, then end")
@click.option(
    "--interval",
    type=click.FloatRange(0.2, 3600),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
)
@click.option("--json", "as_json", is_flag=True, help="print a JSON object a line")
def command(*, once: bool, interval: float, as_json: bool) -> None:
    """Watch the cache work: hit rate, calls saved, limits, peers, who asks, calls as they happen.

    In a pipe, or on a terminal that can't be drawn on, one line a call. Ctrl-C ends it.
    """
    watch = Watch(paths.state_dir(os.environ))
    try:
        if as_json:
            for seen in watch.often(interval, once=once):
                click.echo(json.dumps(seen, ensure_ascii=False))
        elif once:
            _once(watch)
        elif _is_drawn_on():
            _live(watch, interval)
        else:
            _lines(watch, interval)
    except KeyboardInterrupt:
        sys.exit(130)


def _is_drawn_on() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


class Watch:
    """Asks a running daemon again and again; `calls` are the last ones, the newest last."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._last = 0
        self.calls: deque[dict[str, Any]] = deque(maxlen=_REMEMBERED)

    def look(self) -> dict[str, Any]:
        """Return stats, status, peers, today's history, and calls since the last look.

        Raises DaemonError.
        """
        supervisor = client.status(self._state)
        if supervisor is None:
            raise DaemonError("no daemon runs (gh p2pcache start)")
        told = {name: control.get(self._state, f"/{name}") for name in ("stats", "status", "peers")}
        told["peers"] = settled(told["peers"], supervisor)
        told["history"] = control.get(self._state, "/history?days=1")
        told["activity"] = control.get(self._state, f"/activity?after={self._last}")
        self._last = told["activity"]["last"]
        self.calls.extend(told["activity"]["calls"])
        return {"at": time.time()} | told

    def often(self, interval: float, *, once: bool = False) -> Iterator[dict[str, Any]]:
        """Yield a look each `interval` seconds, and wait for a daemon that is gone meanwhile."""
        yield self.look()
        trouble = ""
        while not once:
            time.sleep(interval)
            try:
                seen = self.look()
            except DaemonError as error:
                if not trouble:
                    click.echo(f"gh-p2pcache: {error}", err=True)
                trouble = str(error)
                continue
            trouble = ""
            yield seen


def _once(watch: Watch) -> None:
    from gh_p2pcache.cli.screen import drawn, plain

    seen = watch.look()
    width, height = shutil.get_terminal_size((_PIPE_WIDTH, 40))
    if not sys.stdout.isatty():
        width = _PIPE_WIDTH
    view = drawn(seen, list(watch.calls), width, height)
    if _is_drawn_on() and not os.environ.get("NO_COLOR"):
        from rich.console import Console

        Console(highlight=False).print(view)
    else:
        click.echo(plain(view, width))


def _live(watch: Watch, interval: float) -> None:
    from rich.console import Console
    from rich.live import Live

    from gh_p2pcache.cli.screen import drawn

    console = Console(highlight=False)
    with Live(console=console, screen=True, auto_refresh=False) as live:
        for seen in watch.often(interval):
            live.update(drawn(seen, list(watch.calls), *console.size), refresh=True)


def _lines(watch: Watch, interval: float) -> None:
    from gh_p2pcache.cli.screen import call_line, headline

    said = ""
    for seen in watch.often(interval):
        for call in seen["activity"]["calls"]:
            click.echo(call_line(call))
        if (now := headline(seen).plain) != said:
            said = now
            click.echo(said)
        sys.stdout.flush()
