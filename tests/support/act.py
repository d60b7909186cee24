"""Workflows run for real: act without containers, the real gh, the small GitHub."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.sim import ROOT, SECRETS, SimProcess

WORKFLOWS, SCRIPTS = ROOT / ".github/workflows", ROOT / ".github/scripts"
REPO = "acme/widgets"
_OTHERS = (
    "actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065",
    "actions/setup-node@49933ea5288caeca8642d1e84afbd3f7d6820020",
)
"""Actions of others: what they bring is on this machine. act does the checkout itself."""

_SEEN = (".github", "docs", "python", "tests/support", "gh-p2pcache", "install.sh")
_UNSEEN = shutil.ignore_patterns("__pycache__", "node_modules", ".mypy_cache", ".ruff_cache")


def make_engine(home: Path) -> Path:
    """Make an engine of the code on disk and the packages of these tests; returns its Python."""
    minor = sys.version_info[1]
    site = home / f"lib/python3.{minor}/site-packages"
    site.mkdir(parents=True)
    (site / "checkout.pth").write_text(f"{ROOT / 'python'}\n{sysconfig.get_path('purelib')}\n")
    (home / "pyvenv.cfg").write_text(f"home = {sysconfig.get_config_var('BINDIR')}\n")
    python = home / "bin/python"
    python.parent.mkdir()
    python.symlink_to(Path(sys.base_prefix) / f"bin/python3.{minor}")
    return python


def make_checkout(home: Path) -> Path:
    """Copy what workflows see of this repository, as a clone of acme/widgets."""
    for name in (*_SEEN, *(path.name for path in ROOT.glob("*.lock"))):
        source = ROOT / name
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, home / name, ignore=_UNSEEN)
        else:
            shutil.copy(source, home / name)
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    for arguments in (
        ("init", "--quiet", "--initial-branch=main"),
        ("remote", "add", "origin", f"https://github.com/{REPO}.git"),
        ("add", "--all"),
        (*who, "commit", "--quiet", "--message=The first"),
    ):
        subprocess.run(["git", *arguments], cwd=home, check=True)
    return home


_SAID = ("notice", "warning", "error")


@dataclass(frozen=True)
class Ran:
    """A run of a workflow: act's lines, as it logs them with --json."""

    code: int
    lines: list[dict[str, Any]]

    def text(self) -> str:
        """Return everything: for a failed assertion."""
        return "\n".join(str(line.get("msg", "")).rstrip("\n") for line in self.lines)

    def said(self, job: str = "") -> str:
        """Return what the steps said, of all jobs or of one (its id)."""
        return "\n".join(
            str(line["msg"]).rstrip("\n")
            for line in self.lines
            if (line.get("raw_output") or line.get("command") in _SAID)
            and job in ("", line.get("jobID"))
        )

    def outputs(self, job: str, step: str) -> dict[str, str]:
        """Return the outputs of a step, by the ids of both."""
        return {
            line["name"]: line["arg"]
            for line in self.lines
            if line.get("command") == "set-output"
            and line.get("jobID") == job
            and line.get("stepID") == [step]
        }

    def summaries(self) -> list[str]:
        """Return what jobs wrote into their summaries."""
        return [line["content"] for line in self.lines if line.get("command") == "summary"]


class Runner:
    """A runner with a home of its own. gh asks the small GitHub, plain or not."""

    def __init__(self, root: Path, checkout: Path, sim: SimProcess, engine: Path | None) -> None:
        self.root = root
        self.checkout = checkout
        self.home = root / "home"
        (root / "run").mkdir(mode=0o700)
        config = self.home / ".config/gh"
        config.mkdir(parents=True)
        (config / "config.yml").write_text(f'version: "1"\nhttp_unix_socket: {sim.unix}\n')
        self.env = {
            "HOME": str(self.home),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "XDG_RUNTIME_DIR": str(root / "run"),
            "GH_NO_UPDATE_NOTIFIER": "1",
            "GH_TELEMETRY": "false",
            "LC_ALL": "C.UTF-8",
            "CACHE_MDNS": "false",
            "CACHE_PEER_DEADLINE": "5s",  # several machines on this busy one
            "CACHE_ENABLE_P2P": "false",  # a peer process takes seconds to come up
            **({"GH_P2PCACHE_ENGINE": str(engine)} if engine else {}),
        }

    def run(
        self,
        event: str,
        workflow: Path,
        *,
        payload: Mapping[str, object] | None = None,
        secrets: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        inputs: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
        token: str = "job1",
        job: str = "",
    ) -> Ran:
        """Run the workflow, or one job of it; `token` names the sim's token that jobs have."""
        said = self.root / "event.json"
        said.write_text(json.dumps({"repository": {"full_name": REPO}, **(payload or {})}))
        command = [
            "act",
            event,
            "--json",
            "--pull=false",
            "--rm",
        ]
        command += [f"--workflows={workflow}", f"--eventpath={said}", "--concurrent-jobs=4"]
        command += [f"--local-repository={name}={self._others()}" for name in _OTHERS]
        command += [
            f"--platform={name}=-self-hosted" for name in ("ubuntu-latest", "ubuntu-24.04-arm")
        ]
        command += [f"--job={job}"] if job else []
        command += ["--cache-server-addr=127.0.0.1", f"--cache-server-path={self.root}/cache"]
        command += [f"--secret=GITHUB_TOKEN={SECRETS[token]}"]
        command += [f"--secret={name}={value}" for name, value in (secrets or {}).items()]
        command += [f"--var={name}={value}" for name, value in (variables or {}).items()]
        command += [f"--input={name}={value}" for name, value in (inputs or {}).items()]
        done = subprocess.run(
            command,
            cwd=self.checkout,
            env=self.env | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        lines = [_line(line) for line in done.stdout.splitlines()]
        return Ran(done.returncode, lines)

    def _others(self) -> Path:
        """Return an action that does nothing."""
        folder = self.root / "others"
        folder.mkdir(exist_ok=True)
        step = "{run: 'true', shell: sh}"
        text = f"name: nothing\nruns: {{using: composite, steps: [{step}]}}\n"
        (folder / "action.yml").write_text(text)
        return folder


def _line(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except ValueError:
        return {"msg": text}
    return parsed if isinstance(parsed, dict) else {"msg": text}
