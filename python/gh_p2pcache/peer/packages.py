"""Makes libp2p importable: it lies beside the engine's own packages and may not be there at all."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from gh_p2pcache.errors import P2PCacheError

FOLDER = Path(sys.prefix) / "peer-site"
"""Where the set-up installs them (installer/peers.py)."""

_STAND_INS = Path(__file__).parent / "stand_ins"


class NotInstalledError(P2PCacheError):
    """The packages are not there; the supervisor tells it by the exit code of the peer process."""

    exit_code = 3


def is_installed(folder: Path = FOLDER) -> bool:
    """Say whether libp2p can be imported after `reach`; imports nothing."""
    return (folder / "libp2p").is_dir() or find_spec("libp2p") is not None


def reach(folder: Path = FOLDER) -> None:
    """Put the peers' packages on the path, behind the engine's; call it before importing libp2p.

    Raises NotInstalledError.
    """
    for place in (folder, _STAND_INS):
        if str(place) not in sys.path and place.is_dir():
            sys.path.append(str(place))
    if find_spec("libp2p") is None:
        raise NotInstalledError("peers are not installed (gh p2pcache setup)")
