"""Gossip: tells all members of a scope at once what happened here, and hears what did elsewhere.

Best effort, sealed with the scope's topic key. Announcements and proofs are batched, since a
message costs a node 4 to 15 ms of CPU; burials go at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial

import trio

from gh_p2pcache.errors import RejectedError
from gh_p2pcache.peer.knowledge import Knowledge
from gh_p2pcache.peer.messages import Batch, Bury, Proofs, ScopeGrant, SignedValidation
from gh_p2pcache.peer.outbox import Outbox
from gh_p2pcache.peer.rates import Budget
from gh_p2pcache.peer.topic import Topic
from gh_p2pcache.peer.wire import Book, PeerError, Wire

BATCH_SECONDS = 0.2
RUBBISH = 10
"""Points for a message that cannot be opened or read: only members send any."""
STRANGERS = ""
"""In whose name what comes from authors that are not connected is counted, all of them together:
a member can make up as many of these as it likes."""
_ITEM = 200
"""Bytes of a message that are counted as one item before it is opened."""

_LOG = logging.getLogger("gh_p2pcache.peer")


class Gossip:
    """Speaks and hears in the topics of all scopes; make it before the wire starts."""

    def __init__(
        self, wire: Wire, book: Book, knowledge: Knowledge, grants: Iterable[ScopeGrant]
    ) -> None:
        self._wire = wire
        self._book = book
        self._knowledge = knowledge
        self._topics = {grant.id: Topic(grant.id, grant.topic) for grant in grants}
        self._boxes = {scope: Outbox() for scope in self._topics}
        self._urgent = trio.Event()
        self._waiting = trio.Event()
        self._sent = Budget()
        self._strangers = Budget()
        self.rejected = 0
        """Messages that could not be opened or read, or were too many."""
        for topic in self._topics.values():
            wire.subscribe(topic.name, partial(self._on_message, topic))

    def tell(self, news: SignedValidation | Bury | Proofs) -> None:
        """Remember news of our gateway, and tell all members of the scope: burials at once."""
        box = self._boxes.get(news.scope)
        if box is None:
            _LOG.debug("news of a scope that is not ours any more")
            return
        try:
            if isinstance(news, SignedValidation):
                self._knowledge.announce(news)
                box.announce(news.row())
            elif isinstance(news, Bury):
                self._knowledge.bury(news.scope, news.marks, news.date)
                box.bury(news.marks, news.date)
            else:
                self._knowledge.prove(news.scope, news.items)
                box.prove(news.items)
        except RejectedError as error:
            _LOG.warning("what our own gateway says is not told: %s", error)
        (self._urgent if box.urgent else self._waiting).set()

    async def run(self) -> None:
        """Send what waits, for ever."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._send_burials)
            nursery.start_soon(self._send_news)

    async def _send_burials(self) -> None:
        while True:
            await self._urgent.wait()
            self._urgent = trio.Event()
            for scope, box in self._boxes.items():
                while box.urgent:
                    await self._publish(scope, box.burials())

    async def _send_news(self) -> None:
        """Send a page of each scope at a time, and no more than members take from one author."""
        while True:
            await self._waiting.wait()
            await trio.sleep(BATCH_SECONDS)
            for scope, box in self._boxes.items():
                if self._sent.take("announce", box.waiting, trio.current_time()):
                    await self._publish(scope, box.news())
            if not any(box.waiting for box in self._boxes.values()):
                self._waiting = trio.Event()

    async def _publish(self, scope: bytes, batch: Batch) -> None:
        if batch == Batch():
            return
        topic = self._topics[scope]
        try:
            await self._wire.publish(topic.name, topic.seal(batch))
        except PeerError as error:
            # Members learn of it by anti-entropy.
            _LOG.debug("a batch was not gossiped: %s", error)

    def _on_message(self, topic: Topic, author: str, data: bytes) -> None:
        if author == self._wire.own_id:
            return
        connected = self._book.is_member(author, topic.scope)
        if not self._allowed(author if connected else STRANGERS, 1 + len(data) // _ITEM):
            self.rejected += 1
            return
        try:
            batch = topic.open(data)
            if isinstance(batch, Batch):
                source = author if connected else STRANGERS
                self._knowledge.heard(topic.scope, author, source, batch)
        except RejectedError as error:
            self.rejected += 1
            if connected:
                self._book.misbehaved(author, RUBBISH, f"gossip: {error}")

    def _allowed(self, source: str, items: int) -> bool:
        if source == STRANGERS:
            return self._strangers.take("announce", items, trio.current_time())
        return self._book.allow(source, "announce", items)
