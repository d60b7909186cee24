"""Whom to believe: samples of what members signed, compared with what GitHub says.

Only where GitHub can be asked for free: REST, with a predicted ETag (DESIGN section 7).
"""

from __future__ import annotations

import json
import logging
import random
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from gh_p2pcache.records.sign import peer_id
from gh_p2pcache.store.files import replace_text

SAMPLED = 1 / 20
"""The part of a member's REST answers that is compared with GitHub's."""

_WINDOW = 20
_STRIKES = 3
"""Differences among the last _WINDOW samples that tell a forger from a busy repository, if they
are the greater part."""

_REMEMBERED = 1000
"""Signers judged, and signers banned: an identity costs nothing, so the oldest make room."""

_LOG = logging.getLogger(__name__)


class Trust:
    """Judges signers by samples; a banned one is remembered in `path` over a restart."""

    def __init__(
        self,
        path: Path,
        *,
        own: bytes,
        trusted: Iterable[bytes] = (),
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`trusted`: if any, nobody else may publish. `own`: our key, which is not judged."""
        self._path = path
        self.own = own
        self._trusted = frozenset(trusted)
        self._chance = chance
        self._agreed: dict[bytes, deque[bool]] = {}
        self.banned: dict[bytes, str] = self._load()

    def may_publish(self, signer: bytes, trusted: frozenset[bytes], un: frozenset[bytes]) -> bool:
        """Tell whether records of `signer` may be used at all, by a team's lists and ours."""
        if signer == self.own:
            return True
        if signer in self.banned or signer in un:
            return False
        return all(not allowed or signer in allowed for allowed in (self._trusted, trusted))

    def suspect(self, signer: bytes) -> bool:
        """Tell whether each answer of `signer` is compared before it is used."""
        return not all(self._agreed.get(signer, ()))

    def sample(self) -> bool:
        """Tell whether this answer is to be compared after it was used."""
        return self._chance() < SAMPLED

    def agreed(self, signer: bytes) -> None:
        """GitHub confirmed what `signer` vouched for."""
        self._note(signer, agreed=True)

    def differed(self, signer: bytes, *, proven: bool) -> str | None:
        """GitHub said something else; returns why `signer` is banned now, or None.

        `proven`: what it signed cannot ever have been GitHub's answer.
        """
        if signer == self.own:
            return None
        seen = self._note(signer, agreed=False)
        strikes = seen.count(False)
        if not proven and (strikes < _STRIKES or 2 * strikes <= len(seen)):
            return None
        why = "signed what GitHub never said" if proven else "signs what GitHub does not confirm"
        return why if self.ban(signer, why) else None

    def ban(self, signer: bytes, why: str) -> bool:
        """Shut `signer` out; returns whether that is news."""
        if signer in self.banned or signer == self.own:
            return False
        self.banned[signer] = why
        _LOG.warning("%s is banned: it %s", peer_id(signer), why)
        self._save()
        return True

    def lift(self, signer: bytes) -> bool:
        """Take `signer` back; returns whether it was banned."""
        self._agreed.pop(signer, None)
        known = self.banned.pop(signer, None) is not None
        if known:
            self._save()
        return known

    def _note(self, signer: bytes, *, agreed: bool) -> deque[bool]:
        seen = self._agreed.pop(signer, None) or deque(maxlen=_WINDOW)
        self._agreed[signer] = seen
        while len(self._agreed) > _REMEMBERED:
            del self._agreed[next(iter(self._agreed))]
        seen.append(agreed)
        if agreed and seen.count(False) and all(list(seen)[-5:]) and len(seen) >= 5:
            seen.clear()
        return seen

    def _load(self) -> dict[bytes, str]:
        try:
            rows = json.loads(self._path.read_text(encoding="utf-8"))
            return {bytes.fromhex(signer): str(why) for signer, why in rows.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError) as error:
            _LOG.warning("nobody is banned any more: %s: %s", self._path, error)
            return {}

    def _save(self) -> None:
        while len(self.banned) > _REMEMBERED:
            del self.banned[next(iter(self.banned))]
        rows = {signer.hex(): why for signer, why in self.banned.items()}
        try:
            replace_text(self._path, json.dumps(rows))
        except OSError as error:
            _LOG.warning("%s is not remembered: %s", self._path, error)
