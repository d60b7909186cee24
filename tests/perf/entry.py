"""What the entry point costs, whole commands: `python tests/perf/entry.py [ROUNDS]`.

Each line is a median of ROUNDS (40) runs, interleaved with `gh api --cache 1h user` (a hit of gh's
own cache), and the ratio of the two. Below: sh alone, with /bin/true for gh.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "python")]

from gh_p2pcache.supervisor import client  # noqa: E402
from support.gh import GH  # noqa: E402
from support.sim import SECRETS  # noqa: E402
from support.wait import until  # noqa: E402

ALIAS = '!f() { cd "${GIT_PREFIX:-.}" && exec ' + str(ROOT / "gh-p2pcache") + ' api "$@"; }; f'
BARS = {
    "the shim: gh api user": 1.10,
    "git ghapi user (alias)": 1.20,
    "git ghapi user (git-ghapi in PATH)": 1.20,
    "gh p2pcache api user": 2.2,
}


def seconds(command: list[str], env: dict[str, str]) -> float:
    """Run a command and return its wall time (subprocess' own wait polls)."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    _, status, _ = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return took


@contextmanager
def home() -> Iterator[tuple[Path, dict[str, str]]]:
    """Yield a home with gh, extension, alias, shim, a sim for GitHub and a warm daemon."""
    root = Path(tempfile.mkdtemp(prefix="entry-perf-"))
    newest = max(GH, key=lambda version: [int(part) for part in version.split(".")])
    for folder in ("bin", "config/gh", "data/gh/extensions", "data/gh-p2pcache/shim", "true"):
        (root / folder).mkdir(parents=True)
    (root / "bin/gh").symlink_to(GH[newest])
    (root / "true/gh").symlink_to("/bin/true")
    (root / "bin/git-ghapi").symlink_to(ROOT / "gh-p2pcache")
    (root / "data/gh/extensions/gh-p2pcache").symlink_to(ROOT)
    (root / "data/gh-p2pcache/shim/gh").symlink_to(ROOT / "gh-p2pcache")
    socket = root / "sim.sock"
    (root / "config/gh/config.yml").write_text(f'version: "1"\nhttp_unix_socket: {socket}\n')
    env = {
        "PATH": f"{root}/bin:/usr/bin:/bin",
        "HOME": str(root),
        **{f"XDG_{name.upper()}_HOME": str(root / name) for name in ("config", "data", "state")},
        "XDG_CACHE_HOME": str(root / "cache"),
        "GH_TOKEN": SECRETS["alice"],
        "GH_P2PCACHE_ENGINE": sys.executable,
        "GH_TELEMETRY": "false",
        "GH_NO_UPDATE_NOTIFIER": "1",
    }
    git = ["git", "config", "--global", "alias.ghapi-alias", ALIAS]
    subprocess.run(git, env=env, check=True)
    sim = subprocess.Popen(
        [sys.executable, "-m", "gh_p2pcache.sim", "--unix", str(socket)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
        stdout=subprocess.DEVNULL,
    )
    state = root / "state/gh-p2pcache"
    try:
        until(socket.exists)
        client.start(state, env, 60)
        yield root, env
    finally:
        client.stop(state)
        sim.terminate()
        sim.wait()
        shutil.rmtree(root)


def compare(name: str, command: list[str], base: list[str], env: dict[str, str], n: int) -> None:
    """Print the medians of two commands run in turn, and their ratio."""
    pairs = [(seconds(command, env), seconds(base, env)) for _ in range(n)]
    ours = statistics.median(ours for ours, _ in pairs) * 1000
    plain = statistics.median(plain for _, plain in pairs) * 1000
    bar = f"  (bar {BARS[name]:.2f})" if name in BARS else ""
    print(
        f"{name:36}{ours:7.2f} ms {plain:7.2f} ms {ours - plain:+6.2f} ms {ours / plain:.2f} x{bar}"
    )


def compare_first(
    root: Path, command: list[str], base: list[str], env: dict[str, str], n: int
) -> None:
    """Print how much later than plain gh the call that starts the daemon is: a hit, and a miss."""
    state = root / "state/gh-p2pcache"
    for name, leave in (("a hit", []), ("a miss", [root / "cache/gh-p2pcache/records"])):
        pairs = []
        for _ in range(n):
            client.stop(state)
            for directory in leave:
                shutil.rmtree(directory)
            pairs.append((seconds(command, env), seconds(base, env)))
        later = statistics.median(ours - plain for ours, plain in pairs) * 1000
        print(f"the call that starts the daemon, {name}: {later:.0f} ms later than gh (bar 800)")


def main() -> None:
    """Measure and print."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    with home() as (root, env):
        gh, shim = str(root / "bin/gh"), str(root / "data/gh-p2pcache/shim/gh")
        base = [gh, "api", "--cache", "1h", "user"]
        ttl = {**env, "CACHE_PROFILE": "ttl"}
        ways = {
            "the shim: gh api user": [shim, "api", "user"],
            "git ghapi user (alias)": ["git", "ghapi-alias", "user"],
            "git ghapi user (git-ghapi in PATH)": ["git", "ghapi", "user"],
            "gh p2pcache api user": [gh, "p2pcache", "api", "user"],
        }
        for command in [*ways.values(), base]:
            for _ in range(3):
                seconds(command, ttl)
        for name, command in ways.items():
            compare(name, command, base, ttl, n)
        compare_first(root, [shim, "api", "user"], [gh, "api", "user"], ttl, n // 4)
        empty = {**ttl, "PATH": f"{root}/true:/usr/bin:/bin"}
        entry = str(ROOT / "gh-p2pcache")
        compare("sh alone: shim", [shim, "api", "user"], ["/bin/true"], empty, n * 2)
        compare("sh alone: api", [entry, "api", "user"], ["/bin/true"], empty, n * 2)
        compare("sh alone: true by sh", ["/bin/sh", "-c", "exec true"], ["/bin/true"], empty, n * 2)


if __name__ == "__main__":
    main()
