"""One request on its way through the engine."""

from __future__ import annotations

from dataclasses import dataclass

from gh_p2pcache.engine.principals import Principal
from gh_p2pcache.policy.control import Wishes
from gh_p2pcache.policy.freshness import Profile
from gh_p2pcache.policy.plan import Plan
from gh_p2pcache.records.message import Request
from gh_p2pcache.records.seal import ScopeKeys


@dataclass(frozen=True, slots=True)
class Call:
    """A request, what policy says of it, who sent it and through which profile's door.

    `scopes` are those in which a record of it may lie, the widest first. `life` is how long an
    answer is fresh that sets no bound itself. `marks` are the pseudonyms of the tags that are known
    before an answer; `behind` is the family of a page behind the first of a list, None for any
    other request. `caller` is the program that asks, empty where that is not known.
    """

    request: Request
    plan: Plan
    wishes: Wishes
    principal: Principal
    profile: Profile
    scopes: tuple[ScopeKeys, ...]
    life: float
    marks: tuple[bytes, ...]
    behind: bytes | None
    caller: str

    @property
    def no_stale(self) -> bool:
        """Whether gh itself would keep the answer: then it must be fresh, or a 503."""
        return self.wishes.mode == "no-stale" or self.wishes.gh_cache_ttl is not None

    @property
    def must_ask(self) -> bool:
        """Whether the caller wants GitHub's word now."""
        return self.wishes.mode == "refresh" or self.wishes.no_cache

    @property
    def only_kept(self) -> bool:
        """Whether GitHub must not be asked (`--offline`, RFC 9111 section 5.2.1.7)."""
        return self.wishes.mode == "offline" or self.wishes.only_if_cached
