"""When the first page of each list last changed: no later page may be served from before that."""

from __future__ import annotations

from collections import OrderedDict

from gh_p2pcache.engine.call import Call
from gh_p2pcache.engine.shelf import Entry
from gh_p2pcache.policy.pages import family, next_family
from gh_p2pcache.records.message import header

_REMEMBERED = 10_000


class Lists:
    """GitHub dates at which first pages were fetched with a new body, by scope and family."""

    def __init__(self) -> None:
        self._changed: OrderedDict[tuple[bytes, bytes], int] = OrderedDict()

    def saw(self, call: Call, entry: Entry) -> None:
        """Learn from the entry of a first page; its `next` may lead to another family."""
        if not call.plan.per_page or call.behind is not None:
            return
        link = header(entry.record.headers, b"link")
        for name in (family(call.request), next_family(call.request, link)):
            if name is not None:
                self._changed[entry.keys.id, name] = entry.record.github_date
        while len(self._changed) > _REMEMBERED:
            self._changed.popitem(last=False)

    def overtaken(self, call: Call, entry: Entry) -> bool:
        """Tell whether the first page changed after this later page was last confirmed."""
        if call.behind is None:
            return False
        changed = self._changed.get((entry.keys.id, call.behind), 0)
        return changed > entry.validation.github_date
