"""Everything that is not a read of ours: streamed through, and what a write changes is buried."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

from gh_p2pcache.engine import answer
from gh_p2pcache.engine.answer import Answer, cache_fields, own_error
from gh_p2pcache.engine.budgets import Budgets
from gh_p2pcache.engine.call import Call
from gh_p2pcache.engine.desk import Desk
from gh_p2pcache.engine.nodes import Nodes
from gh_p2pcache.engine.outages import Outages
from gh_p2pcache.engine.stats import Stats
from gh_p2pcache.engine.tombstones import Write
from gh_p2pcache.errors import OriginError, UnsentError
from gh_p2pcache.origin.etag import plain
from gh_p2pcache.origin.upstream import Streamed, Upstream
from gh_p2pcache.policy.control import upstream_headers
from gh_p2pcache.policy.headers import http_date
from gh_p2pcache.policy.invalidation import mutation_nodes, outcome, written_tags
from gh_p2pcache.records.message import Headers, header

_LOG = logging.getLogger(__name__)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Forward:
    """Passes a request to GitHub and its answer back, in both directions without keeping it."""

    def __init__(
        self,
        desk: Desk,
        origin: Upstream,
        budgets: Budgets,
        stats: Stats,
        *,
        outages: Outages,
        nodes: Nodes,
    ) -> None:
        self.desk = desk
        self.origin = origin
        self.budgets = budgets
        self.stats = stats
        self.outages = outages
        self.nodes = nodes

    async def run(self, call: Call, body: AsyncIterator[bytes] | None) -> Answer:
        """Return GitHub's answer as a stream; `body` is what of the request is still to be read."""
        tags = self._input_tags(call) if call.plan.writes else None
        write = None if tags is None else self.desk.tombstones.begin(tags)
        self.stats.event("upstream")
        headers = upstream_headers(call.request.headers)
        sent = replace(call.request, headers=headers)
        async with AsyncExitStack() as stack:
            try:
                opened = self.origin.open(sent, body, reuse=write is None)
                streamed = await stack.enter_async_context(opened)
                whole = await self._end(call, write, streamed)
            except BaseException as error:
                if write is not None:
                    if isinstance(error, UnsentError):
                        self.desk.tombstones.refused(write)
                    else:
                        self.desk.tombstones.end(write, None)
                if not isinstance(error, OriginError):
                    raise
                self.stats.event("upstream_unreachable")
                _LOG.warning("%s", error)
                return own_error(502, str(error))
            fields = cache_fields(answer.BYPASS, 0, detail=call.plan.reason)
            given = _given(streamed.headers, fields)
            if whole is not None:
                return Answer(streamed.status, given, whole, answer.BYPASS)
            return Answer(
                streamed.status, given, b"", answer.BYPASS,
                stream=_relay(streamed.chunks, stack.pop_all()),
            )  # fmt: skip

    async def _end(self, call: Call, write: Write | None, streamed: Streamed) -> bytes | None:
        """Learn from the head and settle the write; returns the body where it had to be read."""
        date = http_date(header(streamed.headers, b"date") or b"")
        if date is not None:
            self.desk.clock.saw(date, call.plan.site)
        self.budgets.note(call.principal.id, call.plan.site, streamed.headers)
        if streamed.status < 500:
            self.outages.answered(call.plan.site)
        if write is None:
            return None
        said = outcome(streamed.status)
        if said == "refused":
            self.desk.tombstones.refused(write)
            return None
        if not is_mutation(call):
            self.desk.tombstones.end(write, date if said == "done" else None)
            return None
        whole = b"".join([chunk async for chunk in streamed.chunks])
        tags = self._output_tags(call, streamed.headers, whole)
        self.desk.tombstones.end(write, date if said == "done" else None, tags)
        return whole

    def _input_tags(self, call: Call) -> frozenset[str]:
        """Return the tags of what a write may change, as far as the request tells."""
        tags = self.nodes.with_aliases(call.plan.site, written_tags(call.request))
        if not is_mutation(call):
            return tags
        named = mutation_nodes(call.request.body, None)
        return tags | self.nodes.aimed_at(call.plan.site, named)

    def _output_tags(self, call: Call, headers: Headers, whole: bytes) -> frozenset[str]:
        """Return the tags of what a mutation's answer shows to be changed besides."""
        try:
            named = mutation_nodes(call.request.body, plain(headers, whole))
        except ValueError:
            return frozenset({f"site:{call.plan.site}"})
        return self.nodes.changed_by(call.plan.site, named)


def is_mutation(call: Call) -> bool:
    """Tell whether a write is a GraphQL mutation."""
    return call.plan.route == "graphql mutation"


def _given(headers: Headers, fields: Headers) -> Headers:
    mine = {name for name, _ in fields} - {b"age"}
    if header(headers, b"age") is not None:
        fields = tuple(field for field in fields if field[0] != b"age")
    return tuple(field for field in headers if field[0] not in mine) + fields


async def _relay(
    chunks: AsyncIterator[bytes], stack: AsyncExitStack
) -> AsyncGenerator[bytes, None]:
    async with stack:
        async for chunk in chunks:
            yield chunk
