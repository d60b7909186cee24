"""Records to keep, keys to seal them with, and what lies in a store's directory."""

import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from gh_p2pcache.records.record import Record, Validation
from gh_p2pcache.records.seal import ScopeKeys
from gh_p2pcache.store.disk import DiskStore, Kept
from gh_p2pcache.store.usage import UsageTable
from support.wait import until

KEYS = ScopeKeys(b"k" * 32)
OTHERS = ScopeKeys(b"o" * 32)
DATE = 1_700_000_000


def a_record(name: str = "a", keys: ScopeKeys = KEYS, **changes: Any) -> Record:
    """Return a record of the request `name`, 1 kB or so of it on disk."""
    fields: dict[str, Any] = {
        "key": name.encode(),
        "method": "GET",
        "host": "api.github.com",
        "target": f"/repos/o/r/issues?q={name}",
        "status": 200,
        "headers": ((b"content-type", b"application/json"), (b"etag", b'W/"0123"')),
        "body": f'{{"name": "{name}"}}'.encode(),
        "github_date": DATE,
        "fetched_at": float(DATE),
        "scope": keys.id,
        "tags": ("repo:github.com/o/r",),
        "publisher": b"p" * 16,
        "access": "github.com/o/r issues",
    }
    return Record(**{**fields, **changes})


class Shop:
    """A store together with the events it told."""

    def __init__(self, root: Path, max_size: int = 64 << 20) -> None:
        self.root = root
        self.events: Counter[str] = Counter()
        self.store = DiskStore(root, max_size, on_event=lambda event: self.events.update([event]))

    def put(self, record: Record, date: int = DATE, keys: ScopeKeys = KEYS) -> Validation | None:
        kept = self.store.put(
            keys.tag(record.key),
            keys,
            record,
            validation_date=date,
            validated_at=time.time(),
            ttl=300.0,
        )
        return None if kept is None else kept.validation

    def get(self, name: str = "a", keys: ScopeKeys = KEYS) -> Kept | None:
        return self.store.get(keys.tag(name.encode()), keys, name.encode())

    def path(self, name: str = "a", keys: ScopeKeys = KEYS) -> Path:
        tag = keys.tag(name.encode())
        return self.root / "records" / tag[:2] / tag

    def files(self) -> list[Path]:
        """Return every file of the records' directories, unfinished ones too."""
        return [path for path in (self.root / "records").rglob("*") if path.is_file()]

    def settle(self) -> None:
        """Wait for the count that the first writer to a store starts beside its work."""
        until(lambda: UsageTable(self.root / "usage").read().counted_at, what="the first count")

    def on_disk(self) -> tuple[int, int]:
        """Return how many records there are and what they take, as `du` would count."""
        sizes = []
        for path in self.files():
            # Other processes may evict between the listing and the look.
            with suppress(FileNotFoundError):
                if not path.name.startswith("."):
                    sizes.append(path.stat().st_blocks * 512)
        return len(sizes), sum(sizes)
