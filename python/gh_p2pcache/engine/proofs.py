"""Which token has shown, and when, that it may read what of which repository (DESIGN section 6)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import lru_cache

from gh_p2pcache.engine.clock import Clock
from gh_p2pcache.policy.classes import ANY, ITSELF
from gh_p2pcache.policy.plan import Access
from gh_p2pcache.records.seal import ScopeKeys
from gh_p2pcache.store.journal import Journal

LIFE_SECONDS = 600.0
"""A proof counts for so long; in an outage for the profile's stale time."""

_REWRITE_SECONDS = 60.0
_COMPACT_AT = 50_000
_OF_A_RECORD = f"{ITSELF}:"


class Proofs:
    """Access proofs of all principals, kept as pseudonyms over a restart."""

    def __init__(
        self, journal: Journal, pseudonym: Callable[[bytes], bytes], clock: Clock, keep: float
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._keep = keep
        self._at: dict[tuple[bytes, bytes], float] = {}
        self._journaled: dict[tuple[bytes, bytes], float] = {}
        self._refused: dict[tuple[bytes, bytes], int] = {}
        self._renewals: dict[tuple[bytes, bytes], int] = {}
        self._mark = lru_cache(4096)(
            lambda repo, class_: pseudonym(f"access {repo} {class_}".encode())
        )
        self._said: dict[tuple[bytes, bytes], float] = {}
        self._told: OrderedDict[tuple[bytes, bytes], tuple[float, int]] = OrderedDict()
        self.tell: Callable[[bytes, list[tuple[str, str]], int], None] | None = None
        self.scope_of: Callable[[str], ScopeKeys | None] = lambda _: None
        self._load()

    def prove(self, principal: bytes, pairs: Iterable[tuple[str, str]], date: int) -> None:
        """Note that an answer with GitHub's `date` opened these (repository, class) pairs.

        One from before a refusal, of a slower fill, proves nothing.
        """
        now = self._clock.now()
        news = []
        for repo, class_ in pairs:
            if date < self._refused_at(principal, repo, class_):
                continue
            key = self._key(principal, repo, class_)
            self._at[key] = now
            if now - self._journaled.get(key, 0.0) > _REWRITE_SECONDS:
                self._journaled[key] = now
                self._journal.append(("proof", *key, now))
            if self.tell is not None and now - self._said.get(key, 0.0) > _REWRITE_SECONDS:
                self._said[key] = now
                news.append((repo, class_))
        if news and self.tell is not None:
            self.tell(principal, news, date)
        if len(self._at) > _COMPACT_AT:
            self._compact()

    def withdraw(self, principal: bytes, access: Access, date: int) -> None:
        """GitHub refused this token this repository and class.

        `itself` is the class of the repository object, too: who is refused that sees nothing of it.
        """
        for class_ in access.classes | ({ANY} if ITSELF in access.classes else set()):
            key = (principal, self._mark(access.repo, class_))
            self._refuse(key, date)
            if class_ == ITSELF:
                self._renew(key)
            else:
                self._drop(key)

    def withdraw_all(self, principal: bytes, date: int) -> None:
        """GitHub does not know this token any more."""
        self._refuse((principal, b""), date)
        for key in [key for key in self._at if key[0] == principal]:
            self._drop(key)

    def holds(self, principal: bytes, access: Access, within: float = LIFE_SECONDS) -> bool:
        """Tell whether every class that `access` names was proven in the last `within` seconds."""
        since = self._clock.now() - within
        return all(
            self._at.get(self._key(principal, access.repo, class_), 0.0) > since
            or self._last(principal, access.repo, class_) > since
            for class_ in access.classes
        )

    def last(self, principal: bytes, access: Access) -> float | None:
        """Return when the oldest of the needed proofs was given, None without one (`explain`)."""
        times = [self._last(principal, access.repo, class_) for class_ in access.classes]
        return min(times) if times and all(times) else None

    def names(
        self, keys: ScopeKeys, principal: bytes, repo: str, class_: str
    ) -> tuple[bytes, bytes]:
        """Return by which pseudonyms members of a scope tell each other who may read what."""
        what = f"access {repo} {class_}".encode()
        return keys.pseudonym(b"who " + principal), keys.pseudonym(what)

    def learn(self, who: bytes, what: bytes, date: int) -> None:
        """Note what a token has shown on another machine, as of GitHub's `date`."""
        age = max(self._clock.github_now() - date, 0.0)
        known, _ = self._told.pop((who, what), (0.0, 0))
        self._told[who, what] = (max(self._clock.now() - age, known), date)
        while len(self._told) > _COMPACT_AT:
            self._told.popitem(last=False)

    def _last(self, principal: bytes, repo: str, class_: str) -> float:
        """Return when the newest proof was given, here or on another machine; 0: never."""
        here = self._at.get(self._key(principal, repo, class_), 0.0)
        keys = self.scope_of(repo) if self._told else None
        if keys is None:
            return here
        there, date = self._told.get(self.names(keys, principal, repo, class_), (0.0, 0))
        return max(here, there if date > self._refused_at(principal, repo, class_) else 0.0)

    def _key(self, principal: bytes, repo: str, class_: str) -> tuple[bytes, bytes]:
        """Return under which key a proof is kept.

        Proofs of single records can't be found by their repository: what names them moves at each
        refusal of all of them.
        """
        if class_.startswith(_OF_A_RECORD):
            times = self._renewals.get((principal, self._mark(repo, ITSELF)), 0)
            class_ = f"{class_} {times}"
        return principal, self._mark(repo, class_)

    def _renew(self, key: tuple[bytes, bytes]) -> None:
        times = self._renewals.pop(key, 0) + 1
        self._renewals[key] = times
        self._journal.append(("renewed", *key, times))

    def _refused_at(self, principal: bytes, repo: str, class_: str) -> int:
        class_ = ITSELF if class_.startswith(_OF_A_RECORD) else class_
        own = self._refused.get((principal, self._mark(repo, class_)), -1)
        return max(own, self._refused.get((principal, b""), -1))

    def _refuse(self, key: tuple[bytes, bytes], date: int) -> None:
        """Remember a refusal, over a restart too: members tell older proofs again."""
        self._refused.pop(key, None)
        self._refused[key] = date
        self._journal.append(("refused", *key, date))

    def _drop(self, key: tuple[bytes, bytes]) -> None:
        self._at.pop(key, None)
        self._journaled.pop(key, None)
        self._journal.append(("none", *key))

    def _compact(self) -> None:
        oldest = self._clock.now() - self._keep
        newest = sorted(self._at.items(), key=lambda item: item[1])[-_COMPACT_AT // 2 :]
        self._at = {key: at for key, at in newest if at > oldest}
        self._journaled = dict(self._at)
        self._said = {key: at for key, at in self._said.items() if key in self._at}
        self._renewals = dict(list(self._renewals.items())[-_COMPACT_AT:])
        self._refused = dict(list(self._refused.items())[-_COMPACT_AT:])
        rows: list[tuple[object, ...]] = [("proof", *key, at) for key, at in self._at.items()]
        rows += [("renewed", *key, times) for key, times in self._renewals.items()]
        rows += [("refused", *key, date) for key, date in self._refused.items()]
        self._journal.rewrite(lambda _: rows)

    def _load(self) -> None:
        for row in self._journal.load():
            match row:
                case ("proof", bytes(principal), bytes(mark), float(at)):
                    self._at[principal, mark] = at
                case ("renewed", bytes(principal), bytes(mark), int(times)):
                    self._renewals[principal, mark] = times
                case ("refused", bytes(principal), bytes(mark), int(date)):
                    self._refused[principal, mark] = date
                case ("none", bytes(principal), bytes(mark)):
                    self._at.pop((principal, mark), None)
        now = self._clock.now()
        self._at = {key: at for key, at in self._at.items() if at <= now}
        self._compact()
