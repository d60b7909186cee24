"""The action's own checks, and that what is committed of it is what its sources make."""

import shutil
import subprocess

import pytest

from support.act import ROOT

SETUP = ROOT / ".github/actions/setup"
needs = pytest.mark.skipif(shutil.which("npm") is None, reason="no npm")


def test_the_units_of_the_action() -> None:
    if shutil.which("node") is None:
        pytest.skip("no node")
    done = subprocess.run(
        ["node", "--test", "test/"], cwd=SETUP, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@needs
def test_what_is_committed_is_what_the_sources_make() -> None:
    done = subprocess.run(
        [SETUP / "build.sh", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_lock_names_no_registry() -> None:
    assert '"resolved"' not in (SETUP / "package-lock.json").read_text()


def test_every_input_and_output_is_explained() -> None:
    import yaml

    action = yaml.safe_load((SETUP / "action.yml").read_text())
    page = (ROOT / "docs/actions.md").read_text()
    named = [*action["inputs"], *action["outputs"]]
    assert [name for name in named if f"| `{name}` |" not in page] == []
    assert all("default" in given for given in action["inputs"].values())
