"""`gh p2pcache status`."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from gh_p2pcache import paths, settings
from gh_p2pcache.cli import control, peers
from gh_p2pcache.cli.output import counted, duration, examples, moment, pairs, say_json, size
from gh_p2pcache.errors import DaemonError, StoreError
from gh_p2pcache.shell import profile
from gh_p2pcache.supervisor import client


@click.command(
    epilog=examples(
        "gh p2pcache status",
        "gh p2pcache status --json | jq -r .gateway.http_url",
    )
)
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> None:
    """Show what runs. Exit code 6 when no daemon does, 7 when none can."""
    told = read(paths.state_dir(os.environ))
    if as_json:
        say_json(told)
    else:
        click.echo(text(told))
    if not told["running"]:
        ctx.exit((StoreError if told.get("problem") else DaemonError).exit_code)


def read(state: Path) -> dict[str, Any]:
    """Return what supervisor and gateway say of themselves; an idle gateway is not woken for it."""
    supervisor = client.status(state)
    told: dict[str, Any] = {"running": supervisor is not None, "state_dir": str(state)}
    told["shell"] = {
        "on": profile.is_on(os.environ),
        "disabled": settings.is_disabled(os.environ),
        "profiles": [str(file) for file in profile.where_on(os.environ)],
    }
    if supervisor is None:
        if problem := paths.unusable("state directory", state):
            return told | {"failed": None, "problem": problem}
        failed = state / "failed"
        return told | {
            "failed": failed.read_text(encoding="utf-8").strip() if failed.exists() else None
        }
    told |= {"supervisor": supervisor, "gateway": None, "problem": None}
    if supervisor["ready"]:
        try:
            told["gateway"] = control.get(state, "/status")
        except DaemonError as error:
            told["problem"] = str(error)
    return told


def warn(state: Path) -> None:
    """Say on stderr what the daemon says of its settings, which it works without."""
    with suppress(DaemonError):
        for line in control.get(state, "/status")["warnings"]:
            click.echo(f"gh-p2pcache: {line}", err=True)


def text(told: dict[str, Any]) -> str:
    """Return the status for people."""
    if not told["running"]:
        return f"{_not_running(told)}\n{pairs([('shell', _shell(told['shell']))])}"
    supervisor, gateway = told["supervisor"], told["gateway"]
    rows = [
        ("daemon", _since("runs", supervisor["pid"], supervisor["since"])),
        ("gateway", told["problem"] or _gateway(supervisor, gateway)),
        ("restarts", f"{supervisor['restarts']} after a crash" if supervisor["restarts"] else ""),
        ("engine", supervisor["engine"]),
        ("sockets", supervisor["run"]),
        ("state", told["state_dir"]),
        ("shell", _shell(told["shell"])),
    ]
    if gateway:
        store = gateway["store"]
        kept = counted(store["records"], "record")
        rows += [
            ("store", f"{gateway['cache_dir']} ({kept}, {size(store['bytes'])})"),
            ("upstream", gateway["upstream"] or ""),
            (
                "sharing",
                "under the team's secret" if gateway["team"] else "none: each token has its own",
            ),
            ("peers", _peers(gateway, supervisor)),
            ("IPFS", _ipfs(gateway.get("ipfs"))),
            ("http", gateway["http_url"] or ""),
            ("notice", click.style(gateway["notice"], fg="yellow") if gateway["notice"] else ""),
            *(("limit", _budget(budget)) for budget in gateway["budgets"]),
            *(("warning", click.style(line, fg="yellow")) for line in gateway["warnings"]),
        ]
    return pairs(rows)


def _not_running(told: dict[str, Any]) -> str:
    if problem := told.get("problem"):
        return f"No daemon runs, and none can start: {problem}"
    failed = told["failed"]
    first = "No daemon runs. The next call starts one, or: gh p2pcache start"
    if not failed:
        return first
    at, _, reason = failed.partition(" ")
    when = f" at {moment(int(at))}" if at.isdigit() else ""
    return f"{first}\nThe last start failed{when}: {reason}"


def _shell(shell: dict[str, Any]) -> str:
    here = "every gh goes through the cache" if shell["on"] else "gh asks GitHub itself"
    if shell["disabled"]:
        return "CACHE_DISABLE is set in this one: gh asks GitHub itself"
    if shell["profiles"]:
        return f"{here} in this one; {', '.join(shell['profiles'])}: on"
    return f"{here} in this one; off in every profile (gh p2pcache on)"


def _since(word: str, pid: int, since: float) -> str:
    return f"{word} since {moment(since)} ({duration(time.time() - since)}), pid {pid}"


def _gateway(supervisor: dict[str, Any], gateway: dict[str, Any] | None) -> str:
    if gateway:
        return f"{_since('runs', gateway['pid'], gateway['since'])}, version {gateway['version']}"
    if supervisor["gateway"]:
        return "is starting"
    return "sleeps; the next call wakes it"


def _ipfs(told: dict[str, Any] | None) -> str:
    if told is None:
        return ""
    why = f" ({told['why']})" if told["why"] else ""
    return f"{told['state']}{why}, {counted(told['pinned'], 'record')} pinned"


def _peers(gateway: dict[str, Any], supervisor: dict[str, Any]) -> str:
    told = gateway.get("peers")
    return peers.line(peers.settled(told, supervisor)) if told else ""


def _budget(budget: dict[str, Any]) -> str:
    line = (
        f"{budget['resource']}: {budget['remaining']:,} of {budget['limit']:,} left until"
        f" {moment(budget['reset'])} ({budget['site']}, token {budget['token']})"
    )
    return line if budget["remaining"] else click.style(line, fg="red")
