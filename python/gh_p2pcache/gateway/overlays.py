"""Makes gh's overlays when the entry point asks over the control socket."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gh_p2pcache.engine.assembly import House
from gh_p2pcache.errors import UsageError
from gh_p2pcache.origin.verify import verify
from gh_p2pcache.overlay.make import make_overlay
from gh_p2pcache.overlay.verified import Verified
from gh_p2pcache.settings import FOREIGN


class Overlays:
    """The overlays of one daemon: its sockets, its upstream, the hosts it has seen work."""

    def __init__(self, house: House, runtime: Path, env: Mapping[str, str]) -> None:
        self._house = house
        self._sockets = {name: runtime / f"{name}.sock" for name in ("ttl", "exact")}
        self._verified = Verified(
            house.settings.state_dir,
            lambda host: verify(house.origin, host),
            way="\n".join(env.get(name, "") for name in FOREIGN),
        )

    async def make(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Answer POST /overlay {config_dir, gh_host}: {overlay, reason}."""
        match asked:
            case {"config_dir": str(directory)} if directory[:1] == "/" and "\0" not in directory:
                pass
            case _:
                raise UsageError("/overlay takes config_dir, an absolute path")
        reason = await make_overlay(
            self._house.settings.state_dir,
            self._sockets,
            Path(directory),
            upstream=self._house.settings.upstream,
            verify=self._verified,
            gh_host=str(asked.get("gh_host") or ""),
        )
        return {"overlay": not reason, "reason": reason}
