"""run/settings: what the running daemon works with, for the entry point to compare at each call.

Line 1 is the environment the daemon was started with, `|` between the values in the order of
LINE, so that the usual call needs one string compare. A line `NAME SOURCE VALUE` for each setting
follows; the entry point reads them only where line 1 differs or a secret is set.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gh_p2pcache import settings
from gh_p2pcache.settings import FOREIGN, Effective, Name

LINE: tuple[str, ...] = (
    settings.UPSTREAM.name,
    settings.TRUST.name,
    settings.SHARE.name,
    *FOREIGN,
    settings.DIR.name,
    settings.MAX_STALE.name,
    settings.MAX_SIZE.name,
    settings.MAX_ENTRY.name,
    settings.HTTP_PORT.name,
    settings.IDLE_EXIT.name,
    settings.ENABLE_P2P.name,
    settings.LISTEN_PORT.name,
    settings.BOOTSTRAP_PEERS.name,
    settings.MDNS.name,
    settings.PEER_DEADLINE.name,
    settings.TRUSTED_PEERS.name,
    settings.IPFS_API.name,
    settings.IPFS_GATEWAY.name,
)
"""The order of line 1; `gh-p2pcache` has the same."""

OPAQUE = "-"
"""Line 1 where a proxy's address holds a password, which is then published as a hash only."""

_HASHED = re.compile(r"([0-9a-f]{32}):[0-9a-f]{64}")


@dataclass(frozen=True)
class Row:
    """A setting of the running daemon: where it is from, and its value or the hash of that."""

    name: str
    source: str
    value: str

    @property
    def is_hashed(self) -> bool:
        """Whether the daemon keeps the value to itself."""
        return bool(_HASHED.fullmatch(self.value))

    def is_same(self, mine: str) -> bool:
        """Return whether the daemon has this value, "" for none."""
        if hashed := _HASHED.fullmatch(self.value):
            return bool(mine) and salted_hash(mine, hashed[1]) == self.value
        return mine.replace("\n", " ") == self.value


def salted_hash(value: str, salt: str) -> str:
    """Return `SALT:HEX`, the sha256 of salt and value together."""
    return f"{salt}:{hashlib.sha256(os.fsencode(salt + value)).hexdigest()}"


def text(env: Mapping[str, str], effective: Mapping[str, Effective], salt: str) -> str:
    """Return the whole file; `effective` is Settings.effective of the same environment."""
    rows: list[str] = []
    for name in (n for n in settings.NAMES if "D" in n.read_by and n is not settings.STATE_DIR):
        value = effective[name.name].text
        shown = salted_hash(value, salt) if name.secret and value else value
        rows.append(f"{name.name} {effective[name.name].source} {shown}")
    for foreign in FOREIGN:
        value = env.get(foreign, "")
        shown = salted_hash(value, salt) if "@" in value else value
        rows.append(f"{foreign} {'env' if value else 'default'} {shown}")
    values = [_from(env, name) for name in LINE]
    hidden = any("@" in env.get(name, "") for name in FOREIGN)
    first = OPAQUE if hidden else "|".join(values)
    return "\n".join(row.replace("\n", " ") for row in (first, *rows)) + "\n"


def read(path: Path) -> list[Row]:
    """Return what is published there. Raises OSError."""
    lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()[1:]
    rows = (line.partition(" ") for line in lines)
    return [Row(name, *rest.partition(" ")[::2]) for name, _, rest in rows]


def write(path: Path, env: Mapping[str, str], effective: Mapping[str, Effective]) -> None:
    """Publish the settings, atomically; a file that says the same already is left as it is.

    Overlays older than this file are made anew, so an unchanged file keeps them current.
    Raises OSError.
    """
    try:
        old = path.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        old = ""
    if old and old == text(env, effective, _salt_of(old)):
        return
    new = path.with_name(f"{path.name}.new")
    new.write_text(
        text(env, effective, secrets.token_hex(16)), encoding="utf-8", errors="surrogateescape"
    )
    new.replace(path)


def _from(env: Mapping[str, str], name: str) -> str:
    known: Name[object] | None = settings.BY_NAME.get(name)
    return env.get(name) or (env.get(known.alias, "") if known and known.alias else "")


def _salt_of(published: str) -> str:
    hashed = _HASHED.search(published)
    return hashed[1] if hashed else ""
