# ruff: noqa: INP001 - a script among pages
"""Makes the README's pictures: `python docs/pictures.py [demo|dashboard …]`, from the checkout.

`demo.svg` is what `./install.sh --demo` printed; `dashboard.png` is the page in a headless browser,
of two machines that worked for a moment. Needs what `./install.sh --test` installs.
"""

from __future__ import annotations

import base64
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests")]

from rich.console import Console  # noqa: E402
from rich.text import Text  # noqa: E402

from support import browser as browsers  # noqa: E402
from support.sim import plain_sim  # noqa: E402
from support.team import Daemon, meet  # noqa: E402
from support.wait import until  # noqa: E402

CHAPTERS = (1, 3, 4, 9, 10, 19, 20)
"""The steps of the demo that the picture shows."""
WIDTH = 98
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_CHAPTER = re.compile(r"^\s*(\d+)  \S")


def demo() -> None:
    """Run the demo on a terminal and draw some of its steps."""
    plain = re.compile(r"\x1b\[[0-9;]*m")
    shown, take = [], False
    for line in _on_a_terminal(["./install.sh", "--demo"]).splitlines():
        if found := _CHAPTER.match(plain.sub("", line)):
            take = int(found[1]) in CHAPTERS
        if take:
            shown.append(line)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        console.print("[bold]$ ./install.sh --demo[/]\n")
        for line in shown:
            console.print(Text.from_ansi(line), soft_wrap=False, overflow="ellipsis", no_wrap=True)
    drawn = console.export_svg(title="gh-p2pcache", unique_id="demo")
    # The fonts would be fetched from elsewhere; a reader's own monospace does.
    (ROOT / "docs/demo.svg").write_text(_FONTS.sub("", drawn), encoding="utf-8")


def _on_a_terminal(command: list[str]) -> str:
    read: list[bytes] = []

    def keep(descriptor: int) -> bytes:
        data = os.read(descriptor, 1 << 16)
        read.append(data)
        return data

    here = Path.cwd()
    os.chdir(ROOT)
    try:
        pty.spawn(command, keep)
    finally:
        os.chdir(here)
    return b"".join(read).decode("utf-8", "replace").replace("\r", "")


def dashboard() -> None:
    """Let two machines work and photograph the page of one."""
    with tempfile.TemporaryDirectory(prefix="d-", ignore_cleanup_errors=True) as folder:
        sim = plain_sim(Path(folder))
        one = Daemon(Path(folder) / "one", sim)
        two = Daemon(Path(folder) / "two", sim, {"CACHE_BOOTSTRAP_PEERS": one.addr})
        try:
            one.start()
            two.start()
            meet(one, two)
            for name in ("issues", "labels", "pulls", "commits", "actions/runs"):
                one.ask(f"/repos/acme/widgets/{name}")
            until(lambda: two.total("peer_proofs"))
            for _ in range(8):
                for name in ("issues", "labels", "pulls", "commits", "actions/runs", "branches"):
                    two.ask(f"/repos/acme/widgets/{name}", door="ttl")
            two.ask("/repos/acme/widgets/labels", door="exact")
            two.ask("/rate_limit")
            url = two.control("POST", "/dashboard", {})["url"]
            with browsers.running() as browser:
                tab = browser.tab(url, width=1000)
                tab.until("document.querySelector('main:not([hidden])')?.dataset.drawn")
                taken = tab.do("Page.captureScreenshot", format="png")
            (ROOT / "docs/dashboard.png").write_bytes(base64.b64decode(taken["data"]))
        finally:
            one.stop()
            two.stop()
            sim.stop()


if __name__ == "__main__":
    pictures = {"demo": demo, "dashboard": dashboard}
    for name in sys.argv[1:] or pictures:
        pictures[name]()
    subprocess.run(["git", "-C", str(ROOT), "status", "--short", "docs"], check=True)
