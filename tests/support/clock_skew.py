"""A machine whose clock is wrong."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import time
from pathlib import Path

from support.team import Daemon

_WRONG = """
import time
_right = time.time
time.time = lambda: _right() + {offset}
"""
"""libfaketime would do the same for C code as well, but stops a process of several threads."""


class Skewed(Daemon):
    """A daemon whose gateway and peer process see a time that is `offset` seconds off."""

    offset = 0

    def start(self) -> None:
        python = _engine(self.root / "engine", self.offset)
        subprocess.run(
            [*self.within, str(python), "-m", "gh_p2pcache", "start"],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=60,
            check=True,
        )
        self.wake()

    def skew(self) -> float:
        """Return by how many seconds the gateway's clock is ahead, by what it says of its start."""
        since: float = self.control("GET", "/status")["since"]
        return since - time.time()


class Fast(Skewed):
    offset = 3600


class Slow(Skewed):
    offset = -3600


def _engine(home: Path, offset: int) -> Path:
    """Make an environment like this one, but for the clock of its Python."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    site = home / "lib" / version / "site-packages"
    site.mkdir(parents=True)
    (site / "wrong_clock.py").write_text(_WRONG.format(offset=offset))
    real = sysconfig.get_path("purelib")
    (site / "a.pth").write_text(f"import wrong_clock\nimport site; site.addsitedir({real!r})\n")
    (home / "pyvenv.cfg").write_text(f"home = {sysconfig.get_config_var('BINDIR')}\n")
    (home / "bin").mkdir()
    python = home / "bin/python"
    python.symlink_to(Path(sys.base_prefix) / "bin" / version)
    return python
