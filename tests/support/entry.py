"""The entry point as a user has it: a checkout, a shim, a real gh, under each POSIX shell."""

import json
import os
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from support.daemon import Daemon
from support.gh import GH
from support.wait import until

CHECKOUT = Path(__file__).parents[2]
SHELLS = {name: found for name in ("dash", "bash", "zsh") if (found := shutil.which(name))}
NEWEST = max(GH, key=lambda version: [int(part) for part in version.split(".")])

_TELLS = """\
printf 'args:'
printf ' %s' "$@"
printf '\\n'
for name in GH_CONFIG_DIR GH_PATH GH_TOKEN GH_ENTERPRISE_TOKEN CACHE_PROFILE; do
    eval "printf '%s=%s\\n' $name \\"\\${$name-unset}\\""
done
"""


@dataclass(frozen=True)
class Said:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """What answered: {"github": true …} or the stand-in gateway's {"profile": …, "ours": …}."""
        parsed: dict[str, Any] = json.loads(self.out)
        return parsed

    @property
    def told(self) -> dict[str, str]:
        """What `Entry.telling_gh` saw."""
        args, *names = self.out.splitlines()
        return {"args": args.removeprefix("args:").strip()} | dict(n.split("=", 1) for n in names)


class _GitHub(BaseHTTPRequestHandler):
    """What gh gets when it goes past the daemon."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps(
            {"github": True, "path": self.path, "token": self.headers.get("Authorization", "")}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "gh"

    def log_message(self, *_: object) -> None:
        return


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class Entry:
    """A home with gh, its configuration, the extension and the shim. Run things with `run`."""

    def __init__(self, root: Path, daemon: Daemon, shell: str) -> None:
        self.root = root
        self.daemon = daemon
        self.home = daemon.home
        self.config = self.home / ".config/gh"
        self.data = self.home / ".local/share/gh-p2pcache"
        self.bin = root / "bin"
        self.bin.mkdir()
        self.extension = root / "extension"
        self.github = root / "github.sock"
        self._copy_checkout(shell)
        self.shim = self.data / "shim/gh"
        self.shim.parent.mkdir(parents=True)
        self.shim.symlink_to(self.extension / "gh-p2pcache")
        self.git_ghapi = self.bin / "git-ghapi"
        self.git_ghapi.symlink_to(self.extension / "gh-p2pcache")
        self.use_gh(GH[NEWEST])
        self.configure(self.config)
        self.env = daemon.env | {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "GH_P2PCACHE_ENGINE": str(daemon.python),
            "GH_TOKEN": "gho_token",
            "GH_NO_UPDATE_NOTIFIER": "1",
            "GH_TELEMETRY": "false",
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def _copy_checkout(self, shell: str) -> None:
        """Copy what sh needs, to be run by `shell` in the manner of sh, nested calls included."""
        as_sh = self.root / "shell/sh"
        as_sh.parent.mkdir()
        as_sh.symlink_to(shell)
        parts = "python/gh_p2pcache/entry"
        shutil.copytree(CHECKOUT / parts, self.extension / parts)
        text = (CHECKOUT / "gh-p2pcache").read_text()
        assert text.startswith("#!/bin/sh\n")
        entry = self.extension / "gh-p2pcache"
        entry.write_text(text.replace("#!/bin/sh\n", f"#!{as_sh}\n", 1))
        entry.chmod(0o755)
        self.script(self.extension / "install.sh", f'echo "$@" >>{self.root}/installed')

    def configure(self, directory: Path, more: str = "", *, plain_to: Path | None = None) -> None:
        """Write a config.yml that sends a plain gh to our GitHub."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "config.yml").write_text(
            f'version: "1"\nprompt: disabled\nhttp_unix_socket: {plain_to or self.github}\n{more}'
        )

    def use_gh(self, program: Path) -> None:
        (self.bin / "gh").unlink(missing_ok=True)
        (self.bin / "gh").symlink_to(program)

    def telling_gh(self, more: str = "") -> None:
        """Have a gh that tells its arguments and environment."""
        (self.bin / "gh").unlink()
        self.script(self.bin / "gh", _TELLS + more)

    def script(self, path: Path, text: str) -> Path:
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    @property
    def installed(self) -> list[str]:
        """How install.sh was called."""
        file = self.root / "installed"
        return file.read_text().splitlines() if file.exists() else []

    def warm(self) -> None:
        """Have a daemon and its overlay, however slow this machine is just now."""
        self.daemon.env["GH_CONFIG_DIR"] = str(self.config)
        assert self.daemon.start(60).returncode == 0
        ensure = self.daemon.command("ensure", str(self.daemon.state), str(self.config))
        until(lambda: subprocess.run(ensure, env=self.daemon.env, check=False).returncode == 0)

    def run(
        self,
        *arguments: str | Path,
        stdin: str = "",
        cwd: Path | None = None,
        without: tuple[str, ...] = (),
        **env: str,
    ) -> Said:
        """Run a program of the home (`gh`, `gh-p2pcache`, `git-ghapi`, a path) with arguments."""
        name, *rest = map(str, arguments)
        programs = {"gh": self.shim, "gh-p2pcache": self.extension / "gh-p2pcache"}
        programs["git-ghapi"] = self.git_ghapi
        kept = {key: value for key, value in (self.env | env).items() if key not in without}
        done = subprocess.run(
            [str(programs.get(name, name)), *rest],
            env=kept,
            input=stdin,
            capture_output=True,
            text=True,
            cwd=cwd or self.home,
            timeout=60,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def api(self, *arguments: str, **env: str) -> Said:
        return self.run("gh-p2pcache", "api", *arguments, **env)


@contextmanager
def living_in(root: Path, engine: Path, shell: str) -> Iterator[Entry]:
    """A home under `root` whose daemon is ended with it."""
    daemon = Daemon(root, engine)
    one = Entry(root, daemon, SHELLS[shell])
    server = _Server(os.fspath(one.github), _GitHub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield one
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        daemon.end()


@pytest.fixture(params=sorted(SHELLS))
def entry(request: pytest.FixtureRequest, tmp_path: Path, engine: Path) -> Iterator[Entry]:
    """The entry point under each shell, its daemon not started."""
    with living_in(tmp_path, engine, request.param) as one:
        yield one


@pytest.fixture(scope="module", params=sorted(SHELLS))
def shared_entry(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, engine: Path
) -> Iterator[Entry]:
    """One running daemon for a file of tests."""
    with living_in(tmp_path_factory.mktemp("entry"), engine, request.param) as one:
        one.warm()
        yield one


@pytest.fixture
def warm(shared_entry: Entry) -> Iterator[Entry]:
    """The entry point with its daemon running and gh's overlay made; put right after each test."""
    yield shared_entry
    shared_entry.use_gh(GH[NEWEST])
    for left in (".gitconfig", "asked", ".config/gh/hosts.yml"):
        (shared_entry.home / left).unlink(missing_ok=True)
