"""`gh p2pcache dashboard`."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Mapping

import click

from gh_p2pcache import paths
from gh_p2pcache.cli import control
from gh_p2pcache.cli.output import duration, examples, say_json
from gh_p2pcache.supervisor import client


@click.command(epilog=examples("gh p2pcache dashboard", "gh p2pcache dashboard --no-browser"))
@click.option("--no-browser", is_flag=True, help="print the address instead of opening it")
@click.option("--json", "as_json", is_flag=True, help="print the address as JSON")
def command(*, no_browser: bool, as_json: bool) -> None:
    """Open a page with charts, limits, peers and the last calls; the daemon serves it on loopback.

    The address is good once, within a minute. Its tab stays let in until the daemon starts anew.
    """
    state = paths.state_dir(os.environ)
    client.start(state, os.environ)
    told = control.post(state, "/dashboard", {})
    if as_json:
        say_json(told)
        return
    if not no_browser and _has_screen(os.environ) and webbrowser.open(told["url"]):
        click.echo("The dashboard is opened in the browser.")
        return
    click.echo(told["url"])
    click.echo(f"good once, within {duration(told['seconds'])}", err=True)


def _has_screen(env: Mapping[str, str]) -> bool:
    """Tell whether a browser would be more than a program in this terminal."""
    named = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform == "darwin" or any(env.get(name) for name in named)
