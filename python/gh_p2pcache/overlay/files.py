"""An overlay on disk: what is written, and how the entry point sees that it is current.

config.yml   the real one and our socket; its mtime is the real one's, so that equal means
             current whichever way the real one moves
hosts.yml    a symbolic link to the real one
made         its mtime is the latest of what else the overlay was made from: the real directory,
             hosts.yml and the daemon's settings
hosts/NAME   a host that was verified for this configuration
plain/NAME   an alias of the user's that must reach the real configuration
refused      why there is no overlay, instead of all that; holds until one of the sources changes
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

from gh_p2pcache.overlay import document
from gh_p2pcache.overlay.source import Source


def directory(state: Path, profile: str, real: Path) -> Path:
    """Return where the overlay of `real` lies: its path mirrored, so that sh finds it unaided."""
    return state / "overlay" / profile / str(real).lstrip("/") / "@"


def write(overlay: Path, source: Source, socket: Path, hosts: Iterable[str]) -> None:
    """Make or renew one overlay; each file is replaced at once, `made` last. Raises OSError."""
    overlay.mkdir(mode=0o700, parents=True, exist_ok=True)
    real_hosts = source.real / "hosts.yml"
    if not (overlay / "hosts.yml").is_symlink():
        _replace(overlay / "hosts.yml", link=real_hosts)
    _only(overlay / "plain", document.plain_aliases(source.config))
    _at_least(overlay / "hosts", hosts)
    config = document.overlaid(source.config, str(socket))
    _replace(overlay / "config.yml", text=config, mtime=source.config_time)
    (overlay / "refused").unlink(missing_ok=True)
    settings = (socket.parent / "settings").stat().st_mtime_ns
    _replace(overlay / "made", text="", mtime=max(source.newest, settings))


def refuse(overlay: Path, reason: str) -> None:
    """Leave the reason instead of an overlay. Raises OSError."""
    overlay.mkdir(mode=0o700, parents=True, exist_ok=True)
    (overlay / "made").unlink(missing_ok=True)
    _replace(overlay / "refused", text=f"{reason}\n")


def first_time(overlay: Path, what: str) -> bool:
    """Say whether `what` is seen for the first time here, and remember it. Raises OSError."""
    overlay.mkdir(mode=0o700, parents=True, exist_ok=True)
    seen = overlay / what
    if seen.exists():
        return False
    seen.touch(mode=0o600)
    return True


def _replace(
    path: Path, *, text: str = "", link: Path | None = None, mtime: int | None = None
) -> None:
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    if link is not None:
        new.symlink_to(link)
    else:
        new.write_text(text, encoding="utf-8")
        new.chmod(0o600)
        if mtime is not None:
            os.utime(new, ns=(time.time_ns(), mtime))
    new.replace(path)


def _only(folder: Path, names: Iterable[str]) -> None:
    wanted = {name for name in names if "/" not in name and not name.startswith(".")}
    _at_least(folder, wanted)
    for entry in folder.iterdir():
        if entry.name not in wanted:
            entry.unlink(missing_ok=True)


def _at_least(folder: Path, names: Iterable[str]) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in names:
        (folder / name).touch(mode=0o600)
