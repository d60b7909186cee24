"""Running what a page shows: its console blocks, command by command, on machines of their own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.machine import Machine
from support.ports import free_port
from support.sim import ROOT, SimProcess

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROMPT = re.compile(r"(?:(\w+) )?\$ (.+)")
_SCRIPTS = {
    "build.sh": "gh issue list --repo acme/widgets --limit 1 --json number --jq '.[].number'",
    "agent.sh": "gh issue view 1 --repo acme/widgets --json title --jq .title",
}


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a page, on which machine ("" where there is one only), and what it shows."""

    on: str
    command: str
    shown: tuple[str, ...]

    def agrees(self, said: str) -> bool:
        """Tell whether an output is as shown: `…` is anything; numbers and columns may differ."""
        shown = re.escape("\n".join(self.shown)).replace("…", ".*")
        number = re.sub(r"\d+(?:\\\.\d+)?", r"\\d+(?:\\.\\d+)?", shown)
        pattern = re.sub(r"(\\ )+", " +", number)
        return re.fullmatch(pattern, said.rstrip("\n"), re.DOTALL) is not None


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    text = page.read_text(encoding="utf-8")
    return [block for of, block in BLOCK.findall(text) if of == language]


def steps(page: Path) -> Iterator[Step]:
    """Yield the commands of a page's console blocks."""
    for block in blocks(page, "console"):
        shown: list[str] = []
        asked: tuple[str, str] | None = None
        for line in [*block.splitlines(), "$ true"]:
            prompt = PROMPT.fullmatch(line)
            if prompt is None:
                shown.append(line)
                continue
            if asked is not None:
                yield Step(*asked, tuple(shown))
            asked, shown = (prompt[1] or "", prompt[2]), []


def _engine(home: Path) -> Path:
    """Make an environment that has this checkout and its packages, also for `python -I`."""
    site = home / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    site.mkdir(parents=True)
    (site / "here.pth").write_text(f"{ROOT / 'python'}\n{sysconfig.get_path('purelib')}\n")
    (home / "pyvenv.cfg").write_text(f"home = {sysconfig.get_config_var('BINDIR')}\n")
    (home / "bin").mkdir()
    python = home / "bin/python"
    python.symlink_to(Path(sys.base_prefix) / f"bin/python3.{sys.version_info[1]}")
    return python


class Reader(Machine):
    """A machine of somebody who types in what a page says: the extension, git ghapi, the shim."""

    def __init__(self, root: Path, sim: SimProcess) -> None:
        super().__init__(root, sim)
        self.port = free_port()
        self.env |= {
            "CACHE_LISTEN_PORT": str(self.port),
            "CACHE_MDNS": "false",
            "GH_P2PCACHE_ENGINE": str(_engine(root / "engine")),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        for link in ("data/gh/extensions/gh-p2pcache", "data/gh-p2pcache/shim/gh"):
            (root / link).parent.mkdir(parents=True)
        (root / "data/gh/extensions/gh-p2pcache").symlink_to(ROOT)
        (root / "data/gh-p2pcache/shim/gh").symlink_to(ROOT / "gh-p2pcache")
        alias = f'[alias]\n\tghapi = "!{ROOT}/gh-p2pcache api"\n'
        (root / ".gitconfig").write_text(alias)
        for name, script in _SCRIPTS.items():
            (root / name).write_text(f"#!/bin/sh\n{script}\n")
            (root / name).chmod(0o755)
        started = self.run("explain", "user")  # has the daemon and the overlay made
        assert started.returncode == 0, started.stderr

    def type(self, command: str) -> str:
        """Return what a command line shows, stdout and stderr as they come."""
        return subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.root,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        ).stdout

    def peers(self) -> dict[str, Any]:
        """Return what `gh p2pcache peers --json` shows."""
        told: dict[str, Any] = json.loads(self.do("peers", "--json").stdout)
        return told
