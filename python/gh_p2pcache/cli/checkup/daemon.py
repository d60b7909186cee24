"""The daemon: that it comes up, with which settings, and gh's overlay through it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from gh_p2pcache import __version__, paths, published, settings
from gh_p2pcache.cli import control
from gh_p2pcache.cli.checkup.finding import Env, Finding, broken, note, ok
from gh_p2pcache.cli.output import moment
from gh_p2pcache.errors import DaemonError
from gh_p2pcache.overlay.files import directory
from gh_p2pcache.published import Row
from gh_p2pcache.supervisor import client
from gh_p2pcache.supervisor.commands import is_alive

_OVERLAY_SECONDS = 3.0
_RETRY_SECONDS = 0.2


def running(env: Env) -> Iterator[Finding]:
    """Find the daemon, or start it: what keeps it from coming up is what the user must know."""
    state, there = paths.state_dir(env), settings.in_force(env)
    if paths.unusable("state directory", state):
        return
    before = is_alive(str(state))
    try:
        client.start(state, env)
        supervisor = client.status(state)
        told = control.get(state, "/status")
    except DaemonError as error:
        yield broken(f"the daemon: {error}", "gh p2pcache logs says why; then gh p2pcache start")
        return
    since = moment(supervisor["since"]) if supervisor else "now"
    started = f"runs since {since}" if before else "was started for this"
    if told["version"] != __version__:
        what = f"the daemon is of version {told['version']}, this is {__version__}"
        yield note(what, "gh p2pcache restart")
    else:
        yield ok(f"the daemon answers ({started})")
    if supervisor and supervisor["restarts"]:
        yield note(f"crashes of its gateway so far: {supervisor['restarts']}", "gh p2pcache logs")
    found = {*there.warnings, paths.unusable("cache directory", there.cache_dir)}
    for warning in told["warnings"]:
        if warning not in found:
            yield note(f"the daemon says: {warning}", "put that right, then gh p2pcache restart")


def settings_differ(env: Env) -> Iterator[Finding]:
    """Compare what the daemon works with and what it would if it started now."""
    state = paths.state_dir(env)
    path = state / "run/settings"
    if not is_alive(str(state)) or not path.exists():
        return
    there = settings.in_force(env)
    differing = False
    for row in published.read(path):
        known = there.effective.get(row.name)
        mine = known.text if known else env.get(row.name, "")
        if not row.is_same(mine):
            differing = True
            yield note(_difference(row, mine), "gh p2pcache restart has the daemon take it")
    if not differing:
        yield ok("the daemon works with the settings of this shell")


def overlay(env: Env) -> Iterator[Finding]:
    """Have gh's configuration overlaid as the next call would, or hear why that cannot be."""
    state = paths.state_dir(env)
    if not is_alive(str(state)):
        return
    real = paths.gh_config_dir(env)
    refused = directory(state, "exact", real) / "refused"
    asked = {"config_dir": str(real), "gh_host": env.get("GH_HOST", "")}
    deadline = time.monotonic() + _OVERLAY_SECONDS
    try:
        told = control.post(state, "/overlay", asked)
        # A host is verified in the background: the first answer may come before that has ended.
        while not told["overlay"] and not refused.exists() and time.monotonic() < deadline:
            time.sleep(_RETRY_SECONDS)
            told = control.post(state, "/overlay", asked)
    except DaemonError as error:
        yield broken(f"no overlay of {real}: {error}", "gh p2pcache logs")
        return
    if told["overlay"]:
        yield ok(f"gh's configuration in {real} is overlaid")
    else:
        yield broken(
            f"no overlay of {real}: {told['reason']}",
            "until that is put right, gh with this configuration goes to GitHub itself",
        )


def _difference(row: Row, mine: str) -> str:
    known = settings.BY_NAME.get(row.name)
    if (known and known.secret) or "@" in mine or row.is_hashed:
        return f"{row.name} is not what the daemon has"
    return f"{row.name} is '{mine}' here, '{row.value}' in the daemon"
