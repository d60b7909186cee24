"""A home of its own on this machine: the commands, a real daemon, the small GitHub."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner, Result

from gh_p2pcache.cli.main import commands
from gh_p2pcache.supervisor import client
from support.sim import ROOT, SECRETS, SimProcess

COMMAND = (sys.executable, "-m", "gh_p2pcache")


class Machine:
    """Everything below `root`; gh has alice's token and its calls end at the small GitHub."""

    def __init__(self, root: Path, sim: SimProcess) -> None:
        self.root = root
        self.sim = sim
        self.gh_config = root / "config/gh"
        self.gh_config.mkdir(parents=True)
        (root / "runtime").mkdir(mode=0o700)
        (self.gh_config / "config.yml").write_text(f'version: "1"\nhttp_unix_socket: {sim.unix}\n')
        self.env = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "python"),
            "HOME": str(root),
            "XDG_CONFIG_HOME": str(root / "config"),
            "XDG_DATA_HOME": str(root / "data"),
            "XDG_STATE_HOME": str(root / "state"),
            "XDG_CACHE_HOME": str(root / "cache"),
            "XDG_RUNTIME_DIR": str(root / "runtime"),
            "GH_TOKEN": SECRETS["alice"],
            "GH_NO_UPDATE_NOTIFIER": "1",
            "GH_TELEMETRY": "false",
            "GH_P2PCACHE_ENGINE": sys.executable,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }

    @property
    def state(self) -> Path:
        return self.root / "state/gh-p2pcache"

    @property
    def cache(self) -> Path:
        return self.root / "cache/gh-p2pcache"

    @property
    def config(self) -> Path:
        return self.root / "config/gh-p2pcache/config.toml"

    def records(self) -> list[Path]:
        """Return the files of all records."""
        return sorted(path for path in self.cache.glob("records/*/*") if path.is_file())

    def do(
        self, *arguments: str, given: str | None = None, env: Mapping[str, str] | None = None
    ) -> Result:
        """Do `gh p2pcache ARGUMENTS` in this process, with nothing of its own environment."""
        whole: dict[str, str | None] = dict.fromkeys(os.environ)
        whole |= self.env | dict(env or {})
        return CliRunner().invoke(
            commands, arguments, input=given, env=whole, prog_name="gh p2pcache"
        )

    def run(
        self, *arguments: str, given: str = "", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `gh p2pcache ARGUMENTS` as a process."""
        return subprocess.run(
            [*COMMAND, *arguments],
            input=given,
            env=self.env | dict(env or {}),
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def api(self, *arguments: str, profile: str = "ttl") -> str:
        """Run `gh api ARGUMENTS` through the daemon, which runs already; returns stdout."""
        overlay = self.state / "overlay" / profile / str(self.gh_config).lstrip("/") / "@"
        return subprocess.run(
            ["gh", "api", *arguments],
            env=self.env | {"GH_CONFIG_DIR": str(overlay)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout

    def end(self) -> None:
        """Stop the daemon, if one runs."""
        client.stop(self.state)
