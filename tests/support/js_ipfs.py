"""A real IPFS node, js-ipfs 0.66.1 from npm: Kubo's RPC and a gateway, joined to no other node.

Run as a program it starts one, says where it listens, and stays until it is interrupted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from support.ports import free_port
from support.wait import until

PACKAGE = "ipfs@0.66.1"
_INSTALL_SECONDS = 900
_POLYFILL = """Promise.withResolvers ??= function () {
  let resolve, reject
  const promise = new this((a, b) => { resolve = a; reject = b })
  return { promise, resolve, reject }
}
"""
"""Node 22 has it; what js-ipfs 0.66 resolves to today wants it of Node 20 too."""


def installed() -> Path:
    """Return where js-ipfs is, installing it at first (some minutes); raises CalledProcessError."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    where = Path(cache) / "gh-p2pcache-tests" / "js-ipfs"
    cli = where / "node_modules/ipfs/src/cli.js"
    if not (where / "done").exists():
        where.mkdir(parents=True, exist_ok=True)
        (where / "package.json").write_text("{}")
        (where / "polyfill.cjs").write_text(_POLYFILL)
        options = ["--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(
            ["npm", "install", PACKAGE, *options], cwd=where, check=True, timeout=_INSTALL_SECONDS
        )
        (where / "done").touch()
    return cli


@contextmanager
def js_ipfs() -> Iterator[tuple[str, str]]:
    """Run a node; yield the base URLs of its RPC and its gateway."""
    cli = installed()
    command = ["node", "--require", str(cli.parents[3] / "polyfill.cjs"), str(cli)]
    with TemporaryDirectory(prefix="ipfs-", ignore_cleanup_errors=True) as repo:
        env = {**os.environ, "IPFS_PATH": repo}
        subprocess.run(
            [*command, "init", "--profile", "test"], env=env, check=True, timeout=120,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        api, gateway = free_port(), free_port()
        _configure(Path(repo) / "config", api, gateway)
        log = Path(repo) / "log"
        with log.open("w") as output:
            node = subprocess.Popen([*command, "daemon"], env=env, stdout=output, stderr=output)
        try:
            until(lambda: "Daemon is ready" in log.read_text(), 120, "js-ipfs")
            yield f"http://127.0.0.1:{api}", f"http://127.0.0.1:{gateway}"
        finally:
            node.kill()
            node.wait()


def _configure(path: Path, api: int, gateway: int) -> None:
    config = json.loads(path.read_text())
    config["Addresses"] = {
        "Swarm": [],
        "API": f"/ip4/127.0.0.1/tcp/{api}",
        "Gateway": f"/ip4/127.0.0.1/tcp/{gateway}",
    }
    path.write_text(json.dumps(config))


if __name__ == "__main__":
    with js_ipfs() as urls:
        print("CACHE_IPFS_API={} CACHE_IPFS_GATEWAY={}".format(*urls), flush=True)
        try:
            time.sleep(86_400)
        except KeyboardInterrupt:
            sys.exit(0)
