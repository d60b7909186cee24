"""policy decides and does nothing: no files, no network, no clock, no late surprises."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import gh_p2pcache.policy

HERE = Path(gh_p2pcache.policy.__file__).parent
ALLOWED = {
    "__future__", "calendar", "collections", "dataclasses", "fnmatch", "functools", "graphql",
    "hashlib", "json", "math", "msgpack", "operator", "re", "typing", "urllib",
}  # fmt: skip


@pytest.mark.parametrize("module", sorted(HERE.glob("*.py")), ids=lambda p: p.stem)
def test_a_module_imports_nothing_that_could_do_anything(module):
    for node in ast.walk(ast.parse(module.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            inside = name.startswith(("gh_p2pcache.policy", "gh_p2pcache.records.message"))
            assert inside or name.split(".")[0] in ALLOWED, f"{module.name} imports {name}"


def test_a_plan_of_a_rest_read_does_not_import_graphql():
    """graphql-core takes 110 ms to import, which a gateway that starts cannot spare."""
    program = """
import sys
from gh_p2pcache.policy import freshness, invalidation, pending, proof, ratelimit, validators
from gh_p2pcache.policy.plan import plan
from gh_p2pcache.records.message import Request
assert plan(Request("GET", "api.github.com", "/repos/o/r")).action == "keep"
assert "graphql" not in sys.modules
assert plan(Request("POST", "api.github.com", "/graphql", (), b'{"query":"{a}"}')).action == "keep"
assert "graphql" in sys.modules
"""
    root = str(HERE.parents[1])
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r})\n{program}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
