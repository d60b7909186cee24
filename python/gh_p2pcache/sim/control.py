"""Tests' hands on the small GitHub: /_sim/state and /_sim/control."""

from __future__ import annotations

from typing import Any

from gh_p2pcache.sim import changes
from gh_p2pcache.sim.faults import Fault
from gh_p2pcache.sim.limits import Secondary
from gh_p2pcache.sim.sim import Sim
from gh_p2pcache.sim.tokens import CLASSES


def state(sim: Sim) -> dict[str, Any]:
    """Return counts, the last requests (tokens by name) and the clock."""
    return sim.journal.report() | {"now": sim.clock.now(), "revision": sim.world.revision}


def control(sim: Sim, wanted: dict[str, Any]) -> None:
    """Do what each member says, in the order they came; ValueError names an unknown one.

    reset: true (all anew) or "counters". faults: [Fault's fields] instead of those that are set;
    fault: one more. limits: [{token, resource, limit?, remaining?, reset_in?}]. secondary: {token,
    seconds, retry_after?, status?}; 0 seconds end it. clock_shift: seconds. etag_formula, lag,
    last_page_lie, replay_step: see Switches. revoke, restore: token names. grant: {token, repo,
    classes}. push: {repo, branch, path, content, message?}. run: {repo, id, status, conclusion?,
    log?}.
    """
    for name, value in wanted.items():
        if name not in _SWITCHES:
            raise ValueError(f"unknown switch {name!r}; known: {', '.join(sorted(_SWITCHES))}")
        _SWITCHES[name](sim, value)


def _reset(sim: Sim, value: Any) -> None:
    if value == "counters":
        sim.journal = type(sim.journal)()
    else:
        sim.reset()


def _faults(sim: Sim, value: list[dict[str, Any]]) -> None:
    sim.faults.waiting = [Fault(**item) for item in value]


def _fault(sim: Sim, value: dict[str, Any]) -> None:
    sim.faults.waiting.append(Fault(**value))


def _limits(sim: Sim, value: list[dict[str, Any]]) -> None:
    for item in value:
        named = {"resource": "core", **item}
        token, resource = sim.world.tokens[named.pop("token")], named.pop("resource")
        sim.limits.set(token, resource, sim.clock.now(), **named)


def _secondary(sim: Sim, value: dict[str, Any]) -> None:
    more = {name: value[name] for name in ("retry_after", "status") if name in value}
    limit = Secondary(sim.clock.now() + value["seconds"], **more)
    sim.limits.secondary[value["token"]] = limit


def _clock_shift(sim: Sim, value: float) -> None:
    sim.clock.shift = float(value)


def _switch(name: str) -> Any:
    def set_it(sim: Sim, value: Any) -> None:
        setattr(sim.switches, name, value)
        sim.world.changed()

    return set_it


def _revoked(revoked: bool) -> Any:
    def set_it(sim: Sim, names: list[str]) -> None:
        for name in names:
            sim.world.tokens[name].revoked = revoked
        sim.world.changed()

    return set_it


def _grant(sim: Sim, value: dict[str, Any]) -> None:
    classes = CLASSES if value.get("classes") is None else frozenset(value["classes"])
    sim.world.tokens[value["token"]].grants[value["repo"].lower()] = classes
    sim.world.changed()


def _push(sim: Sim, value: dict[str, Any]) -> None:
    repo = sim.world.repo(*value["repo"].split("/"))
    if repo is None:
        raise ValueError(f"no repository {value['repo']!r}")
    now = int(sim.clock.now())
    change = {value["path"]: value["content"].encode()}
    author = ("Alice Liddell", "alice@example.com")
    repo.git.commit_files(value["branch"], change, author, now, value.get("message", "Push"))
    repo.pushed_at = repo.updated_at = now
    sim.world.changed()


def _run(sim: Sim, value: dict[str, Any]) -> None:
    repo = sim.world.repo(*value["repo"].split("/"))
    run = next((r for r in repo.runs if r.id == value["id"]), None) if repo else None
    if run is None:
        raise ValueError(f"no run {value['id']} in {value['repo']!r}")
    changes.set_run(run, sim.clock.now(), value["status"], value.get("conclusion"))
    for job in run.jobs if "log" in value else ():
        job.log = value["log"]
    sim.world.changed()


_SWITCHES = {
    "reset": _reset,
    "faults": _faults,
    "fault": _fault,
    "limits": _limits,
    "secondary": _secondary,
    "clock_shift": _clock_shift,
    "etag_formula": _switch("etag_formula"),
    "lag": _switch("lag"),
    "last_page_lie": _switch("last_page_lie"),
    "replay_step": _switch("replay_step"),
    "revoke": _revoked(revoked=True),
    "restore": _revoked(revoked=False),
    "grant": _grant,
    "push": _push,
    "run": _run,
}
