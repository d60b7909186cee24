"""The story of `./install.sh --demo`: what the cache does for one question, step by step.

Each step runs a real command and is believed only if the small GitHub and the cache counted what
the story claims.
"""

from __future__ import annotations

import argparse
import io
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from gh_p2pcache.peer import packages
from gh_p2pcache.sim.stage import Home, Shown, Stage

_AWAY = 0.15
"""Seconds that the small GitHub takes for an answer, about what the real one takes."""

_LIMIT = 3
"""Seconds until the rate limit of the story resets."""

_TITLE_AFTER = "Rattles no more"
_ISSUE = "repos/acme/widgets/issues/1"
_READ = f"gh p2pcache api {_ISSUE} --jq .title"
_REFRESH = f"gh p2pcache api --refresh {_ISSUE} --jq .title"
_PLAIN = f"gh api {_ISSUE} --jq .title"
_OTHER = "gh p2pcache api repos/acme/widgets/issues/2 --jq .title"
_MORE = "gh p2pcache api repos/acme/widgets/issues/3 --jq .title"


class Story:
    """Tells the steps and keeps what was not as claimed."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._paint = _COLOURS if sys.stdout.isatty() else {}
        self._slow = {"kind": "delay", "seconds": _AWAY}
        self._chapter = 0
        self.doubts: list[str] = []

    def tell(self) -> None:
        """Run every step."""
        self._stage.github(faults=[self._slow])
        title = self._first_calls()
        self._script()
        self._write(title)
        self._rate_limit()
        self._outage()
        self._second_machine()

    def _first_calls(self) -> str:
        title = self._show(_PLAIN, "Plain gh asks GitHub each time.", calls=1, billed=1).stdout
        self._show(_READ, "A first call through the cache asks too, and keeps the answer.",
                   title, calls=1, billed=1, answer="miss")  # fmt: skip
        self._show(_READ, "The same call again is answered here.", title, answer="hit")
        self._show(_REFRESH, "--refresh has it confirmed: a 304, which costs no rate limit.",
                   title, calls=1, answer="revalidated")  # fmt: skip
        return title

    def _script(self) -> None:
        script = "gh p2pcache exec -- gh issue list --repo acme/widgets --limit 2"
        first = self._show(script, "exec puts every gh that a script starts behind it …",
                           calls=None, billed=None, answer="miss")  # fmt: skip
        self._show(script, "… with gh's own output, from GraphQL too.", first.stdout, answer="hit")

    def _write(self, title: str) -> None:
        write = f"gh p2pcache api -X PATCH {_ISSUE} -f title='{_TITLE_AFTER}' --silent"
        self._show(write, "A write goes straight through …", "", calls=1, billed=1, answer="bypass")
        # GitHub's Date has whole seconds: an answer from the second of a write is not kept.
        time.sleep(1)
        after = self._show(_READ, "… and the next read sees it.", f"{_TITLE_AFTER}\n",
                           calls=1, billed=1, answer="miss")  # fmt: skip
        self._expect(after.stdout != title, "the title changed")

    def _rate_limit(self) -> None:
        self._stage.github(limits=[{"token": "alice", "remaining": 0, "reset_in": _LIMIT}])
        reset = time.time() + _LIMIT + 1
        self._show(_PLAIN, "The rate limit is used up. Plain gh fails:", calls=1, code=1)
        self._show(_REFRESH, "The cache bridges it with the answer it has, and says so.",
                   f"{_TITLE_AFTER}\n", calls=1, answer="stale")  # fmt: skip
        self._show(_REFRESH, "Until the reset it does not even ask.",
                   f"{_TITLE_AFTER}\n", answer="stale")  # fmt: skip
        time.sleep(max(0.0, reset - time.time()))

    def _outage(self) -> None:
        self._stage.github(faults=[{"kind": "down"}])
        self._show(_PLAIN, "GitHub is down. Plain gh fails:", calls=None, code=1)
        self._show(_REFRESH, "The cache still answers.",
                   f"{_TITLE_AFTER}\n", calls=None, answer="stale")  # fmt: skip
        self._stage.github(faults=[self._slow])
        self._show(_REFRESH, "GitHub is back, and so is the certainty.",
                   f"{_TITLE_AFTER}\n", calls=1, answer="revalidated")  # fmt: skip

    def _second_machine(self) -> None:
        """Tell of a team of two; left out where the packages of peers could not be installed."""
        stage, second = self._stage, self._stage.second
        if not packages.is_installed():
            print("\nThe packages that peers need are not installed: no second machine here.")
            return
        print(f"\n{self._in('bold', 'A second machine joins: another daemon, another cache.')}")
        create = f"gh p2pcache team create acme --share 'acme/*' --bootstrap {stage.first.address}"
        self._show(create, "On the first machine: a team that shares what is named.")
        invite = stage.run("gh p2pcache team invite acme", stage.first).stdout.split()[-1]
        stage.start(second)
        self._show("gh p2pcache team join -", "On the second: the invite, from stdin.",
                   on=second, given=invite)  # fmt: skip
        both = (stage.first, second)
        stage.github(faults=[self._slow])
        self._expect(
            stage.wait(lambda: all(stage.peers(home)["members"] for home in both)), "they met"
        )
        proofs = stage.counted(second, "peer_proofs")
        first = self._show(_OTHER, "The first asks GitHub …", calls=1, billed=1, answer="miss")
        self._show(_MORE, "… for this too …", calls=1, billed=1, answer="miss")
        stage.wait(lambda: stage.counted(second, "peer_proofs") > proofs)
        self._shared(_OTHER, "… and the second is answered by the first.", first.stdout)
        stage.github(faults=[{"kind": "down"}])
        self._shared(_MORE, "GitHub is down; what one machine knows, the other has.")

    def _shared(self, command: str, text: str, stdout: str | None = None) -> None:
        """Have the first machine answer the second; GitHub may be asked for a sample only."""
        shown = self._show(command, text, stdout, on=self._stage.second,
                           calls=None, answer="peer")  # fmt: skip
        sampled = shown.answers.get("peer_sampled", 0)
        self._expect(shown.answers.get("upstream", 0) == sampled, "no call but for a free sample")

    def _show(
        self,
        command: str,
        text: str,
        stdout: str | None = None,
        *,
        on: Home | None = None,
        given: str = "",
        calls: int | None = 0,
        billed: int | None = 0,
        answer: str = "",
        code: int = 0,
    ) -> Shown:
        """Run and print one step; what is given of its outcome is what it must be."""
        self._chapter += 1
        print(f"\n{self._in('bold', f'{self._chapter:2}  {text}')}")
        prompt = "second $" if on else "$"
        print(f"    {self._in('dim', f'{prompt} {command}')}", flush=True)
        shown = self._stage.run(command, on or self._stage.first, given)
        for line in (*shown.stdout.splitlines(), *shown.stderr.splitlines()):
            print(f"    {line if len(line) <= _WIDTH else line[: _WIDTH - 1] + '…'}")
        print(f"    {self._in('green' if not code else 'red', _figures(shown))}", flush=True)
        self._expect(shown.code == code, f"exit code {code}")
        self._expect(calls in (None, shown.calls), f"{calls} calls to GitHub")
        self._expect(billed in (None, shown.billed), f"{billed} of the rate limit")
        self._expect(not answer or answer in shown.answers, f"a {answer or 'plain answer'}")
        self._expect(stdout in (None, shown.stdout), f"the output {stdout!r}")
        return shown

    def _expect(self, came_true: bool, claim: str) -> None:
        if not came_true:
            self.doubts.append(f"step {self._chapter}: expected {claim}")
            print(f"    {self._in('red', f'✗ expected {claim}')}")

    def _in(self, colour: str, text: str) -> str:
        return f"{self._paint[colour]}{text}\033[0m" if self._paint else text


_WIDTH = 92
_VERDICTS = ("hit", "peer", "miss", "revalidated", "stale", "coalesced", "bypass", "error")
_COLOURS: Mapping[str, str] = {
    "bold": "\033[1m",
    "dim": "\033[2m",
    "green": "\033[32m",
    "red": "\033[31m",
}


def _figures(shown: Shown) -> str:
    calls = {0: "no call to GitHub", 1: "1 call to GitHub"}.get(shown.calls, f"{shown.calls} calls")
    cost = f", {shown.billed} of the rate limit" if shown.calls else ""
    verdict = " + ".join(name for name in shown.answers if name in _VERDICTS)
    verdict = verdict or ("plain gh" if shown.command.startswith("gh api") else "done")
    why = " (1 in 20 is compared)" if shown.answers.get("peer_sampled") else ""
    code = f", exit code {shown.code}" if shown.code else ""
    return f"→ {verdict}{code}: {shown.seconds * 1000:.0f} ms, {calls}{cost}{why}"


def main() -> None:
    """Tell the story; exits 1 if a step did not show what it claims."""
    parser = argparse.ArgumentParser(prog="python -m gh_p2pcache.sim.demo", description=__doc__)
    parser.add_argument("--gh", type=Path, default=shutil.which("gh"), help="the real gh")
    parser.add_argument("--checkout", type=Path, required=True, help="where gh-p2pcache lies")
    parser.add_argument("--data", type=Path, required=True, help="where its engine lies")
    chosen = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal of another encoding has no →
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda number, _frame: sys.exit(128 + number))
    stage = Stage(chosen.gh, chosen.checkout, chosen.data)
    try:
        stage.open()
        story = Story(stage)
        print(
            f"A small GitHub runs on this machine, {_AWAY * 1000:.0f} ms away. The real gh asks it."
        )
        story.tell()
    finally:
        stage.close()
    if story.doubts:
        sys.exit(f"\n{len(story.doubts)} claims did not come true; please report this.")
    print("\nOnly the engine is left of this (./install.sh --uninstall removes it).")
    print("Now with the real GitHub:\n    ./install.sh && gh p2pcache api user")


if __name__ == "__main__":
    main()
