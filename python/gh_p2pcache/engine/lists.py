"""When the first page of each list last changed: no later page may be served from before that."""

from __future__ import annotations

from collections import OrderedDict

from gh_p2pcache.engine.call import Call
from gh_p2pcache.engine.shelf import Entry
from gh_p2pcache.policy.pages import family, next_family
from gh_p2pcache.records.message import header

_REMEMBERED = 10_000


class Lists:
    """When first pages were fetched with a new body, by scope and family.

    By GitHub's Date, and by our own clock within one second of it: all pages of a list are usually
    fetched in the same second, and so may a change be.
    """

    def __init__(self) -> None:
        self._changed: OrderedDict[tuple[bytes, bytes], tuple[int, float]] = OrderedDict()

    def saw(self, call: Call, entry: Entry) -> None:
        """Learn from the entry of a first page; its `next` may lead to another family."""
        if not call.plan.per_page or call.behind is not None:
            return
        record = entry.record
        link = header(record.headers, b"link")
        for name in (family(call.request), next_family(call.request, link)):
            if name is not None:
                self._changed[entry.keys.id, name] = (record.github_date, record.fetched_at)
        while len(self._changed) > _REMEMBERED:
            self._changed.popitem(last=False)

    def overtaken(self, call: Call, entry: Entry) -> bool:
        """Tell whether the first page changed after this later page was last confirmed."""
        if call.behind is None:
            return False
        changed = self._changed.get((entry.keys.id, call.behind))
        confirmed = (entry.validation.github_date, entry.validation.validated_at)
        return changed is not None and changed > confirmed
