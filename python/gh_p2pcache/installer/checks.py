"""`install.sh --test`: an environment for development, then every check that CI makes."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from gh_p2pcache.installer import environment
from gh_p2pcache.installer.progress import InstallError, Progress

# program, or any of several: (Debian package, what is skipped without it)
_SYSTEM = {
    "/usr/bin/gh": ("gh", "the comparison with the system's older gh"),
    "dash": ("dash", "the entry point under dash"),
    "zsh": ("zsh", "the entry point under zsh"),
    "fish": ("fish", "a fish that has gh behind the cache"),
    "node": ("nodejs", "the workflows, run by act"),
    "jq": ("jq", "the workflows, run by act"),
    "strace": ("strace", "disk errors made by fault injection"),
    "faketime": ("faketime", "clock jumps of whole processes"),
    "ip": ("iproute2", "runs without a network"),
    "chromium|chromium-browser|google-chrome": ("chromium", "the dashboard in a browser"),
}

_SHELLCHECK = (
    "shellcheck install.sh gh-p2pcache .ci/run"
    " python/gh_p2pcache/entry/*.sh python/gh_p2pcache/shell/*.sh"
    " .github/scripts/*.sh .github/actions/setup/build.sh"
)
_CHECKS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
    "shellcheck": ["sh", "-c", _SHELLCHECK],
    "actionlint": ["actionlint"],
    "zizmor": ["zizmor", "--offline", "--no-progress", ".github"],
}

# One file's tests stay on one worker: they share what they start.
_PYTEST = ["pytest", "-n", "2", "--dist", "loadfile", "-m", "not soak", "--ignore=tests/perf"]


def run(data: Path, checkout: Path, arguments: list[str], progress: Progress) -> int:
    """Run every check and return an exit code; with `arguments`, only pytest with these."""
    environment_path = _development(data, checkout, progress)
    progress.say(f"  test environment: {environment_path}")
    _system_tools(progress)
    env = {
        **os.environ,
        "PATH": f"{environment_path / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": str(environment_path),
    }
    if arguments:
        return _to_its_end(["pytest", *arguments], checkout, env)
    failed = [
        name
        for name, command in _CHECKS.items()
        if not _passes(name, command, checkout, env, progress)
    ]
    if _to_its_end(_PYTEST, checkout, env):
        failed.append("pytest")
    if failed:
        progress.say(f"failed: {', '.join(failed)}")
    return bool(failed)


def _to_its_end(command: list[str], checkout: Path, env: dict[str, str]) -> int:
    """Run a command that shares our terminal: at Ctrl-C it has its own cleaning up to do."""
    with subprocess.Popen(command, cwd=checkout, env=env) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue


def _development(data: Path, checkout: Path, progress: Progress) -> Path:
    """Return the environment for this checkout, whose code it sees as it is on disk."""
    lock_file = checkout / "requirements-dev.lock"
    with environment.locked(data, progress) as descriptor:
        home = data / "dev"
        path = home / environment.identity(lock_file.read_bytes(), os.fsencode(checkout))

        def see_checkout(site: Path) -> str:
            (site / "checkout.pth").write_text(f"{checkout / 'python'}\n", encoding="utf-8")
            return str(checkout)

        if not environment.is_complete(path):
            environment.build(path, lock_file, descriptor, progress, see_checkout)
        for other in home.iterdir():
            if other != path and _is_left_over(other, checkout):
                shutil.rmtree(other, ignore_errors=True)
    return path


def _is_left_over(path: Path, checkout: Path) -> bool:
    if not environment.is_complete(path):
        return True
    owner = Path((path / environment.MARKER).read_text(encoding="utf-8").rstrip("\n"))
    return owner == checkout or not owner.exists()


def _system_tools(progress: Progress) -> None:
    missing = _missing()
    if missing and os.getuid() == 0 and shutil.which("apt-get"):
        try:
            with progress.step(f"system packages: {' '.join(missing)}"):
                _apt(["update"])
                # One that this release does not have keeps nothing but itself from being installed.
                for packages in ({*missing} - {"chromium"}, {*missing} & {"chromium"}):
                    if packages:
                        _apt(["install", "--yes", "--no-install-recommends", *sorted(packages)])
        except InstallError as error:
            progress.say(f"  {error}")
    for package, skipped in _missing().items():
        progress.say(f"  without {package}, these tests are skipped: {skipped}")


def _missing() -> dict[str, str]:
    return {
        package: what
        for programs, (package, what) in _SYSTEM.items()
        if not any(map(shutil.which, programs.split("|")))
    }


def _apt(arguments: list[str]) -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    said = subprocess.run(
        ["apt-get", "-qq", *arguments], check=False, env=env, capture_output=True, text=True
    )
    if said.returncode:
        raise InstallError(f"apt-get {arguments[0]} failed:\n{said.stderr.strip()}")


def _passes(
    name: str, command: list[str], checkout: Path, env: dict[str, str], progress: Progress
) -> bool:
    started = time.monotonic()
    said = subprocess.run(
        command,
        check=False,
        cwd=checkout,
        env=env,
        capture_output=True,
        text=True,
        errors="replace",
    )
    verdict = "failed" if said.returncode else "ok"
    progress.say(f"  {name}: {verdict} ({time.monotonic() - started:.1f} s)")
    if said.returncode:
        progress.say(said.stdout + said.stderr)
    return said.returncode == 0
