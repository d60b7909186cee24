"""The interactive shells of this machine, at a home of their own and on a terminal."""

import os
import pty
import re
import select
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

SHELLS = {name: found for name in ("bash", "zsh", "fish") if (found := shutil.which(name))}
CHECKOUT = Path(__file__).parents[2]
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[()][A-Z0-9]|[=>])|\r|\x08")


def home(root: Path) -> dict[str, str]:
    """Make a home with the shim and what profiles read; returns the environment to live in it.

    The real gh is a script that says `the real gh`.
    """
    data = root / ".local/share/gh-p2pcache"
    for folder in (data / "shim", data / "shell", root / "bin"):
        folder.mkdir(parents=True)
    _script(data / "shim/gh", "the shim")
    _script(root / "bin/gh", "the real gh")
    for name in ("env.sh", "env.fish"):
        (data / "shell" / name).symlink_to(CHECKOUT / "python/gh_p2pcache/shell" / name)
    return {
        "HOME": str(root),
        "PATH": f"{root}/bin:/usr/bin:/bin",
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
    }


def _script(path: Path, says: str) -> None:
    path.write_text(f"#!/bin/sh\necho {says}\n")
    path.chmod(0o755)


class Terminal:
    """A program on a terminal: what is typed, and what is seen of it."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self.process = process
        self._descriptor = descriptor
        self._raw = b""

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def until(self, text: str, seconds: float = 20.0) -> str:
        """Return what comes until `text` has come, with it; what follows is kept."""
        deadline = time.monotonic() + seconds
        while text not in (said := _ANSI.sub("", self._raw.decode(errors="replace"))):
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} did not come: {said!r}"
            if select.select([self._descriptor], [], [], left)[0]:
                self._take_in(f"{text!r} did not come: {said!r}")
        before, _, rest = said.partition(text)
        self._raw = rest.encode()
        return before + text

    def _take_in(self, otherwise: str) -> None:
        try:
            self._raw += os.read(self._descriptor, 65536)
        except OSError as error:  # Linux: nobody has the other end open any more
            raise AssertionError(f"{otherwise} (and the program has ended)") from error


@contextmanager
def terminal(command: Sequence[str], env: Mapping[str, str]) -> Iterator[Terminal]:
    """A program on a terminal of its own, ended with the block."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command,
        env=dict(env),
        cwd=env["HOME"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            yield Terminal(process, ours)
        finally:
            process.kill()
            os.close(ours)


def interactive(shell: str, script: str, env: Mapping[str, str]) -> str:
    """Return what an interactive shell prints that has read its profile."""
    return subprocess.run(
        [SHELLS[shell], "-i", "-c", script],
        env=dict(env),
        cwd=env["HOME"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    ).stdout
