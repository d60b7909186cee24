"""What the pages tell a reader to type does what they show."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support.caches import environment
from support.console import Reader, Step, blocks, steps
from support.messages import ROOT
from support.sim import SimProcess
from support.wait import until

ON_ONE_MACHINE = ["agents", "coming-from", "comparison", "ghes", "seeing"]
PAGES = [*ON_ONE_MACHINE, "fleets"]
NOT_HERE = re.compile(r"\b(sudo|ssh|docker|git clone)\b")
BOOTSTRAP = "/dns/cache.acme.dev/tcp/9100"


@pytest.fixture
def home() -> Iterator[Path]:
    with TemporaryDirectory(prefix="t-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def reader(home: Path, sim: SimProcess) -> Iterator[Reader]:
    """A machine with a daemon on which nobody has asked anything yet."""
    machine = Reader(home / "a", sim)
    try:
        # On a busy machine the first call may go past a daemon that is still starting.
        machine.type("gh p2pcache start")
        yield machine
    finally:
        machine.end()


@pytest.fixture
def second(home: Path, reader: Reader) -> Iterator[Reader]:
    """Another one."""
    machine = Reader(home / "b", reader.sim)
    try:
        yield machine
    finally:
        machine.end()


@pytest.mark.parametrize("page", ON_ONE_MACHINE)
def test_a_page_shows_what_happens(reader: Reader, page: str) -> None:
    wanted = list(steps(ROOT / f"docs/{page}.md"))
    assert wanted
    said = [(step, reader.type(step.command)) for step in wanted]
    assert [(step.command, text) for step, text in said if not step.agrees(text)] == []


def test_the_fleet_shares(reader: Reader, second: Reader) -> None:
    first = reader
    here = f"/ip4/127.0.0.1/tcp/{first.port}"
    for step in steps(ROOT / "docs/fleets.md"):
        machine = second if step.on == "second" else first
        known = proofs(second)
        if "team join" in step.command:
            invite = first.do("team", "invite", "acme")
            (second.root / "invite").write_text(invite.stdout)
        said = machine.type(step.command.replace(BOOTSTRAP, here))
        assert step.agrees(said), (step.command, said)
        if "team join" in step.command:
            until(lambda: first.peers()["members"], 30)
        if machine is first and "⚡" in said:
            until(partial(hears_more, second, known))


def hears_more(machine: Reader, known: int) -> bool:
    return proofs(machine) > known


def proofs(machine: Reader) -> int:
    """How many access proofs a machine has heard of."""
    told = json.loads(machine.do("stats", "--json").stdout)
    return int(told["totals"].get("peer_proofs", 0))


def test_every_command_for_the_old_wrapper_works(reader: Reader) -> None:
    text = (ROOT / "docs/coming-from.md").read_text(encoding="utf-8")
    table = text[text.index("| before | now |") : text.index("## What is different")]
    rows = re.findall(r"^\| .+ \| (.+) \|$", table, re.MULTILINE)
    commands = [c for row in rows for c in re.findall(r"`((?:gh p2pcache|git ghapi) [^`]+)`", row)]
    assert len(commands) > 10
    for command in commands:
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=reader.root,
            env=reader.env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        assert "gh asks GitHub itself" not in done.stderr


def test_the_python_for_the_old_import_runs(tmp_path: Path) -> None:
    (example,) = blocks(ROOT / "docs/coming-from.md", "python")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        env=environment(tmp_path, PYTHONPATH=str(ROOT / "python")),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("page", PAGES)
def test_what_is_not_typed_here_cannot_be(page: str) -> None:
    unsaid = blocks(ROOT / f"docs/{page}.md", "sh")
    lines = [line for block in unsaid for line in block.splitlines() if line]
    assert [line for line in lines if not NOT_HERE.search(line)] == []


def test_another_output_would_be_noticed() -> None:
    step = Step("", "gh p2pcache stats", ("calls saved   5", "…"))
    assert step.agrees("calls saved            17\nmore\n")
    assert not step.agrees("calls saved            none\nmore\n")
    assert not step.agrees("calls lost            17\nmore\n")
