"""What `gh p2pcache api` prints about its call: one line, left under the call's id.

sh sees no header fields, so the gateway leaves the line in the runtime directory before the answer
is complete, and the entry point prints and removes it.
"""

from __future__ import annotations

import logging
import re
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from gh_p2pcache.engine import answer
from gh_p2pcache.engine.answer import Answer

_LOG = logging.getLogger(__name__)
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_REMEMBERED = 512
_WORDS = {
    answer.HIT: "✅ Cache hit",
    answer.PEER: "🌐 P2P shared",
    answer.REVALIDATED: "✅ Cache hit, confirmed by GitHub",
    answer.COALESCED: "✅ Cache hit, shared with a call in flight",
    answer.STALE: "🔄 Stale cache",
    answer.MISS: "⚡ Cache miss",
    answer.BYPASS: "⚡ Not cached",
}
_WORST_FIRST = (
    answer.STALE,
    answer.MISS,
    answer.BYPASS,
    answer.PEER,
    answer.COALESCED,
    answer.REVALIDATED,
    answer.HIT,
)


@dataclass(slots=True)
class _Pages:
    """All pages of one call so far."""

    target: str
    sources: Counter[str] = field(default_factory=Counter)
    age: int = 0
    detail: str = ""
    peers: list[str] = field(default_factory=list)
    absent: bool = False

    def line(self) -> str:
        if self.absent:
            return f"absent ❌ Not in the cache: {self.target}"
        worst = next(source for source in _WORST_FIRST if self.sources[source])
        text = f"{_WORDS[worst]}: {self.target}"
        notes = []
        if worst == answer.PEER:
            notes.append(f"from {' and '.join(self.peers)}")
        if worst in {answer.STALE, answer.HIT, answer.PEER}:
            notes.append(f"{self.age} s old")
        if self.detail:
            notes.append(self.detail)
        if (pages := self.sources.total()) > 1:
            notes.append(f"{pages} pages")
        if notes:
            text += f" ({', '.join(notes)})"
        return f"{'warning' if worst == answer.STALE else 'info'} {text}"


class Calls:
    """Leaves one line a call id in `directory`, rewritten as more of its pages are answered."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._pages: OrderedDict[str, _Pages] = OrderedDict()

    def note(self, call: str, target: str, given: Answer) -> None:
        """Add one answer to the call's line; an id that is no plain word is ignored."""
        if not _ID.fullmatch(call):
            return
        pages = self._pages.setdefault(call, _Pages(target))
        pages.sources[given.source] += 1
        pages.age = max(pages.age, given.age)
        if given.source == answer.PEER:
            pages.peers += [] if given.detail in pages.peers else [given.detail]
        else:
            pages.detail = given.detail or pages.detail
        pages.absent = pages.absent or given.absent
        try:
            while len(self._pages) > _REMEMBERED:
                forgotten, _ = self._pages.popitem(last=False)
                (self._directory / forgotten).unlink(missing_ok=True)
            (self._directory / call).write_text(pages.line() + "\n", encoding="utf-8")
        except OSError as error:
            _LOG.warning("the line of call %s was not left: %s", call, error)
