"""`gh p2pcache explain`."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from gh_p2pcache import paths, settings
from gh_p2pcache.cli import agreed, control, gh
from gh_p2pcache.cli.output import duration, examples, moment, pairs, say_json, size
from gh_p2pcache.errors import ConfigError, DaemonError, P2PCacheError, UsageError
from gh_p2pcache.overlay.files import directory
from gh_p2pcache.parsers import parse_duration
from gh_p2pcache.supervisor import client

_OURS = frozenset({"request", "route", "profile", "kept"})
_HEADERS = ("-H", "X-P2PCache-Mode: explain")
_REFRESH = ("-H", "Cache-Control: no-cache")
"""What --refresh is to the gateway: our own field has `explain` in it already."""

_UNDONE = (
    "--jq=",
    "--template=",
    "--silent=false",
    "--include=false",
    "--paginate=false",
    "--cache=0",
)


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
    epilog=examples(
        "gh p2pcache explain --json repos/cli/cli/pulls -X GET -f state=closed",
        "gh p2pcache explain repos/cli/cli --ttl 1h",
        "CACHE_PROFILE=exact gh p2pcache explain user",
    ),
)
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@click.option("--ttl", metavar="DURATION", help="as of gh p2pcache api")
@click.option("--refresh", is_flag=True, help="as of gh p2pcache api")
@click.option("--offline", is_flag=True, help="as of gh p2pcache api")
@click.argument("call", nargs=-1, required=True, metavar="ENDPOINT [gh api flags]...")
def command(
    *, call: tuple[str, ...], as_json: bool, ttl: str | None, refresh: bool, offline: bool
) -> None:
    """Show why `gh p2pcache api ENDPOINT` is answered as it is.

    Whether it would be kept, for whom, for how long and by which rule; what is held, how old it
    is and who fetched it; what the next call would do. Asks GitHub nothing, changes nothing.
    """
    if refresh and offline:
        raise UsageError("--refresh and --offline exclude each other")
    told = ask(call, [*_ttl(ttl), *(_REFRESH if refresh else ())])
    if offline:
        told["next"] = _offline(told)
    if as_json:
        say_json(told)
    else:
        click.echo(text(told))


def ask(call: Sequence[str], fields: Sequence[str] = ()) -> dict[str, Any]:
    """Return the daemon's explanation of a `gh api` call; `fields` are gh's flags for our own.

    Raises DaemonError, or P2PCacheError with gh's own words where it refuses the call.

    gh is run on the overlay itself, not by the entry point: that falls back to GitHub, where an
    explained write would be done.
    """
    state, host = paths.state_dir(os.environ), _host(call)
    if settings.DISABLE.parse(settings.load(os.environ).effective[settings.DISABLE.name].text):
        why = f"{settings.DISABLE.name} is set"
        raise DaemonError(f"gh goes past the cache: {why}")
    client.start(state, os.environ)
    env = {**os.environ, "GH_CONFIG_DIR": str(_overlay(state, host))}
    if token := gh.any_token(os.environ, host):
        env[gh.token_variable(host)] = token
    said = subprocess.run(
        [gh.find(env) or "gh", "api", *_HEADERS, *fields, *_default_ttl(), *_bare(call)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        told = json.loads(said.stdout)
    except ValueError:
        told = None
    if not isinstance(told, dict) or not told.keys() >= _OURS:
        raise P2PCacheError(said.stderr.partition("\n")[0] or "the daemon gave no explanation")
    return told


def _host(call: Sequence[str]) -> str:
    for flag, following in zip(call, [*call[1:], ""], strict=True):
        if flag == "--hostname":
            return following
        if flag.startswith("--hostname="):
            return flag.partition("=")[2]
    return os.environ.get("GH_HOST", "")


def _overlay(state: Path, host: str) -> Path:
    if differing := agreed.against(state, os.environ):
        raise DaemonError(f"gh goes past the cache: {differing}")
    real = paths.gh_config_dir(os.environ)
    told = control.post(state, "/overlay", {"config_dir": str(real), "gh_host": host})
    if not told["overlay"]:
        raise DaemonError(f"gh goes past the cache: {told['reason']}")
    profile = settings.load(os.environ).effective[settings.PROFILE.name].text
    return directory(state, profile or "ttl", real)


def _default_ttl() -> list[str]:
    """Return the header by which the entry point hands the caller's own default on."""
    if not os.environ.get(settings.DEFAULT_TTL.name):
        return []
    return ["-H", f"X-P2PCache-Default-TTL: {settings.load(os.environ).default_ttl:g}"]


def _ttl(given: str | None) -> list[str]:
    """Return the field by which the entry point hands --ttl on. Raises UsageError."""
    if given is None:
        return []
    try:
        return ["-H", f"X-P2PCache-TTL: {parse_duration(given):g}"]
    except ConfigError as error:
        what = f"--ttl takes a duration such as 90, 30s, 5m or 1d ('{given}' was given)"
        raise UsageError(what) from error


def _offline(told: dict[str, Any]) -> str:
    """Return what the next call does with --offline, of which the daemon is not told."""
    held, proven = told.get("held"), told.get("access_proven")
    if (
        held
        and held["alive"]
        and held["age"] <= told["stale_for"]
        and (held["readable"] or (proven and _seconds_since(proven) <= told["stale_for"]))
    ):
        return "is answered from what is kept: --offline asks nobody"
    return "ends with exit code 3: nothing usable is kept, and --offline asks nobody"


def _seconds_since(moment_: str) -> float:
    return time.time() - datetime.fromisoformat(moment_).timestamp()


def _bare(call: Sequence[str]) -> list[str]:
    """Return the call without what would change or keep its output: of a flag the last counts."""
    only_some = (f"{flag}=false" for flag in ("--slurp", "--verbose") if flag in call)
    return [*call, *_UNDONE, *only_some]


def text(told: dict[str, Any]) -> str:
    """Return the explanation for people."""
    rows = [
        ("call", told["request"]),
        ("route", told["route"]),
        ("profile", told["profile"]),
        ("kept", "yes" if told["kept"] else f"no: {told['why']}"),
    ]
    if told["kept"]:
        rows += [*_policy(told), *_held(told["held"]), ("peer", _peer(told.get("peer")))]
    return pairs([*rows, ("next call", told["next"])])


def _policy(told: dict[str, Any]) -> list[tuple[str, str]]:
    access = told["access"] or ""
    if access and "access_proven" in told:
        proven = told["access_proven"]
        access += f" (proven {proven})" if proven else " (not proven by this token yet)"
    fresh = duration(told["fresh_for"]) if told["fresh_for"] else "asked of GitHub every time"
    return [
        ("for", "every token of the team" if told["scope"] == "team" else "this token alone"),
        ("access", access),
        ("rule", told["rule"]),
        ("fresh for", fresh),
        ("bridges", f"a limit or an outage, up to {duration(told['stale_for'])} old"),
        ("limit", told["resource"]),
    ]


def _held(held: dict[str, Any] | None) -> list[tuple[str, str]]:
    if held is None:
        return [("held", "nothing")]
    doubts = []
    if not held["alive"]:
        doubts.append("outdated by a write")
    if not held["readable"]:
        doubts.append("not for this token before it has proven access")
    state = f" ({'; '.join(doubts)})" if doubts else ""
    return [
        ("held", f"HTTP {held['status']}, {size(held['bytes'])}{state}"),
        ("age", duration(held["age"])),
        ("fetched", f"{held['fetched']} by {held['fetched_by']}"),
        ("confirmed", held["confirmed"] or ""),
        ("CID", held["cid"] or ""),
        ("tags", ", ".join(held["tags"])),
    ]


def _peer(peer: dict[str, Any] | None) -> str:
    """Say which other machine vouches for a record, and what was checked."""
    if peer is None:
        return ""
    at = f" at {moment(peer['at'])}" if peer["at"] else ""
    banned = f", banned: it {peer['banned']}" if peer.get("banned") else ""
    return f"{peer['id']} (signature {peer['signature']}, access {peer['access']}{at}{banned})"
