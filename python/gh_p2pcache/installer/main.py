"""The commands of install.sh."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from gh_p2pcache import paths
from gh_p2pcache.installer import checks, credential, demo, engine, peers, register, removal
from gh_p2pcache.installer.environment import BusyError
from gh_p2pcache.installer.progress import InstallError, Progress


def main(argv: list[str]) -> None:
    """Run one command of install.sh and exit: 0 done, 1 failed (stderr says why)."""
    parser = argparse.ArgumentParser(prog="install.sh")
    parser.add_argument("--prefix", type=Path)
    parser.add_argument("--keep-cache", action="store_true")
    parser.add_argument("--credential-helper", action="store_true")
    parser.add_argument("checkout", type=Path)
    parser.add_argument("command")
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args(argv)
    try:
        sys.exit(_run(options, Progress()))
    except (InstallError, OSError) as error:
        print(f"install.sh: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\ninstall.sh: stopped; nothing half-made is in use", file=sys.stderr)
        sys.exit(130)


def _run(options: argparse.Namespace, progress: Progress) -> int:
    checkout: Path = options.checkout
    data = _data_dir(options.prefix)
    _require_apart(data, checkout)
    match options.command:
        case "install":
            _install(data, checkout, progress)
            credential.offer(data, checkout, progress, wanted=options.credential_helper)
            progress.say("Done. Next: gh p2pcache api user   (or: git ghapi user)")
        case "setup":
            _set_up(data, checkout, progress)
            peers.set_up(data, checkout, progress)
            progress.say("Next: gh p2pcache api user")
        case "folders":
            print(engine.folder(data, checkout), peers.folder(data, checkout), sep="\n")
        case "background-setup":
            _background(data, checkout)
        case "demo":
            demo.run(data, checkout, progress)
        case "test":
            return checks.run(data, checkout, options.arguments, progress)
        case "uninstall":
            removal.remove(data, checkout, keep_cache=options.keep_cache, progress=progress)
    return 0


def _install(data: Path, checkout: Path, progress: Progress) -> None:
    data_home = paths.data_dir(os.environ).parent
    progress.say("Setting up gh-p2pcache")
    register.add_extension(data_home, checkout, progress)
    _set_up(data, checkout, progress)
    register.add_alias(checkout, progress)
    # Last: it takes the longest, and everything else works meanwhile and without.
    peers.set_up(data, checkout, progress)


def _set_up(data: Path, checkout: Path, progress: Progress, *, wait: bool = True) -> None:
    _link_prefix(data)
    engine.set_up(data, checkout, progress, wait=wait)
    register.add_shim(data, checkout)


def _background(data: Path, checkout: Path) -> None:
    """Set up for the entry point, which does not wait: all output goes to the log."""
    # Whatever a caller's script has open, such as a lock, is not held for as long as this takes.
    os.closerange(3, 4096)
    os.setsid()
    log = paths.state_dir(os.environ) / "log/setup.log"
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    progress = Progress()
    progress.say(time.strftime("%Y-%m-%d %H:%M:%S"))
    try:
        _set_up(data, checkout, progress, wait=False)
        peers.set_up(data, checkout, progress, wait=False)
    except BusyError as busy:
        progress.say(f"  {busy}")


def _data_dir(prefix: Path | None) -> Path:
    """Return where the engine goes, or has gone: an earlier --prefix left a link."""
    usual = paths.data_dir(os.environ)
    return (usual if prefix is None else prefix.absolute() / paths.APP).resolve()


def _require_apart(data: Path, checkout: Path) -> None:
    """Refuse to set up, or to remove, anything where the user's own work lies.

    The usual place counts too: --prefix makes a link of it.
    """
    for place in (data, paths.data_dir(os.environ).resolve()):
        if place.is_relative_to(checkout) or checkout.is_relative_to(place):
            raise InstallError(
                f"the engine's place {place} and the clone {checkout} lie within each other:"
                " choose another --prefix, or move the clone"
            )


def _link_prefix(data: Path) -> None:
    """Lead from the usual place, where the entry point looks, to the prefix."""
    usual = paths.data_dir(os.environ)
    if usual.resolve() == data:
        return
    if usual.is_symlink():
        usual.unlink()
    elif usual.exists():
        (usual / removal.TRIED).unlink(missing_ok=True)
        try:
            usual.rmdir()
        except OSError:
            raise InstallError(f"{usual} is in use; first: ./install.sh --uninstall") from None
    usual.parent.mkdir(parents=True, exist_ok=True)
    usual.symlink_to(data)
