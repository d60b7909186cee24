"""Puts an engine together from settings: everything it works with, and what must be closed."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gh_p2pcache.engine.budgets import Budgets
from gh_p2pcache.engine.clock import Clock
from gh_p2pcache.engine.desk import Desk
from gh_p2pcache.engine.fill import Fill
from gh_p2pcache.engine.flow import Engine
from gh_p2pcache.engine.forward import Forward
from gh_p2pcache.engine.members import Members
from gh_p2pcache.engine.news import News
from gh_p2pcache.engine.nodes import Nodes
from gh_p2pcache.engine.outages import Outages
from gh_p2pcache.engine.peers import NoPeers, Peers
from gh_p2pcache.engine.principals import Principals, machine_secret
from gh_p2pcache.engine.proofs import Proofs
from gh_p2pcache.engine.shelf import Shelf
from gh_p2pcache.engine.stats import Stats
from gh_p2pcache.engine.teams import Teams, scope_of
from gh_p2pcache.engine.tombstones import Tombstones
from gh_p2pcache.engine.trust import Trust
from gh_p2pcache.origin.etag import Predictor
from gh_p2pcache.origin.upstream import LateOrigin, Upstream
from gh_p2pcache.records.seal import ScopeKeys, derive
from gh_p2pcache.records.sign import public_of
from gh_p2pcache.settings import Settings
from gh_p2pcache.store.disk import DiskStore
from gh_p2pcache.store.identity import load_identity
from gh_p2pcache.store.journal import Journal
from gh_p2pcache.teams import Team, load_teams

_LOG = logging.getLogger(__name__)
_JOURNAL_BYTES = 8 << 20
_IMMUTABLE_SECONDS = 7 * 86400.0


@dataclass
class House:
    """An engine and what it stands on; `close` ends it in good order."""

    engine: Engine
    desk: Desk
    origin: Upstream
    stats: Stats
    machine: ScopeKeys
    settings: Settings
    clock: Clock
    members: Members
    news: News
    outages: Outages

    def save(self) -> None:
        """Write what is remembered over a restart: statistics and the predictor's trust."""
        self.stats.save()
        _save_trust(self.settings.state_dir, self.desk.predictor)

    async def close(self) -> None:
        """Finish writing and close every connection."""
        await self.origin.close()
        await asyncio.to_thread(self.desk.shelf.close)
        self.stats.fold()
        self.save()


async def build(
    settings: Settings,
    env: Mapping[str, str] | None = None,
    *,
    clock: Clock | None = None,
    origin: Upstream | None = None,
    peers: Peers | None = None,
    teams: Sequence[Team] | None = None,
) -> House:
    """Open the store and derive the keys; raises StoreError when the state cannot be written."""
    clock = clock or Clock()
    if teams is None:
        teams = await asyncio.to_thread(load_teams, settings, _LOG.warning)
    origin = origin or LateOrigin(settings.upstream, env)
    state = settings.state_dir
    secret = machine_secret(state)
    machine = await asyncio.to_thread(derive, secret, "machine")
    stats = Stats(state / "stats.json", state / "history", now=clock.now)
    disk = DiskStore(settings.cache_dir, settings.max_size, on_event=stats.event)
    keep = max(settings.max_stale, _IMMUTABLE_SECONDS)
    team_scopes = Teams(await asyncio.gather(*(asyncio.to_thread(scope_of, t) for t in teams)))
    tombstones = Tombstones(
        Journal(settings.cache_dir / "tombstones", _JOURNAL_BYTES, on_event=stats.event),
        clock,
        pseudonym=machine.pseudonym,
        keep=keep,
        forget_records=disk.clear,
        telling=team_scopes.telling,
    )
    proofs = Proofs(
        Journal(state / "proofs", _JOURNAL_BYTES, on_event=stats.event),
        machine.pseudonym, clock, keep,
    )  # fmt: skip
    shelf = Shelf(disk, lambda record, keys: tombstones.marks_in(keys, record.tags))
    desk = Desk(
        settings=settings,
        clock=clock,
        shelf=shelf,
        tombstones=tombstones,
        proofs=proofs,
        predictor=Predictor(_saved_trust(state)),
    )
    desk.teams = team_scopes
    budgets, outages = Budgets(clock), Outages(clock)
    nodes = Nodes(complete=next(disk.tags(), None) is None)
    principals = Principals(secret)
    signer = await asyncio.to_thread(load_identity, state)
    trust = Trust(
        state / "banned.json",
        own=signer.public,
        trusted=[public_of(peer) for peer in settings.trusted_peers],
    )
    peers = peers or NoPeers()
    shelf.signer = signer
    news = News(desk, peers, principals, stats=stats, trust=trust)
    members = Members(desk, peers, news, stats=stats, signer=signer, trust=trust)
    fill = Fill(desk, origin, budgets, stats, outages=outages, nodes=nodes, members=members)
    forward = Forward(desk, origin, budgets, stats, outages=outages, nodes=nodes)
    engine = Engine(
        desk=desk,
        principals=principals,
        fill=fill,
        forward=forward,
        budgets=budgets,
        stats=stats,
    )
    return House(engine, desk, origin, stats, machine, settings, clock, members, news, outages)


def _trust_file(state: Path) -> Path:
    return state / "etag-prediction.json"


def _saved_trust(state: Path) -> list[tuple[str, str]]:
    try:
        rows = json.loads(_trust_file(state).read_text(encoding="utf-8"))
        return [(str(site), str(kind)) for site, kind in rows]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        _LOG.warning("ETag prediction calibrates anew: %s", error)
        return []


def _save_trust(state: Path, predictor: Predictor) -> None:
    try:
        _trust_file(state).write_text(json.dumps(predictor.trusted()), encoding="utf-8")
    except OSError as error:
        _LOG.warning("ETag prediction is not remembered: %s", error)
