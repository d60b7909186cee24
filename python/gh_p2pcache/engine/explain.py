"""Why a call is answered as it is: what policy says of it, what is held, what would come next."""

from __future__ import annotations

from datetime import datetime, timezone

from gh_p2pcache.engine.budgets import Budgets
from gh_p2pcache.engine.call import Call
from gh_p2pcache.engine.desk import Desk, publisher
from gh_p2pcache.engine.shelf import Entry
from gh_p2pcache.engine.trust import Trust
from gh_p2pcache.policy.freshness import rule
from gh_p2pcache.records.cid import cid_text
from gh_p2pcache.records.sign import peer_id


async def explain(desk: Desk, budgets: Budgets, trust: Trust, call: Call) -> dict[str, object]:
    """Return what `gh p2pcache explain` prints; asks GitHub nothing, changes nothing."""
    plan = call.plan
    told: dict[str, object] = {
        "request": f"{call.request.method} https://{call.request.host}{call.request.target}",
        "route": plan.route,
        "profile": call.profile,
        "kept": plan.action == "keep",
        "why": plan.reason,
    }
    if plan.action != "keep":
        return told | {"next": "goes to GitHub as it is"}
    team, access = desk.team_of(plan.access), plan.access
    settings = desk.settings
    decides, _ = rule(plan, call.profile, call.wishes, settings.default_ttl, settings.rules)
    told |= {
        "scope": "team" if team is not None else "this token",
        "access": f"{access.repo}: {', '.join(sorted(access.classes))}" if access else None,
        "rule": decides,
        "fresh_for": call.life,
        "stale_for": desk.stale_bound(call),
        "resource": plan.resource,
    }
    entry = await desk.find(call)
    needed = access if entry is None else desk.access_of(call, entry)
    if team is not None and needed is not None:
        told["access_proven"] = _time(desk.proofs.last(call.principal.id, needed))
    told["held"] = None if entry is None else _held(desk, call, entry)
    told["peer"] = None if entry is None else _peer(desk, trust, call, entry)
    told["next"] = _next(desk, budgets, call, entry)
    return told


def _held(desk: Desk, call: Call, entry: Entry) -> dict[str, object]:
    record = entry.record
    mine = record.publisher == publisher(entry.keys, call.principal)
    return {
        "status": record.status,
        "cid": cid_text(entry.digest) if entry.digest else None,
        "age": round(desk.age(entry), 1),
        "bytes": len(record.body),
        "fetched": _time(record.fetched_at),
        "fetched_by": "this token" if mine else "another token of the team",
        "confirmed": _time(entry.validation.validated_at),
        "alive": desk.alive(entry),
        "readable": desk.readable(call, entry),
        "tags": [tag for tag in record.tags if not tag.startswith(("node:", "scope:", "signer:"))],
    }


def _peer(desk: Desk, trust: Trust, call: Call, entry: Entry) -> dict[str, object] | None:
    """Return which other machine signed a record, and what it takes to be given it."""
    signer = desk.foreign(entry)
    if signer is None:
        return None
    needed = desk.access_of(call, entry)
    at = None if needed is None else desk.proofs.last(call.principal.id, needed)
    return {
        "id": peer_id(signer),
        "signature": "verified",
        "access": "proven" if desk.readable(call, entry) else "not proven",
        "at": at,
        "banned": trust.banned.get(signer, ""),
    }


def _next(desk: Desk, budgets: Budgets, call: Call, entry: Entry | None) -> str:
    blocked = budgets.blocked(call.principal.id, call.plan.site, call.plan.resource)
    if entry is not None and desk.alive(entry) and desk.readable(call, entry):
        left = desk.remaining(call, entry)
        if left > 0:
            return f"is answered from the cache, for {left:.0f} s more"
    if blocked is not None:
        until = _time(blocked.until)
        if desk.may_bridge(call, entry):
            return f"is answered stale: GitHub limits this token until {until}"
        return f"gets GitHub's limit answer: it limits this token until {until}"
    if entry is None:
        return "is asked of GitHub"
    doubt = f" ({why})" if (why := desk.doubt(call, entry)) else ""
    return f"is asked of GitHub{doubt}, with the ETag of what is held where that can be told"


def _time(at: float | None) -> str | None:
    if at is None:
        return None
    return datetime.fromtimestamp(at, tz=timezone.utc).isoformat(timespec="seconds")
