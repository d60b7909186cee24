"""The examples of docs/python-api.md run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from gh_p2pcache.api import Cache
from support.caches import environment

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/python-api.md").read_text(encoding="utf-8")


def test_the_examples_run(tmp_path: Path) -> None:
    examples = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert len(examples) >= 5
    env = environment(tmp_path, PATH=os.environ["PATH"], PYTHONPATH=str(ROOT / "python"))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(examples)],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_method_is_in_the_table() -> None:
    public = {name for name in vars(Cache) if not name.startswith(("_", "a"))}
    documented = set(re.findall(r"`(\w+)(?:\(|`)", TEXT[TEXT.index("| method") :]))
    assert public <= documented
